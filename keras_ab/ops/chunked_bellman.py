"""The Bellman backup from embeddings, a chunk of annotations at a time."""

import numbers
from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_ab.ops.bellman import bellman_target
from keras_ab.ops.shapes import shapes_fit
from keras_ab.typing import Tensor

# Logits of all pairs of views, (B, N, N, L), up to which nothing is cut; and
# how many a chunk then holds.
WHOLE = 2**22
CHUNK = 2**21
# Products of matrices are not made narrower than this to keep to CHUNK.
NARROWEST = 128


def q_logits(
    actions: Tensor, annotations: Tensor, scale: Tensor, bias: Tensor
) -> Tensor:
    """Logits of Q for all pairs of views and all annotations.

    Args:
        actions: Float32 of shape `(..., D)`, unit vectors φ.
        annotations: Float32 of shape `(L, D)`, unit vectors ψ.
        scale: Scalar t.
        bias: Scalar b.

    Returns:
        Float32 of shape `(..., L)`.

    Reference:
        Equation 4.
    """
    return scale * ops.matmul(actions, ops.transpose(annotations)) + bias


def chunked_bellman_target(
    q_function: tuple[Tensor, Tensor, Tensor, Tensor],
    reward: Tensor,
    gamma: float = 0.5,
    annotations_per_chunk: int | None = None,
) -> Tensor:
    """Bellman backup of a Q that is given by its embeddings.

    The value is `bellman_target(reward, q_logits(*q_function), gamma)`; of
    the logits `(B, N, N, L)` only a chunk exists at a time.

    Args:
        q_function: Tuple `(φ, ψ, t, b)`: unit vectors of the actions of all
            pairs of views, `(B, N, N, D)`, and of the annotations, `(L, D)`,
            and the scalar scale and bias.
        reward: Floats of shape `(B, N, L)`: the probabilities `p(l | x_j)`.
        gamma: Float in [0, 1], the discount.
        annotations_per_chunk: Int, how many annotations to look at at a time.
            None chooses by size: all at once while the logits are few.

    Returns:
        Float32 of shape `(B, N, L)`, in [0, 1], gradient stopped.

    Example:

    >>> actions, annotations = np.zeros((1, 2, 2, 4)), np.zeros((3, 4))
    >>> reward = np.full((1, 2, 3), 1 / 3)
    >>> keras_ab.ops.chunked_bellman_target(
    ...     (actions, annotations, 10.0, 0.0), reward
    ... )[0, 0, 0]
    # 0.4167 = 0.5 / 3 + 0.5 * 0.5

    Reference:
        Equation 5 and Algorithm 2 (`target_p`).
    """
    actions, annotations, scale, bias = as_q_function(q_function)
    reward = ops.cast(ops.convert_to_tensor(reward), "float32")
    check_shapes((actions, annotations), reward)
    check_chunk(annotations_per_chunk)
    size = chunk_size(actions, annotations, annotations_per_chunk)
    number = annotations.shape[0]
    if size is None or number is None:
        logits = q_logits(actions, annotations, scale, bias)
        return bellman_target(reward, logits, gamma)
    parts = [
        bellman_target(
            reward[..., start : start + size],
            q_logits(actions, annotations[start : start + size], scale, bias),
            gamma,
        )
        for start in range(0, number, size)
    ]
    return ops.concatenate(parts, axis=-1)


def chunk_size(
    actions: Tensor, annotations: Tensor, wanted: int | None = None
) -> int | None:
    """How many annotations to look at at a time.

    Args:
        actions: Floats of shape `(B, N, N, D)`.
        annotations: Floats of shape `(L, D)`.
        wanted: Int, the user's choice, or None.

    Returns:
        Int, or None for all at once.
    """
    number = annotations.shape[0]
    if wanted is not None:
        return None if number is not None and wanted >= number else wanted
    if number is None:
        # A batch of any size in one graph: XLA on TensorFlow cannot slice it.
        return None
    batch, views = actions.shape[:2]
    if batch is None:
        size = CHUNK // 1024
        return None if size >= number else size
    pairs = batch * views * views
    if pairs * number <= WHOLE:
        return None
    size = max(NARROWEST, CHUNK // pairs)
    return None if size >= number else size


def as_q_function(parts: Sequence[Tensor]) -> list[Tensor]:
    """Actions, annotations, scale and bias as float32 tensors.

    Args:
        parts: Tuple of four.

    Returns:
        List of four tensors.
    """
    if not isinstance(parts, (tuple, list)) or len(parts) != 4:
        raise ValueError(
            "A Q function is a tuple of actions (B, N, N, D), annotations "
            f"(L, D), scale and bias. Received: {type(parts).__name__}"
        )
    parts = [ops.cast(ops.convert_to_tensor(x), "float32") for x in parts]
    if len(parts[2].shape) or len(parts[3].shape):
        raise ValueError(
            "Scale and bias must be scalars. Received: shapes "
            f"{tuple(parts[2].shape)} and {tuple(parts[3].shape)}"
        )
    return parts


def check_shapes(q_function: Sequence[Tensor], reward: Tensor) -> None:
    """Raises `ValueError` unless actions, annotations and reward fit.

    Args:
        q_function: The two tensors of embeddings, or more.
        reward: Tensor of shape `(B, N, L)`.
    """
    actions, annotations = (tuple(x.shape) for x in q_function[:2])
    reward = tuple(reward.shape)
    if len(actions) == 4 and len(annotations) == 2 and len(reward) == 3:
        batch, views, number = reward
        wanted = (batch, views, views, annotations[1], number)
        if shapes_fit((*actions, annotations[0]), wanted):
            return
    raise ValueError(
        "Actions must have shape (B, N, N, D), annotations (L, D) and "
        f"`reward` (B, N, L). Received: {actions}, {annotations} and {reward}"
    )


def check_chunk(size: Any) -> None:
    """Raises `ValueError` for anything but a positive int or None.

    Args:
        size: What a user passed as `annotations_per_chunk`.
    """
    if size is None:
        return
    whole = isinstance(size, numbers.Integral) and not isinstance(size, bool)
    if not whole or size < 1:
        raise ValueError(
            "`annotations_per_chunk` must be a positive int, or None to "
            f"choose by size. Received: {size!r}"
        )
