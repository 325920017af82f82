"""Learned position embeddings that fit any grid."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.typing import Shape
from keras_ab.typing import Tensor


def resize_matrix(size: int, new_size: int) -> np.ndarray:
    """Bicubic resizing along one axis, antialiased, as a matrix.

    It is `keras.ops.image.resize` with `antialias=True`: a Keys cubic kernel
    (a = -0.5), as much wider as the axis becomes shorter.

    Args:
        size: Int, length of the axis.
        new_size: Int, its length after resizing.

    Returns:
        A NumPy float32 array of shape `(new_size, size)`; rows sum to 1.
    """
    scale = size / new_size
    centres = (np.arange(new_size) + 0.5) * scale - 0.5
    x = np.abs(centres[:, None] - np.arange(size)) / max(scale, 1.0)
    near = 1.5 * x**3 - 2.5 * x**2 + 1.0
    far = -0.5 * x**3 + 2.5 * x**2 - 4.0 * x + 2.0
    weights = np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))
    return (weights / weights.sum(1, keepdims=True)).astype("float32")


@keras.saving.register_keras_serializable(package="keras_ab")
class PositionEmbedding(keras.layers.Layer):
    """Adds learned positions to tokens of a grid or a sequence.

    Args:
        grid_shape: `(rows, columns)` of the grid that the positions are
            learnt for; `(1, T)` for a sequence.
        hidden_dim: Int, size of a token.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        tokens: Floats of shape `(B, T, hidden_dim)`, in raster order.
        grid_shape: `(rows, columns)` of these tokens. Where it is not the
            layer's own, the positions are resized to it (bicubic).

    Returns:
        Floats of the same shape.

    Example:

    >>> layer = keras_ab.layers.PositionEmbedding((14, 14), hidden_dim=16)
    >>> layer(np.zeros((1, 36, 16)), grid_shape=(6, 6)).shape
    # (1, 36, 16)
    """

    def __init__(
        self, grid_shape: tuple[int, int], hidden_dim: int, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.grid_shape = tuple(grid_shape)
        self.hidden_dim = hidden_dim

    def build(self, input_shape: Shape | None = None) -> None:
        rows, columns = self.grid_shape
        self.embeddings = self.add_weight(
            shape=(rows * columns, self.hidden_dim),
            initializer=keras.initializers.RandomNormal(
                stddev=self.hidden_dim**-0.5
            ),
            name="embeddings",
        )

    def call(
        self, tokens: Tensor, grid_shape: tuple[int, int] | None = None
    ) -> Tensor:
        rows, columns = grid_shape or self.grid_shape
        if tokens.shape[1] != rows * columns:
            raise ValueError(
                f"A grid of {rows} x {columns} has {rows * columns} tokens. "
                f"Received: {tokens.shape[1]} tokens"
            )
        positions = ops.convert_to_tensor(self.embeddings)
        if grid_shape is not None and tuple(grid_shape) != self.grid_shape:
            positions = self._resized(tuple(grid_shape))
        return tokens + ops.cast(positions, tokens.dtype)

    def _resized(self, grid_shape):
        # As products: XLA on TensorFlow has no antialiased resize.
        rows, columns = map(resize_matrix, self.grid_shape, grid_shape)
        positions = ops.cast(self.embeddings, "float32")
        positions = ops.reshape(positions, (self.grid_shape[0], -1))
        positions = ops.matmul(rows, positions)
        shape = (grid_shape[0], self.grid_shape[1], self.hidden_dim)
        positions = ops.matmul(columns, ops.reshape(positions, shape))
        return ops.reshape(positions, (-1, self.hidden_dim))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "grid_shape": self.grid_shape,
            "hidden_dim": self.hidden_dim,
        }
