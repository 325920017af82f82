"""The feed-forward half of a transformer block."""

from typing import Any

import keras
from keras import ops

from keras_ab.layers.dense import Dense
from keras_ab.typing import Shape
from keras_ab.typing import Tensor


def _gelu_tanh(x):
    return ops.gelu(x, approximate=True)


def _gelu(x):
    return ops.gelu(x, approximate=False)


def _quick_gelu(x):
    return x * ops.sigmoid(1.702 * x)


ACTIVATIONS = {
    "gelu_tanh": _gelu_tanh,
    "gelu": _gelu,
    "quick_gelu": _quick_gelu,
}


@keras.saving.register_keras_serializable(package="keras_ab")
class MLP(keras.layers.Layer):
    """Two dense layers with a GELU between them.

    Args:
        intermediate_dim: Int, width in the middle.
        dropout: Float, dropout rate in the middle.
        activation: `"gelu_tanh"`, the approximation by a tanh as in
            big_vision; `"gelu"`, the exact one as in timm; or `"quick_gelu"`,
            the approximation by a sigmoid as in OpenAI's CLIP.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        tokens: Floats of shape `(..., D)`.
        training: Bool.

    Returns:
        Floats of shape `(..., D)`.

    Example:

    >>> keras_ab.layers.MLP(intermediate_dim=32)(np.zeros((1, 5, 8))).shape
    # (1, 5, 8)
    """

    def __init__(
        self,
        intermediate_dim: int,
        dropout: float = 0.0,
        activation: str = "gelu_tanh",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"`activation` must be one of {list(ACTIVATIONS)}. Received: "
                f"{activation!r}"
            )
        self.activation = activation
        self.intermediate_dim = intermediate_dim
        self.dropout = dropout
        self.dropout_layer = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="dropout"
        )

    def build(self, input_shape: Shape) -> None:
        def dense(units, name):
            return Dense(
                units,
                bias_initializer=keras.initializers.RandomNormal(stddev=1e-6),
                dtype=self.dtype_policy,
                name=name,
            )

        self.expand = dense(self.intermediate_dim, "expand")
        self.contract = dense(input_shape[-1], "contract")
        self.expand.build(input_shape)
        inner_shape = (*input_shape[:-1], self.intermediate_dim)
        self.dropout_layer.build(inner_shape)
        self.contract.build(inner_shape)

    def call(self, tokens: Tensor, training: bool = False) -> Tensor:
        x = ACTIVATIONS[self.activation](self.expand(tokens))
        if self.dropout:
            x = self.dropout_layer(x, training=training)
        return self.contract(x)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "intermediate_dim": self.intermediate_dim,
            "dropout": self.dropout,
            "activation": self.activation,
        }
