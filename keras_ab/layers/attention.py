"""Multi-head attention with fused projections."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.layers.dense import Dense
from keras_ab.typing import DType
from keras_ab.typing import Shape
from keras_ab.typing import Tensor


def attention(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    causal: bool = False,
    key_mask: Tensor | None = None,
) -> Tensor:
    """Scaled dot-product attention, written for speed on each backend.

    PyTorch has a fused kernel behind `keras.ops.dot_product_attention`. On
    JAX and TensorFlow two batched matrix products with the heads in front are
    faster on CPUs than what that function lowers to, and as fast elsewhere.

    Args:
        queries: Floats of shape `(B, Q, heads, head_dim)`.
        keys: Floats of shape `(B, T, heads, head_dim)`.
        values: Floats of shape `(B, T, heads, head_dim)`.
        causal: Bool, whether query i sees keys 0 to i only.
        key_mask: Bools of shape `(B, T)`, the keys that are seen, or None for
            all of them. Each row needs one.

    Returns:
        Floats of shape `(B, Q, heads * head_dim)`. The softmax is float32.
    """
    length, heads, size = queries.shape[1:]
    if key_mask is not None:
        key_mask = ops.convert_to_tensor(key_mask)[:, None, None, :]
    if keras.backend.backend() == "torch":
        mixed = ops.dot_product_attention(
            queries, keys, values, mask=key_mask, is_causal=causal
        )
        return ops.reshape(mixed, (-1, length, heads * size))
    queries = ops.transpose(queries * size**-0.5, (0, 2, 1, 3))
    keys = ops.transpose(keys, (0, 2, 3, 1))
    values = ops.transpose(values, (0, 2, 1, 3))
    scores = ops.cast(ops.matmul(queries, keys), "float32")
    if causal:
        mask = np.tril(np.ones(scores.shape[-2:], bool))
        scores = ops.where(mask, scores, -1e9)
    if key_mask is not None:
        scores = ops.where(key_mask, scores, -1e9)
    weights = ops.cast(ops.softmax(scores, axis=-1), values.dtype)
    mixed = ops.transpose(ops.matmul(weights, values), (0, 2, 1, 3))
    return ops.reshape(mixed, (-1, length, heads * size))


def split_heads(tokens: Tensor, heads: int) -> Tensor:
    """`(B, T, D)` to `(B, T, heads, D // heads)`."""
    _, length, dim = tokens.shape
    return ops.reshape(tokens, (-1, length, heads, dim // heads))


def check_heads(hidden_dim: int, num_heads: int) -> None:
    """Raises `ValueError` unless the heads share the width evenly."""
    if num_heads < 1 or hidden_dim % num_heads:
        raise ValueError(
            "`hidden_dim` must be a multiple of `num_heads`. Received: "
            f"hidden_dim={hidden_dim}, num_heads={num_heads}"
        )


def fused_dense(
    parts: int,
    hidden_dim: int,
    input_dim: int,
    use_bias: bool,
    dtype: DType | None,
    name: str,
) -> Dense:
    """A Dense layer that holds several square-ish projections side by side.

    Args:
        parts: Int, projections in one.
        hidden_dim: Int, size of each projection's result.
        input_dim: Int, size of their common input.
        use_bias: Bool.
        dtype: Dtype policy.
        name: Name of the layer.

    Returns:
        A `keras.layers.Dense` whose start is Xavier-uniform for each
        projection by itself (the fused fan-out would make it smaller).
    """
    limit = math.sqrt(6.0 / (input_dim + hidden_dim))
    return Dense(
        parts * hidden_dim,
        use_bias=use_bias,
        kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
        dtype=dtype,
        name=name,
    )


@keras.saving.register_keras_serializable(package="keras_ab")
class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention with one matrix for queries, keys, values.

    Args:
        num_heads: Int.
        use_bias: Bool, whether the projections have biases.
        causal: Bool, whether a token sees only itself and earlier ones.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        tokens: Floats of shape `(B, T, D)`; D is a multiple of `num_heads`.
        key_mask: Bools of shape `(B, T)`, the tokens that others see, or None
            for all of them.

    Returns:
        Floats of shape `(B, T, D)`.

    Example:

    >>> keras_ab.layers.SelfAttention(num_heads=2)(np.zeros((1, 5, 8))).shape
    # (1, 5, 8)
    """

    def __init__(
        self,
        num_heads: int,
        use_bias: bool = True,
        causal: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.use_bias = use_bias
        self.causal = causal

    def build(self, input_shape: Shape) -> None:
        dim = input_shape[-1]
        check_heads(dim, self.num_heads)
        policy = self.dtype_policy
        self.qkv = fused_dense(3, dim, dim, self.use_bias, policy, "qkv")
        self.output_projection = fused_dense(
            1, dim, dim, self.use_bias, policy, "output_projection"
        )
        self.qkv.build(input_shape)
        self.output_projection.build(input_shape)

    def call(self, tokens: Tensor, key_mask: Tensor | None = None) -> Tensor:
        # Split, not indexed: TensorFlow pads for an index's gradient.
        queries, keys, values = (
            split_heads(part, self.num_heads)
            for part in ops.split(self.qkv(tokens), 3, axis=-1)
        )
        mixed = attention(queries, keys, values, self.causal, key_mask)
        return self.output_projection(mixed)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "use_bias": self.use_bias,
            "causal": self.causal,
        }


@keras.saving.register_keras_serializable(package="keras_ab")
class CrossAttention(keras.layers.Layer):
    """Multi-head attention from one set of tokens to another.

    Args:
        num_heads: Int.
        use_bias: Bool, whether the projections have biases.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        queries: Floats of shape `(B, Q, D)`; D is a multiple of `num_heads`.
        context: Floats of shape `(B, T, C)`, what is attended to.

    Returns:
        Floats of shape `(B, Q, D)`.

    Example:

    >>> layer = keras_ab.layers.CrossAttention(num_heads=2)
    >>> layer(np.zeros((1, 3, 8)), np.zeros((1, 5, 12))).shape
    # (1, 3, 8)
    """

    def __init__(self, num_heads: int, use_bias: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.use_bias = use_bias

    def build(self, queries_shape: Shape, context_shape: Shape) -> None:
        dim, context_dim = queries_shape[-1], context_shape[-1]
        check_heads(dim, self.num_heads)
        policy, bias = self.dtype_policy, self.use_bias
        self.query = fused_dense(1, dim, dim, bias, policy, "query")
        self.key_value = fused_dense(
            2, dim, context_dim, bias, policy, "key_value"
        )
        self.output_projection = fused_dense(
            1, dim, dim, bias, policy, "output_projection"
        )
        self.query.build(queries_shape)
        self.key_value.build(context_shape)
        self.output_projection.build(queries_shape)

    def call(self, queries: Tensor, context: Tensor) -> Tensor:
        parts = ops.split(self.key_value(context), 2, axis=-1)
        parts = [self.query(queries), *parts]
        parts = [split_heads(part, self.num_heads) for part in parts]
        return self.output_projection(attention(*parts))

    def compute_output_shape(
        self, queries_shape: Shape, context_shape: Shape
    ) -> Shape:
        return queries_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "use_bias": self.use_bias,
        }
