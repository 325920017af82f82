"""Names for what signatures speak of.

Tensors of three backends, of `tf.data` and of NumPy share no class that could
be named without importing them all, so `Tensor` and `Dataset` are `Any`: they
say what is meant, and docstrings say shapes and dtypes.
"""

import numbers
import os
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import Protocol
from typing import TypeGuard

import keras

Tensor = Any
"""A tensor of the backend, of TensorFlow inside tf.data, or an array."""

Tensors = dict[str, Tensor]
"""Tensors by name, such as what an objective hands to its loss."""

Dataset = Any
"""A `tf.data.Dataset`."""

Batch = dict[str, Any]
"""A nested dict of arrays, as `fit` consumes it."""

Shape = tuple[int | Any, ...]
"""Sizes of the axes, None where one is not known. It says `Any` for None, since
a layer knows which are known, and need not ask."""

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


def is_real(value: object) -> TypeGuard[float]:
    """Whether a value is a real number, of NumPy's too.

    A checker would take `isinstance(value, numbers.Real)` to rule out floats.
    """
    return isinstance(value, numbers.Real)


def is_integral(value: object) -> TypeGuard[int]:
    """Whether a value is a whole number, of NumPy's too."""
    return isinstance(value, numbers.Integral)


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
