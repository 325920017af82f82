"""A straight line from one value to another."""

import keras
from keras import ops

from keras_ab.schedules.constant import Schedule


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

    def __init__(self, start, end, steps):
        if not steps >= 1:
            raise ValueError(f"`steps` must be at least 1. Received: {steps}")
        self.start, self.end, self.steps = float(start), float(end), int(steps)

    def __call__(self, step):
        progress = ops.minimum(ops.cast(step, "float32") / self.steps, 1.0)
        return self.start + (self.end - self.start) * progress

    def get_config(self):
        return {"start": self.start, "end": self.end, "steps": self.steps}


def linear(start, end, steps):
    """Function form of `keras_ab.schedules.Linear`.

    Args:
        start: Float, the value at update 0.
        end: Float, the value from update `steps` on.
        steps: Positive int, the length in updates.

    Returns:
        A serialisable schedule, callable on an integer update count.
    """
    return Linear(start, end, steps)
