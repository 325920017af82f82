"""The head of self-distillation: a bottleneck, and cosines to prototypes."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_ab.layers.dense import Dense
from keras_ab.layers.prototypes import Prototypes
from keras_ab.layers.prototypes import unit
from keras_ab.typing import Shape
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class DINOHead(keras.layers.Layer):
    """An MLP to a unit vector, and its cosines to prototypes.

    Hidden layers have GELUs (exact ones) and no normalisation. The cosines
    are those of a linear layer without bias, weight-normalised, whose gains
    are frozen at 1. Lengths and cosines are float32 whatever the policy.

    Args:
        num_prototypes: Int K, at least 2.
        hidden_dims: Sizes of the hidden layers.
        bottleneck_dim: Int, size of the unit vector.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        features: Floats of shape `(..., D)`.
        indices: The prototypes to compare with, as in
            `keras_ab.layers.Prototypes`; None for all.
        frozen: Bool scalar, or None: whether no gradient reaches the
            prototypes.

    Returns:
        Float32 of shape `(..., L)`, in [-1, 1].

    Example:

    >>> head = keras_ab.layers.DINOHead(16, hidden_dims=(8,), bottleneck_dim=4)
    >>> head(np.ones((2, 8))).shape
    # (2, 16)

    Reference:
        Caron et al. 2021, "Network architecture" and its code.
    """

    def __init__(
        self,
        num_prototypes: int = 65536,
        hidden_dims: Sequence[int] = (2048, 2048),
        bottleneck_dim: int = 256,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_prototypes = num_prototypes
        self.hidden_dims = tuple(hidden_dims)
        self.bottleneck_dim = bottleneck_dim
        self.dense_layers = [
            Dense(
                units,
                # The published one is truncated at 100 times this spread.
                kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
                dtype=self.dtype_policy,
                name=name,
            )
            for units, name in (
                *((n, f"hidden_{i}") for i, n in enumerate(self.hidden_dims)),
                (bottleneck_dim, "bottleneck"),
            )
        ]
        self.prototypes = Prototypes(
            num_prototypes, bottleneck_dim, name="prototypes"
        )

    def build(self, input_shape: Shape) -> None:
        shape = tuple(input_shape)
        for layer in self.dense_layers:
            layer.build(shape)
            shape = (*shape[:-1], layer.units)
        self.prototypes.build()

    def embed(self, features: Tensor) -> Tensor:
        """The unit vector of the bottleneck.

        Args:
            features: Floats of shape `(..., D)`.

        Returns:
            Float32 of shape `(..., bottleneck_dim)`.
        """
        *hidden, bottleneck = self.dense_layers
        x = features
        for layer in hidden:
            x = ops.gelu(layer(x), approximate=False)
        return unit(bottleneck(x))

    def call(
        self,
        features: Tensor,
        indices: Tensor | None = None,
        frozen: Tensor | None = None,
    ) -> Tensor:
        if indices is None:
            indices = self.prototypes.all()
        table = self.prototypes(indices, frozen=frozen)
        return ops.matmul(self.embed(features), ops.transpose(table))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.num_prototypes)

    def compute_output_spec(
        self,
        features: Tensor,
        indices: Tensor | None = None,
        frozen: Tensor | None = None,
    ) -> keras.KerasTensor:
        length = self.num_prototypes if indices is None else indices.shape[0]
        shape = (*features.shape[:-1], length)
        return keras.KerasTensor(shape, dtype="float32")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_prototypes": self.num_prototypes,
            "hidden_dims": self.hidden_dims,
            "bottleneck_dim": self.bottleneck_dim,
        }
