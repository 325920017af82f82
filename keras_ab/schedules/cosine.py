"""Half a cosine from one value to another."""

import math
from typing import Any

import keras
from keras import ops

from keras_ab.schedules.constant import Schedule
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class Cosine(Schedule):
    """Half a cosine from `start` to `end`, then `end`.

    `end + (start - end) · ½ · (1 + cos(π · min(step, steps) / steps))`

    Args:
        start: Float, the value at update 0.
        end: Float, the value from update `steps` on.
        steps: Positive int, the length in updates.

    Example:

    >>> rate = keras_ab.schedules.Cosine(0.004, 0.0, steps=1000)
    >>> rate(500)
    # 0.002

    Reference:
        Section A.2 (τ from 0.004 to 0); Table 7 (weight decay 0.04 to 0.4).
    """

    def __init__(self, start: float, end: float, steps: int):
        if not steps >= 1:
            raise ValueError(f"`steps` must be at least 1. Received: {steps}")
        self.start, self.end, self.steps = float(start), float(end), int(steps)

    def __call__(self, step: Tensor) -> Tensor:
        step = ops.cast(step, "float32")
        progress = ops.minimum(step / self.steps, 1.0)
        half = 0.5 * (1.0 + ops.cos(math.pi * progress))
        return self.end + (self.start - self.end) * half

    def get_config(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "steps": self.steps}


def cosine(start: float, end: float, steps: int) -> Cosine:
    """Function form of `keras_ab.schedules.Cosine`.

    Args:
        start: Float, the value at update 0.
        end: Float, the value from update `steps` on.
        steps: Positive int, the length in updates.

    Returns:
        A serialisable schedule, callable on an integer update count.
    """
    return Cosine(start, end, steps)
