"""A count of the steps that changed nothing."""

from typing import Any

import keras
from keras import ops

from keras_ab.typing import Tensor


class SkippedSteps(keras.metrics.Metric):
    """How many steps were skipped in an epoch, and how many in a row now.

    `in_a_row` goes on over the ends of epochs. Replicas skip together, so
    each of them counts all.

    Args:
        name: Name of the metric.
        **kwargs: As in `keras.metrics.Metric`.
    """

    def __init__(self, name: str = "skipped_steps", **kwargs: Any):
        super().__init__(name=name, **kwargs)
        self.total, self.in_a_row = (
            self.add_variable(
                shape=(),
                initializer="zeros",
                # Not the sum over the replicas, which is the default.
                aggregation="mean",
                name=counter,
            )
            for counter in ("total", "in_a_row")
        )

    def update_state(self, skipped: Tensor) -> None:
        """Counts a step.

        Args:
            skipped: Scalar, 1 if the step was skipped and 0 if not.
        """
        skipped = ops.cast(skipped, self.dtype)
        self.total.assign(self.total + skipped)
        self.in_a_row.assign((self.in_a_row + skipped) * skipped)

    def result(self) -> Tensor:
        return ops.cast(self.total, self.dtype)

    def reset_state(self) -> None:
        self.total.assign(0.0)
