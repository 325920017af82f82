"""Names for what signatures speak of.

Tensors of three backends, of `tf.data` and of NumPy share no class that could
be named without importing them all, so `Tensor` and `Dataset` are `Any`: they
say what is meant, and docstrings say shapes and dtypes.
"""

import os
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import Protocol

import keras

Tensor = Any
"""A tensor of the backend, of TensorFlow inside tf.data, or an array."""

Tensors = dict[str, Tensor]
"""Tensors by name, such as what an objective hands to its loss."""

Dataset = Any
"""A `tf.data.Dataset`."""

Batch = dict[str, Any]
"""A nested dict of arrays, as `fit` consumes it."""

Shape = tuple[int | None, ...]
"""Sizes of the axes, None where one is not known."""

DType = str | keras.DTypePolicy
"""A dtype or a dtype policy."""

Rate = float | Callable[[Any], Any]
"""A number, or a schedule: a callable on the update count."""

Size = int | Sequence[int]
"""A side, or `(height, width)`."""

Box = tuple[float, float, float, float]
"""`(ymin, xmin, ymax, xmax)`."""

ImageFunction = Callable[[Tensor, Tensor], Tensor]
"""An augmentation, from `(image, seed)` to an image."""

PathLike = str | os.PathLike[str]
"""A path, or what has one."""


class Network(Protocol):
    """What objectives use of a `keras_ab.models.Network`."""

    encoder: Any
    updates: Tensor

    def encode(
        self, images: Tensor, training: bool = False, **kwargs: Any
    ) -> Tensor:
        """The encoder's tokens."""

    def run(
        self,
        layer: Any,
        inputs: Tensor,
        training: bool = False,
        **rows: Tensor,
    ) -> Tensor:
        """What a layer makes of rows, which it takes in passes if told to."""

    def objective(self, name: str) -> Any:
        """The objective of a name."""

    def bootstraps(self, name: str) -> bool:
        """Whether a value objective bootstraps on the reward of a name."""

    def targets(self, batch: Batch) -> dict[str, Tensors]:
        """What objectives compute of targets, by their names."""
