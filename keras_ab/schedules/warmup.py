"""Linear warm-up, then half a cosine: the learning rate of every method."""

from typing import Any

import keras
from keras import ops

from keras_ab.schedules.constant import Schedule
from keras_ab.schedules.cosine import Cosine
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class LinearWarmupCosine(Schedule):
    """A straight line up to `peak`, then half a cosine down to `end`.

    Args:
        peak: Float, the value at update `warmup_steps`.
        steps: Positive int, the length of training in updates, warm-up
            included.
        warmup_steps: Int in [0, steps), the length of the line.
        start: Float, the value at update 0.
        end: Float, the value from update `steps` on.

    Example:

    >>> rate = keras_ab.schedules.LinearWarmupCosine(1e-3, 1000, 100)
    >>> rate(50), rate(100), rate(1000)
    # 5e-4, 1e-3, 0.0

    Reference:
        Section 4 (cosine decay) and Table 7 (warm-up).
    """

    def __init__(
        self,
        peak: float,
        steps: int,
        warmup_steps: int,
        start: float = 0.0,
        end: float = 0.0,
    ):
        if not 0 <= warmup_steps < steps:
            raise ValueError(
                "`warmup_steps` must lie in [0, steps). Received: "
                f"warmup_steps={warmup_steps}, steps={steps}"
            )
        self.peak, self.start, self.end = float(peak), float(start), float(end)
        self.steps, self.warmup_steps = int(steps), int(warmup_steps)
        self._decay = Cosine(peak, end, steps - warmup_steps)

    def __call__(self, step: Tensor) -> Tensor:
        step = ops.cast(step, "float32")
        rise = ops.minimum(step / max(self.warmup_steps, 1), 1.0)
        line = self.start + (self.peak - self.start) * rise
        decay = self._decay(ops.maximum(step - self.warmup_steps, 0.0))
        return ops.where(step < self.warmup_steps, line, decay)

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "steps": self.steps,
            "warmup_steps": self.warmup_steps,
            "start": self.start,
            "end": self.end,
        }


def linear_warmup_cosine(
    peak: float,
    steps: int,
    warmup_steps: int,
    start: float = 0.0,
    end: float = 0.0,
) -> LinearWarmupCosine:
    """Function form of `keras_ab.schedules.LinearWarmupCosine`.

    Args:
        peak: Float, the value at update `warmup_steps`.
        steps: Positive int, the length of training in updates.
        warmup_steps: Int in [0, steps), the length of the line.
        start: Float, the value at update 0.
        end: Float, the value from update `steps` on.

    Returns:
        A serialisable schedule, callable on an integer update count.
    """
    return LinearWarmupCosine(peak, steps, warmup_steps, start, end)
