"""Something to do every so many steps of a run."""

from typing import Any

import keras
from keras import ops

from keras_ab import optimizers
from keras_ab.models import Pretrainer


class EverySteps(keras.callbacks.Callback):
    """A callback that acts every so many steps of a run.

    Steps are counted as the batches of the whole run, so that a run that goes
    on acts at the same steps.

    Args:
        every_steps: Positive int.

    Attributes:
        step: Int, batches taken since the run's beginning.

    Raises:
        ValueError: If `every_steps` is not positive; and from `fit`, if another
            model than a `keras_ab.models.Pretrainer` is trained.
    """

    def __init__(self, every_steps: int):
        super().__init__()
        if not every_steps >= 1:
            raise ValueError(
                f"`every_steps` must be at least 1. Received: {every_steps}"
            )
        self.every_steps = every_steps
        self.step = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not isinstance(self.model, Pretrainer):
            raise ValueError(
                f"{type(self).__name__} watches a keras_ab.models.Pretrainer. "
                f"Received: {type(self.model).__name__}"
            )
        updates = int(ops.convert_to_numpy(self.model.updates))
        self.step = updates * optimizers.micro_steps(self.model.optimizer)

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._batch = -1

    def _is_due(self, batch):
        """Whether to act at the end of a batch, which is counted."""
        # More than one step with steps_per_execution.
        before, new = self.step, batch - self._batch
        self.step, self._batch = before + new, batch
        return self.step // self.every_steps != before // self.every_steps

    def _sync(self):
        """Brings the weights up to date: within fit, JAX's are stale."""
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
