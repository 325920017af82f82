"""A schedule that stays where it is."""

import numbers

import keras
from keras import ops

Schedule = keras.optimizers.schedules.LearningRateSchedule


@keras.saving.register_keras_serializable(package="keras_ab")
class Constant(Schedule):
    """The same value at every update.

    Args:
        value: Float.

    Example:

    >>> keras_ab.schedules.Constant(0.004)(100)
    # 0.004
    """

    def __init__(self, value):
        self.value = float(value)

    def __call__(self, step):
        return ops.convert_to_tensor(self.value, dtype="float32")

    def get_config(self):
        return {"value": self.value}


def as_schedule(value):
    """A schedule from a number; schedules pass through.

    Args:
        value: Float, or a callable on an update count.

    Returns:
        A callable on an integer update count.
    """
    if callable(value):
        return value
    if isinstance(value, numbers.Real):
        return Constant(value)
    raise ValueError(
        "A schedule must be a number or a callable on the update count. "
        f"Received: {value!r}"
    )
