"""Given vectors, looked up by index and projected."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.layers.heads import ProjectionHead
from keras_ab.typing import Shape
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class TableHead(keras.layers.Layer):
    """Looks up rows of a fixed table, and projects them.

    The table is a weight that is not trained: it is saved with the weights,
    and the config holds its shape alone.

    Args:
        table: Floats of shape `(L, D)`; or that shape, for a table of zeros
            that waits for its weights.
        projection_dim: Int, size of the result.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        indices: Ints of any shape, in [0, L).

    Returns:
        Floats of the indices' shape and `projection_dim`.

    Example:

    >>> head = keras_ab.layers.TableHead(np.eye(5), projection_dim=3)
    >>> head(np.array([0, 4])).shape
    # (2, 3)
    """

    def __init__(
        self, table: Tensor | Sequence[int], projection_dim: int, **kwargs: Any
    ):
        super().__init__(**{**kwargs, "autocast": False})
        self.values = as_table(table)
        self.projection_dim = projection_dim
        self.projection = ProjectionHead(
            projection_dim, dtype=self.dtype_policy, name="projection"
        )

    def build(self, input_shape: Shape | None = None) -> None:
        self.table = self.add_weight(
            shape=self.values.shape,
            initializer=lambda shape, dtype: ops.convert_to_tensor(
                self.values, dtype
            ),
            trainable=False,
            name="table",
        )
        self.projection.build((None, self.values.shape[1]))

    def call(self, indices: Tensor) -> Tensor:
        table = ops.cast(self.table, self.compute_dtype)
        return self.projection(ops.take(table, indices, axis=0))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.projection_dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "table": list(self.values.shape),
            "projection_dim": self.projection_dim,
        }


def as_table(table: Tensor | Sequence[int]) -> np.ndarray:
    """A table of finite float32 `(L, D)`, from itself or from its shape."""
    if np.ndim(table) == 1 and len(table) == 2:
        return np.zeros([int(size) for size in table], "float32")
    values = np.asarray(ops.convert_to_numpy(table), "float32")
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ValueError(
            "A table must hold finite floats of shape (L, D). Received: "
            f"shape {values.shape}"
            + ("" if np.isfinite(values).all() else " with NaN or inf")
        )
    return values
