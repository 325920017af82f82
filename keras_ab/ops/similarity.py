"""Cosine similarity, in float32 whatever the dtype policy."""

from keras import ops

from keras_ab.typing import Tensor


def l2_normalize(x: Tensor, epsilon: float = 1e-12) -> Tensor:
    """Scales vectors to unit length.

    Args:
        x: Floats of shape `(..., D)`.
        epsilon: Lower bound of the squared norm, so that the zero vector
            (and its gradient) stays finite.

    Returns:
        Float32 of the same shape.
    """
    x = ops.cast(ops.convert_to_tensor(x), "float32")
    square = ops.sum(ops.square(x), axis=-1, keepdims=True)
    return x * ops.rsqrt(ops.maximum(square, epsilon))


def cosine_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Cosine of each vector of one set with each vector of another.

    Args:
        a: Floats of shape `(..., D)`.
        b: Floats of shape `(L, D)`.

    Returns:
        Float32 of shape `(..., L)`.
    """
    return ops.matmul(l2_normalize(a), ops.transpose(l2_normalize(b)))
