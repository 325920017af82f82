"""A straight line from one value to another."""

from typing import Any

import keras
from keras import ops

from keras_ab.schedules.constant import Schedule
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class Linear(Schedule):
    """A straight line from `start` to `end`, then `end`.

    Args:
        start: Float, the value at update 0.
        end: Float, the value from update `steps` on.
        steps: Positive int, the length in updates.

    Example:

    >>> rate = keras_ab.schedules.Linear(0.004, 0.0, steps=1000)
    >>> rate(500)
    # 0.002

    Reference:
        Assran et al. 2023, code: the momentum goes from 0.996 to 1.
    """

    def __init__(self, start: float, end: float, steps: int):
        if not steps >= 1:
            raise ValueError(f"`steps` must be at least 1. Received: {steps}")
        self.start, self.end, self.steps = float(start), float(end), int(steps)

    def __call__(self, step: Tensor) -> Tensor:
        progress = ops.minimum(ops.cast(step, "float32") / self.steps, 1.0)
        return self.start + (self.end - self.start) * progress

    def get_config(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "steps": self.steps}


def linear(start: float, end: float, steps: int) -> Linear:
    """Function form of `keras_ab.schedules.Linear`.

    Args:
        start: Float, the value at update 0.
        end: Float, the value from update `steps` on.
        steps: Positive int, the length in updates.

    Returns:
        A serialisable schedule, callable on an integer update count.
    """
    return Linear(start, end, steps)
