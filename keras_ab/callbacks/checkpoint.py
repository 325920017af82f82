"""Saving a run as it goes, and going on with it exactly."""

import json
import time
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_ab import distribution
from keras_ab.callbacks import files
from keras_ab.callbacks import random_state
from keras_ab.callbacks import remote
from keras_ab.callbacks.sigterm import Sigterm
from keras_ab.typing import PathLike

FORMAT = 1


class Checkpoint(keras.callbacks.Callback):
    """Saves a run in `fit`, and restores it exactly.

    A checkpoint holds all weights, the target network and the update counter
    (with which the schedules go); the optimizer with its slots, counters and
    accumulated gradients; the seeds of the model's layers and the random
    states of Python, NumPy and PyTorch; the metrics of an epoch that has
    begun; and the step, which is the number of batches taken. On one CPU
    device, a run that is killed at any moment, restored, and fed the batches
    from that step on has the losses and weights of a run that was not, bit
    for bit. Not saved are other callbacks' states, and layers that draw
    random numbers without a `keras.random.SeedGenerator`.

    Where several processes train together, the first one saves, and all of
    them restore from the same folder.

    Each checkpoint, `step-000001500.keras`, is a Keras model file, which
    `keras.saving.load_model` opens. It is written under another name in the
    same folder, brought to disk, and then renamed: what has a checkpoint's
    name is complete. In a list of callbacks its place is last, so that what
    the others write of a step is written before the step is saved.

    Args:
        directory: Folder of the checkpoints, which belongs to one run. It may
            be remote, such as `"gs://bucket/run"`, by TensorFlow's file
            systems (`tf.io.gfile`): a checkpoint is written on this machine,
            then sent, and fetched whole before it is checked and restored.
        every_steps: Int: saves at each multiple of this many steps. None
            leaves it to the minutes.
        every_minutes: Float: saves when this many minutes have passed since
            the last time. None leaves it to the steps.
        keep: Int, how many checkpoints stay. One is enough after a kill; the
            second is for a newest one that the disk damaged.
        save_on_sigterm: Bool. On SIGTERM, which schedulers send before they
            take a machine away, the step that runs is finished and saved,
            and `fit` ends; `stopped` is then True. A second SIGTERM does what
            it did before `fit`.
        settings: Dict for JSON, what makes the run what it is (its seed, its
            batch size). A checkpoint with other values is not restored.

    Attributes:
        step: Int, batches taken since the run's beginning: the step of the
            next batch. Under gradient accumulation these are micro-steps.
        stopped: Bool, whether SIGTERM ended the last `fit`.

    Raises:
        ValueError: If an argument is out of range.

    Example:

    >>> model.compile(keras.optimizers.AdamW(1e-3, weight_decay=0.1))
    >>> checkpoint = keras_ab.callbacks.Checkpoint("run", every_steps=500)
    >>> checkpoint.restore(model)
    >>> for rest in checkpoint.remaining(steps=4, steps_per_epoch=2):
    ...     model.fit(batches(checkpoint.step), callbacks=[checkpoint], **rest)
    """

    def __init__(
        self,
        directory: PathLike,
        every_steps: int | None = None,
        every_minutes: float | None = 10.0,
        keep: int = 2,
        save_on_sigterm: bool = True,
        settings: dict[str, Any] | None = None,
    ):
        super().__init__()
        for name, value, least in (
            ("every_steps", every_steps, 1),
            ("every_minutes", every_minutes, 0),
            ("keep", keep, 1),
        ):
            if value is not None and value < least:
                raise ValueError(
                    f"`{name}` must be at least {least}. Received: {value}"
                )
        self.directory = remote.folder(directory)
        self.every_steps = every_steps
        self.every_minutes = every_minutes
        self.keep = keep
        # As it will come back from a file.
        self.settings = json.loads(json.dumps(settings or {}))
        self.step = 0
        self.stopped = False
        self._sigterm = Sigterm() if save_on_sigterm else None
        self._saved_step: int | None = None
        self._due = False
        # Where the restored run was in its epoch, until that epoch begins.
        self._begun: dict[str, Any] | None = None

    def restore(self, model: keras.Model) -> int:
        """Restores the newest checkpoint that is intact, if there is one.

        Values go into the variables that the model has, so it has to be
        built and compiled as it was. One that is damaged is passed over with
        a warning.

        Args:
            model: A compiled `keras_ab.models.Pretrainer`, or another built
                and compiled `keras.Model`.

        Returns:
            Int, the step of the batch to go on with; 0 without a checkpoint.

        Raises:
            ValueError: If the model is not compiled; if it or `settings`
                differ from what was saved; or if all checkpoints are damaged.
        """
        if not model.built or getattr(model, "optimizer", None) is None:
            raise ValueError(
                "The model must be built and compiled before its checkpoint "
                f"is restored. Received: {model.name!r}, with built="
                f"{model.built}, compiled={model.compiled}"
            )
        found = files.find(self.directory)
        for step, path in reversed(found.items()):
            with remote.at_hand(path) as local:
                try:
                    training = files.read(local)
                except files.Damaged as fault:
                    warnings.warn(
                        f"The checkpoint {path} is damaged and passed over "
                        f"({fault}).",
                        stacklevel=2,
                    )
                    continue
                self._check(path, training)
                _load(model, local, training)
            random_state.restore(training["random"])
            self._begun = training["epoch"]
            self.step = self._saved_step = step
            return step
        if found:
            raise ValueError(
                "Every checkpoint is damaged; remove them to start anew: "
                f"{', '.join(map(str, found.values()))}"
            )
        return 0

    def remaining(
        self, steps: int, steps_per_epoch: int
    ) -> Iterator[dict[str, int]]:
        """What is left of a run, as arguments of calls of `fit`.

        A run cut off within an epoch first takes the rest of that epoch, so
        that epochs end, and their metrics are averaged, where they would
        have. There are up to three calls: this rest, the whole epochs, and a
        shorter last one where `steps` is not a multiple.

        Args:
            steps: Int, steps of the whole run.
            steps_per_epoch: Int, steps of an epoch (a multiple of the
                model's `steps_per_execution`).

        Yields:
            Dicts with `"initial_epoch"`, `"epochs"` and `"steps_per_epoch"`,
            until the run is complete or a callback stops it.
        """
        while self.step < steps and not self.stopped:
            before, left = self.step, steps - self.step
            epoch, done = divmod(before, steps_per_epoch)
            if done or left < steps_per_epoch:
                epochs, size = epoch + 1, min(steps_per_epoch - done, left)
            else:
                epochs, size = steps // steps_per_epoch, steps_per_epoch
            yield {
                "initial_epoch": epoch,
                "epochs": epochs,
                "steps_per_epoch": size,
            }
            if self.step == before:
                raise ValueError(
                    "`fit` made no step that this callback saw. It must be "
                    "called with callbacks=[checkpoint] and with data."
                )
            if self.model.stop_training:
                return

    def save(self) -> None:
        """Saves the run as it is now. Within `fit`, call it between steps."""
        if keras.backend.backend() == "jax":
            # Within fit, JAX's variables are stale until this.
            self.model.jax_state_sync()
        training = {
            "format": FORMAT,
            "step": self.step,
            "backend": keras.backend.backend(),
            "settings": self.settings,
            "seeds": _values(_seeds(self.model)),
            "epoch": self._epoch_state(),
            "random": random_state.capture(),
        }
        # Every process has the same; the folder is theirs together.
        if distribution.is_first_host():
            with distribution.alone():
                files.write(self.model, training, self.directory, self.step)
            files.prune(self.directory, self.step, self.keep)
        self._saved_step, self._saved_at = self.step, time.monotonic()
        self._due = False

    def clear(self) -> None:
        """Removes all checkpoints, to start anew."""
        for path in files.find(self.directory).values():
            path.unlink()
        self.step, self._saved_step, self._begun = 0, None, None

    # Called by fit.

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        distribution.check_whole(self.model.weights)
        found = files.find(self.directory)
        if found and self.step == 0:
            raise ValueError(
                f"{self.directory} holds checkpoints of a run up to step "
                f"{max(found)}. Call `restore(model)` before `fit` to go on "
                "with it, or `clear()` to start anew."
            )
        self.stopped = False
        self._saved_at = time.monotonic()
        if self._sigterm:
            self._sigterm.watch()

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._batch, self._in_epoch = -1, 0
        if self._begun:
            self._in_epoch = self._begun["steps"]
            _restore_metrics(self.model, self._begun["metrics"])
            self._begun = None
        steps = self.params.get("steps")
        self._epoch_size = steps and self._in_epoch + steps

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        # More than one with steps_per_execution.
        new = batch - self._batch
        before, self._batch = self.step, batch
        self.step += new
        self._in_epoch += new
        if self._sigterm and self._sigterm.seen:
            self.save()
            self.model.stop_training = True
            print(
                f"SIGTERM: saved step {self.step} in {self.directory}, "
                "stopping.",
                flush=True,
            )
            return
        self._due = self._due or self._is_due(before)
        if self._due and not self._epoch_is_complete():
            self.save()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        # The metrics are the validation's from here on.
        self._in_epoch = 0

    def on_test_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self._sigterm and self._sigterm.seen:
            self.model.stop_evaluating = True

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self._sigterm and self._sigterm.seen:
            # It may have come during validation.
            self.model.stop_training = True
        elif self._due:
            # Not at the last batch: a kill between the two would have taken
            # the epoch's validation and the other callbacks' end of it.
            self.save()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._sigterm:
            self._sigterm.unwatch()
            self.stopped = self._sigterm.seen
        if self._saved_step != self.step:
            self.save()

    def _is_due(self, before):
        steps, minutes = self.every_steps, self.every_minutes
        if steps and self.step // steps != before // steps:
            return True
        passed = time.monotonic() - self._saved_at
        return minutes is not None and passed >= 60 * minutes

    def _epoch_is_complete(self):
        return bool(self._epoch_size) and self._in_epoch >= self._epoch_size

    def _epoch_state(self):
        """Where in an epoch the run is; None between two of them."""
        if not self._in_epoch or self._epoch_is_complete():
            return None
        metrics = _values(self.model.metrics_variables)
        return {"steps": self._in_epoch, "metrics": metrics}

    def _check(self, path, training):
        if training["format"] != FORMAT:
            raise ValueError(
                f"{path} has format {training['format']}; this version of "
                f"keras_ab reads format {FORMAT}."
            )
        saved = training["settings"]
        differ = [
            f"{key} {saved[key]!r}, now {value!r}"
            for key, value in self.settings.items()
            if key in saved and saved[key] != value
        ]
        if differ:
            raise ValueError(
                f"{path} is of a run with other settings: "
                f"{'; '.join(differ)}. Start anew, or in another folder."
            )


