"""A schedule that stays where it is."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_ab.typing import Rate
from keras_ab.typing import Tensor
from keras_ab.typing import is_real

Schedule: Any = keras.optimizers.schedules.LearningRateSchedule


@keras.saving.register_keras_serializable(package="keras_ab")
class Constant(Schedule):
    """The same value at every update.

    Args:
        value: Float.

    Example:

    >>> keras_ab.schedules.Constant(0.004)(100)
    # 0.004
    """

    def __init__(self, value: float):
        self.value = float(value)

    def __call__(self, step: Tensor) -> Tensor:
        return ops.convert_to_tensor(self.value, dtype="float32")

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


def as_schedule(value: Rate) -> Callable[[Any], Any]:
    """A schedule from a number; schedules pass through.

    Args:
        value: Float, or a callable on an update count.

    Returns:
        A callable on an integer update count.
    """
    if callable(value):
        return value
    if is_real(value):
        return Constant(value)
    raise ValueError(
        "A schedule must be a number or a callable on the update count. "
        f"Received: {value!r}"
    )
