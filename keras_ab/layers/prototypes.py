"""Prototypes: unit vectors by index."""

from typing import Any

import keras
from keras import ops

from keras_ab.typing import Shape
from keras_ab.typing import Tensor


def unit(x: Tensor) -> Tensor:
    """Scales vectors to unit length, in float32; zero stays zero."""
    x = ops.cast(x, "float32")
    square = ops.sum(ops.square(x), axis=-1, keepdims=True)
    return x * ops.rsqrt(ops.maximum(square, 1e-24))


@keras.saving.register_keras_serializable(package="keras_ab")
class Prototypes(keras.layers.Layer):
    """A table of learned vectors, read as vectors of unit length.

    Their directions are learnt: this is a weight-normalised matrix whose
    lengths are frozen at 1. All of it is float32 whatever the dtype policy.

    Args:
        num_prototypes: Int K, at least 2.
        dim: Int D, size of a vector.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        indices: Integers of shape `(L, 1)` in [0, K); or of shape `(K, 0)`,
            which names all prototypes in their order, and spares a copy of
            the table.
        frozen: Bool scalar, or None: whether no gradient reaches the table.

    Returns:
        Float32 of shape `(L, D)`.

    Example:

    >>> layer = keras_ab.layers.Prototypes(num_prototypes=16, dim=4)
    >>> layer(np.array([[3], [5]])).shape, layer(layer.all()).shape
    # (2, 4), (16, 4)

    Reference:
        Section 3.2 (ABDINO's ψ); Caron et al. 2021, the last layer.
    """

    def __init__(self, num_prototypes: int, dim: int, **kwargs: Any):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if not (isinstance(num_prototypes, int) and num_prototypes >= 2):
            raise ValueError(
                "`num_prototypes`, K, must be an integer of at least 2. "
                f"Received: {num_prototypes!r}"
            )
        self.num_prototypes = num_prototypes
        self.dim = dim

    def build(self, input_shape: Shape | None = None) -> None:
        # The start of a linear layer in PyTorch: with Adam, the length that a
        # row has sets how fast it turns.
        limit = self.dim**-0.5
        self.kernel = self.add_weight(
            shape=(self.num_prototypes, self.dim),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            autocast=False,
            name="kernel",
        )

    def all(self) -> Tensor:
        """The indices that name all prototypes.

        Returns:
            int32 of shape `(K, 0)`.
        """
        return ops.zeros((self.num_prototypes, 0), dtype="int32")

    def take(self, table: Tensor, indices: Tensor) -> Tensor:
        """Rows of any table that has one for each prototype.

        Args:
            table: Tensor of shape `(K, ...)`.
            indices: As in `call`.

        Returns:
            Tensor of shape `(L, ...)`.
        """
        if indices.shape[-1] == 1:
            return ops.take(table, indices[:, 0], axis=0)
        if indices.shape[0] not in (None, self.num_prototypes):
            raise ValueError(
                "Indices of all prototypes must have shape "
                f"({self.num_prototypes}, 0). Received: shape "
                f"{tuple(indices.shape)}"
            )
        return table

    def call(self, indices: Tensor, frozen: Tensor | None = None) -> Tensor:
        table = ops.convert_to_tensor(self.kernel)
        if frozen is not None:
            table = ops.where(frozen, ops.stop_gradient(table), table)
        return unit(self.take(table, indices))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_prototypes": self.num_prototypes,
            "dim": self.dim,
        }
