"""An end to a run whose steps all come to nothing."""

from typing import Any

from keras import ops

from keras_ab.callbacks import files
from keras_ab.callbacks import remote
from keras_ab.callbacks.checkpoint import Checkpoint
from keras_ab.callbacks.every_steps import EverySteps


class NotFinite(RuntimeError):
    """More steps in a row than allowed were not finite."""


class SkipLimit(EverySteps):
    """Stops a run in which too many steps in a row are not finite.

    Such a step changes nothing, so weights stay what they were before the
    first of them; but if every batch makes one, nothing is learnt any more.
    The log counts them as `skipped_steps`. Loss scaling begins with up to 15
    of them, until the scale is small enough.

    Args:
        limit: Positive int, steps in a row from which on the run stops.
        checkpoint: The run's `keras_ab.callbacks.Checkpoint`, whose newest
            file the message names, or None.
        every_steps: Positive int, steps from one look at the counter to the
            next; a look waits for the device.

    Raises:
        ValueError: If an argument is out of range.
        NotFinite: From `fit`, when the limit is reached.

    Example:

    >>> model.compile(keras.optimizers.AdamW(1e-3))
    >>> checkpoint = keras_ab.callbacks.Checkpoint("run")
    >>> limit = keras_ab.callbacks.SkipLimit(50, checkpoint)
    >>> model.fit(dataset, callbacks=[limit, checkpoint])
    """

    def __init__(
        self,
        limit: int = 50,
        checkpoint: Checkpoint | None = None,
        every_steps: int = 25,
    ):
        super().__init__(every_steps)
        if not limit >= 1:
            raise ValueError(f"`limit` must be at least 1. Received: {limit}")
        self.limit = limit
        self.checkpoint = checkpoint

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not hasattr(self.model, "skipped_in_a_row"):
            raise ValueError(
                "SkipLimit watches a keras_ab.models.Pretrainer. Received: "
                f"{type(self.model).__name__}"
            )

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if not self._is_due(batch):
            return
        in_a_row = self._in_a_row()
        if in_a_row >= self.limit:
            raise NotFinite(
                f"{in_a_row} steps in a row were not finite, and changed "
                f"nothing; the limit is {self.limit}. {self._last_good()} "
                "Look for bad images or a learning rate that is too large."
            )

    def _in_a_row(self):
        self._sync()
        return int(ops.convert_to_numpy(self.model.skipped_in_a_row))

    def _last_good(self):
        if self.checkpoint is None:
            return "There is no checkpoint."
        found = files.find(self.checkpoint.directory)
        for path in reversed(found.values()):
            try:
                with remote.at_hand(path) as local:
                    files.read(local)
            except files.Damaged:
                continue
            return f"The last good checkpoint is {path}."
        return "There is no checkpoint."
