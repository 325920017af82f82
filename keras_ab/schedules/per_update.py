"""Counting updates where Keras counts micro-steps."""

from collections.abc import Callable
from typing import Any
from typing import Self

import keras

from keras_ab.schedules.constant import Schedule
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class PerUpdate(Schedule):
    """Reads a schedule at the number of updates, not of micro-steps.

    Under gradient accumulation a Keras optimizer hands its schedule a count
    of micro-steps. `Pretrainer.compile` wraps the schedule in this class, so
    that accumulation leaves the learning rate as it was.

    Args:
        schedule: The schedule, a callable on the update count.
        micro_steps: Positive int, micro-steps to one update.

    Example:

    >>> inner = keras_ab.schedules.cosine(1.0, 0.0, 10)
    >>> keras_ab.schedules.PerUpdate(inner, micro_steps=2)(10)
    # the value of `inner` at update 5: 0.5
    """

    def __init__(self, schedule: Callable[[Any], Any], micro_steps: int):
        self.schedule, self.micro_steps = schedule, int(micro_steps)

    def __call__(self, step: Tensor) -> Tensor:
        return self.schedule(step // self.micro_steps)

    def get_config(self) -> dict[str, Any]:
        return {
            "schedule": keras.saving.serialize_keras_object(self.schedule),
            "micro_steps": self.micro_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["micro_steps"])
