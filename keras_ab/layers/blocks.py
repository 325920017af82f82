"""Transformer blocks: encoder, and decoder over actions."""

from typing import Any

import keras
from keras import ops

from keras_ab.layers.attention import CrossAttention
from keras_ab.layers.attention import SelfAttention
from keras_ab.layers.drop_path import DropPath
from keras_ab.layers.mlp import MLP
from keras_ab.layers.norm import LayerNorm
from keras_ab.typing import Shape
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class TransformerBlock(keras.layers.Layer):
    """A pre-norm block: self-attention and MLP, each with a residual.

    Args:
        num_heads: Int.
        intermediate_dim: Int, width inside the MLP.
        drop_path_rate: Float, how often a residual branch is dropped.
        causal: Bool, whether a token sees only itself and earlier ones.
        layer_norm_epsilon: Float.
        activation: As in `keras_ab.layers.MLP`.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        tokens: Floats of shape `(B, T, D)`.
        training: Bool.
        key_mask: Bools of shape `(B, T)`, the tokens that others see, or None
            for all of them.

    Returns:
        Floats of shape `(B, T, D)`.

    Example:

    >>> block = keras_ab.layers.TransformerBlock(2, intermediate_dim=32)
    >>> block(np.zeros((1, 5, 8))).shape
    # (1, 5, 8)
    """

    def __init__(
        self,
        num_heads: int,
        intermediate_dim: int,
        drop_path_rate: float = 0.0,
        causal: bool = False,
        layer_norm_epsilon: float = 1e-6,
        activation: str = "gelu_tanh",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.drop_path_rate = drop_path_rate
        self.causal = causal
        self.layer_norm_epsilon = layer_norm_epsilon
        self.activation = activation
        policy = self.dtype_policy
        self.attention_norm = LayerNorm(
            layer_norm_epsilon, dtype=policy, name="attention_norm"
        )
        self.attention = SelfAttention(
            num_heads, causal=causal, dtype=policy, name="attention"
        )
        self.mlp_norm = LayerNorm(
            layer_norm_epsilon, dtype=policy, name="mlp_norm"
        )
        self.mlp = MLP(
            intermediate_dim, activation=activation, dtype=policy, name="mlp"
        )
        self.drop_path = DropPath(
            drop_path_rate, dtype=policy, name="drop_path"
        )

    def build(self, input_shape: Shape) -> None:
        for layer in (
            self.attention_norm,
            self.attention,
            self.mlp_norm,
            self.mlp,
            self.drop_path,
        ):
            layer.build(input_shape)

    def call(
        self,
        tokens: Tensor,
        training: bool = False,
        key_mask: Tensor | None = None,
    ) -> Tensor:
        x = self.attention_norm(tokens)
        x = self.attention(x, key_mask=key_mask)
        tokens = tokens + self._drop(x, training)
        x = self.mlp(self.mlp_norm(tokens), training=training)
        return tokens + self._drop(x, training)

    def _drop(self, x, training):
        if not self.drop_path_rate:
            return x
        return self.drop_path(x, training=training)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "drop_path_rate": self.drop_path_rate,
            "causal": self.causal,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "activation": self.activation,
        }


@keras.saving.register_keras_serializable(package="keras_ab")
class DecoderBlock(keras.layers.Layer):
    """A pre-norm block over the tokens of many actions at once.

    The tokens of one action attend to each other and to the view; actions do
    not see each other. The view's keys and values are computed once for all
    of its actions.

    Args:
        num_heads: Int.
        intermediate_dim: Int, width inside the MLP.
        layer_norm_epsilon: Float.
        causal: Bool, whether a token sees only itself and earlier ones of its
            action.
        use_bias: Bool, whether the projections of attention have biases.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        tokens: Floats of shape `(B, A, K, D)`: K tokens for each of A actions.
        context: Floats of shape `(B, T, C)`: the tokens of the view.

    Returns:
        Floats of shape `(B, A, K, D)`.

    Example:

    >>> block = keras_ab.layers.DecoderBlock(2, intermediate_dim=32)
    >>> block(np.zeros((1, 3, 4, 8)), np.zeros((1, 9, 12))).shape
    # (1, 3, 4, 8)

    Reference:
        Section A.2, "Model".
    """

    def __init__(
        self,
        num_heads: int,
        intermediate_dim: int,
        layer_norm_epsilon: float = 1e-6,
        causal: bool = False,
        use_bias: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.layer_norm_epsilon = layer_norm_epsilon
        self.causal, self.use_bias = causal, use_bias
        policy, epsilon = self.dtype_policy, layer_norm_epsilon
        self.self_norm = LayerNorm(epsilon, dtype=policy, name="self_norm")
        self.self_attention = SelfAttention(
            num_heads, use_bias, causal, dtype=policy, name="self_attention"
        )
        self.cross_norm = LayerNorm(epsilon, dtype=policy, name="cross_norm")
        self.cross_attention = CrossAttention(
            num_heads, use_bias, dtype=policy, name="cross_attention"
        )
        self.mlp_norm = LayerNorm(epsilon, dtype=policy, name="mlp_norm")
        self.mlp = MLP(intermediate_dim, dtype=policy, name="mlp")

    def build(self, tokens_shape: Shape, context_shape: Shape) -> None:
        flat_shape = (None, None, tokens_shape[-1])
        self.self_norm.build(flat_shape)
        self.self_attention.build(flat_shape)
        self.cross_norm.build(flat_shape)
        self.cross_attention.build(flat_shape, context_shape)
        self.mlp_norm.build(flat_shape)
        self.mlp.build(flat_shape)

    def call(self, tokens: Tensor, context: Tensor) -> Tensor:
        _, actions, length, dim = tokens.shape
        # Each action is a sequence of its own for self-attention ...
        x = ops.reshape(tokens, (-1, length, dim))
        x = x + self.self_attention(self.self_norm(x))
        # ... and a stretch of its view's queries for cross-attention.
        x = ops.reshape(x, (-1, actions * length, dim))
        x = x + self.cross_attention(self.cross_norm(x), context)
        x = x + self.mlp(self.mlp_norm(x))
        return ops.reshape(x, (-1, actions, length, dim))

    def compute_output_shape(
        self, tokens_shape: Shape, context_shape: Shape
    ) -> Shape:
        return tokens_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "causal": self.causal,
            "use_bias": self.use_bias,
        }
