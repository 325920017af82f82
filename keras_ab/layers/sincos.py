"""Fixed positions made of sines and cosines, as in MAE and I-JEPA."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.typing import Shape
from keras_ab.typing import Tensor


def sincos_table(
    grid_shape: Sequence[int],
    hidden_dim: int,
    resolution: Sequence[int] | None = None,
) -> np.ndarray:
    """Sines and cosines of a grid's two coordinates.

    The first half of the channels holds the *column* of a patch and the
    second half its *row*: the published code says it the other way round in
    its names, but its `meshgrid` puts the width first. Either half is sines,
    then cosines, of the coordinate times `10000^(-i / (hidden_dim / 4))`.

    Args:
        grid_shape: `(rows, columns)` of the patches.
        hidden_dim: Int, a multiple of 4.
        resolution: `(rows, columns)` of the grid that coordinates are counted
            in, by default `grid_shape`. Patch centres of another grid fall
            between its patches.

    Returns:
        Float32 array `(rows * columns, hidden_dim)`, in raster order.

    Raises:
        ValueError: If `hidden_dim` is no multiple of 4.

    Reference:
        He et al. 2022, appendix A; Assran et al. 2023; `pos_embed.py` of
        MAE's code.
    """
    if hidden_dim % 4:
        raise ValueError(
            "Sine-cosine positions need a `hidden_dim` that is a multiple of "
            f"4. Received: {hidden_dim}"
        )
    frequencies = 10000.0 ** -(np.arange(hidden_dim // 4) / (hidden_dim // 4))
    waves = []
    for size, counted in zip(grid_shape, resolution or grid_shape):
        places = (np.arange(size) + 0.5) * counted / size - 0.5
        angles = np.outer(places, frequencies)
        waves.append(np.concatenate([np.sin(angles), np.cos(angles)], axis=1))
    of_rows, of_columns = waves
    rows, columns = grid_shape
    table = np.concatenate(
        [np.tile(of_columns, (rows, 1)), np.repeat(of_rows, columns, axis=0)],
        axis=1,
    )
    return table.astype("float32")


@keras.saving.register_keras_serializable(package="keras_ab")
class SinCosPositions(keras.layers.Layer):
    """Adds fixed sine-cosine positions to the tokens of a grid.

    Positions are computed, not stored: there is no weight.

    Args:
        grid_shape: `(rows, columns)` of the grid that coordinates are counted
            in.
        hidden_dim: Int, size of a token, a multiple of 4.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        tokens: Floats of shape `(B, T, hidden_dim)`, in raster order.
        grid_shape: `(rows, columns)` of these tokens. Where it is not the
            layer's own, its patches lie between the layer's.

    Returns:
        Floats of the same shape.

    Example:

    >>> layer = keras_ab.layers.SinCosPositions((14, 14), hidden_dim=16)
    >>> layer(np.zeros((1, 196, 16)))[0, 0, :8]
    # 0, 0, 0, 0, 1, 1, 1, 1: column 0

    Reference:
        He et al. 2022, appendix A.
    """

    def __init__(
        self, grid_shape: Sequence[int], hidden_dim: int, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.grid_shape = tuple(grid_shape)
        self.hidden_dim = hidden_dim
        self._table = sincos_table(self.grid_shape, hidden_dim)

    def call(
        self, tokens: Tensor, grid_shape: tuple[int, int] | None = None
    ) -> Tensor:
        table = self._table
        if grid_shape is not None and tuple(grid_shape) != self.grid_shape:
            table = sincos_table(grid_shape, self.hidden_dim, self.grid_shape)
        if tokens.shape[1] != len(table):
            rows, columns = grid_shape or self.grid_shape
            raise ValueError(
                f"A grid of {rows} x {columns} has {rows * columns} tokens. "
                f"Received: {tokens.shape[1]} tokens"
            )
        return tokens + ops.cast(table, tokens.dtype)

    def at(self, ids: Tensor) -> Tensor:
        """The positions of some patches.

        Args:
            ids: Ints of any shape, ids of patches in raster order.

        Returns:
            Float32 of shape `(*ids.shape, hidden_dim)`.
        """
        table = ops.convert_to_tensor(self._table)
        return ops.take(table, ids, axis=0)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "grid_shape": self.grid_shape,
            "hidden_dim": self.hidden_dim,
        }
