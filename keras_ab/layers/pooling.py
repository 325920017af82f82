"""Tokens to one vector."""

from typing import Any

import keras
from keras import ops

from keras_ab.layers.attention import CrossAttention
from keras_ab.layers.mlp import MLP
from keras_ab.layers.norm import LayerNorm
from keras_ab.typing import Shape
from keras_ab.typing import Tensor

MODES = ("gap", "cls", "map", "last")


@keras.saving.register_keras_serializable(package="keras_ab")
class TokenPooling(keras.layers.Layer):
    """Pools tokens to one vector.

    Args:
        mode: `"gap"` averages the patch tokens, `"cls"` takes the first
            token, `"last"` the last one, `"map"` attends to all tokens with
            one learned query, followed by a residual MLP.
        num_heads: Int, heads of `"map"`.
        num_prefix_tokens: Int, class tokens at the front, which `"gap"`
            leaves out.
        layer_norm_epsilon: Float, of `"map"`.
        intermediate_dim: Int, width inside the MLP of `"map"`; None for four
            times that of a token.
        activation: As in `keras_ab.layers.MLP`, of `"map"`.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        tokens: Floats of shape `(B, T, D)`.

    Returns:
        Floats of shape `(B, D)`.

    Example:

    >>> keras_ab.layers.TokenPooling("gap")(np.zeros((2, 5, 8))).shape
    # (2, 8)
    """

    def __init__(
        self,
        mode: str = "gap",
        num_heads: int = 1,
        num_prefix_tokens: int = 0,
        layer_norm_epsilon: float = 1e-6,
        intermediate_dim: int | None = None,
        activation: str = "gelu_tanh",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if mode not in MODES:
            raise ValueError(
                f"Pooling must be one of {MODES}. Received: {mode!r}"
            )
        if mode == "cls" and not num_prefix_tokens:
            raise ValueError(
                "Pooling 'cls' needs a class token: pass `class_token=True`."
                " Received: no class token"
            )
        self.mode = mode
        self.num_heads = num_heads
        self.num_prefix_tokens = num_prefix_tokens
        self.layer_norm_epsilon = layer_norm_epsilon
        self.intermediate_dim = intermediate_dim
        self.activation = activation

    def build(self, input_shape: Shape) -> None:
        if self.mode != "map":
            return
        dim, policy = input_shape[-1], self.dtype_policy
        self.query = self.add_weight(
            shape=(1, 1, dim), initializer="glorot_uniform", name="query"
        )
        self.attention = CrossAttention(
            self.num_heads, use_bias=True, dtype=policy, name="attention"
        )
        self.norm = LayerNorm(
            epsilon=self.layer_norm_epsilon, dtype=policy, name="norm"
        )
        self.mlp = MLP(
            self.intermediate_dim or 4 * dim,
            activation=self.activation,
            dtype=policy,
            name="mlp",
        )
        shape = (None, 1, dim)
        self.attention.build(shape, input_shape)
        self.norm.build(shape)
        self.mlp.build(shape)

    def call(self, tokens: Tensor) -> Tensor:
        if self.mode == "gap":
            return ops.mean(tokens[:, self.num_prefix_tokens :], axis=1)
        if self.mode == "cls":
            return tokens[:, 0]
        if self.mode == "last":
            return tokens[:, -1]
        batch = ops.shape(tokens)[0]
        query = ops.cast(self.query, tokens.dtype)
        query = ops.broadcast_to(query, (batch, 1, tokens.shape[-1]))
        x = self.attention(query, tokens)
        return (x + self.mlp(self.norm(x)))[:, 0]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "mode": self.mode,
            "num_heads": self.num_heads,
            "num_prefix_tokens": self.num_prefix_tokens,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "intermediate_dim": self.intermediate_dim,
            "activation": self.activation,
        }
