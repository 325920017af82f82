"""Tokens that say nothing of what they stand for."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.typing import Shape
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class ConstantTokens(keras.layers.Layer):
    """The same few learnt tokens for every action.

    They start as large as `BinTokens` does, for the sake of comparison.

    Args:
        num_tokens: Int, K, tokens to an action.
        hidden_dim: Int, size of a token.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        actions: Floats of shape `(..., A)`; only the shape is read.

    Returns:
        Floats of shape `(..., K, hidden_dim)`.

    Example:

    >>> layer = keras_ab.layers.ConstantTokens(num_tokens=4, hidden_dim=8)
    >>> layer(np.zeros((2, 3, 4))).shape
    # (2, 3, 4, 8)

    Reference:
        Table 5: action tokens replaced by mask tokens.
    """

    def __init__(
        self, num_tokens: int = 4, hidden_dim: int = 384, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.num_tokens = num_tokens
        self.hidden_dim = hidden_dim

    def build(self, input_shape: Shape | None = None) -> None:
        self.tokens = self.add_weight(
            shape=(self.num_tokens, self.hidden_dim),
            initializer=keras.initializers.RandomNormal(stddev=0.85),
            name="tokens",
        )

    def call(self, actions: Tensor) -> Tensor:
        tokens = ops.cast(self.tokens, self.compute_dtype)
        shape = (*ops.shape(actions)[:-1], self.num_tokens, self.hidden_dim)
        return ops.broadcast_to(tokens, shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.num_tokens, self.hidden_dim)

    def compute_output_spec(self, actions: Tensor) -> keras.KerasTensor:
        shape = self.compute_output_shape(np.shape(actions))
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_tokens": self.num_tokens,
            "hidden_dim": self.hidden_dim,
        }