def _load(model, path, training):
    """Puts a checkpoint's values into a model's variables."""
    with warnings.catch_warnings():
        # Keras passes over an optimizer that does not fit.
        warnings.filterwarnings("error", "Skipping variable loading")
        try:
            model.load_weights(path)
            _assign(_seeds(model), training["seeds"])
        except ValueError as fault:
            raise ValueError(
                f"{path} does not fit the model or its optimizer: {fault}"
            ) from fault


def _seeds(model):
    """The states of seed generators, which Keras' files leave out."""
    held = {id(v) for v in (*model.weights, *model.metrics_variables)}
    return [v for v in model.variables if id(v) not in held]


def _restore_metrics(model, values):
    try:
        _assign(model.metrics_variables, values)
    except ValueError as fault:
        warnings.warn(
            f"The metrics are not those of the checkpoint ({fault}); in this "
            "epoch they are averages from here on.",
            stacklevel=2,
        )


def _values(variables):
    return [keras.ops.convert_to_numpy(v).tolist() for v in variables]


def _assign(variables, values):
    """Assigns lists as `_values` gives them."""
    arrays = [np.array(value) for value in values]
    wanted = [tuple(v.shape) for v in variables]
    if [a.shape for a in arrays] != wanted:
        raise ValueError(
            f"variables of shapes {wanted} where "
            f"{[a.shape for a in arrays]} were saved"
        )
    for variable, array in zip(variables, arrays):
        variable.assign(array.astype(variable.dtype))
