"""A probe of the features while a run goes on."""

from typing import Any

from keras_ab.callbacks import random_state
from keras_ab.callbacks.every_steps import EverySteps
from keras_ab.probes import FrozenEncoder
from keras_ab.probes import Outcome
from keras_ab.probes import Probe
from keras_ab.probes.measurement import Measurement
from keras_ab.probes.tasks import Task


class Evaluation(EverySteps):
    """Probes the encoder every so many steps of `fit`, and changes nothing.

    The run goes on to the same weights, to the bit, as without it: weights,
    optimizer, metrics, random states and the place in the training data stay
    as they are. The pictures are read once, when training begins, and kept in
    memory at the encoder's size.

    The figures are in the logs of the step and of the epoch, as
    `PROBE_METRIC`, such as `knn_accuracy`, so that `History`, `CSVLogger` and
    `TensorBoard` get them (they must stand after this one in the list of
    callbacks).

    Args:
        train: A `keras_ab.data.Source` that the probe learns from, or the
            name of a built-in set.
        test: A `keras_ab.data.Source` that it is tested on; None for the
            other split of a built-in set.
        task: A `keras_ab.probes.tasks.Task` with one label a picture, or the
            name of one; `"classification"` by default.
        probe: A `keras_ab.probes.Probe`, or the name of one; `"knn"` by
            default, which costs little more than the features.
        every_steps: Positive int, steps from one evaluation to the next.
        network: As in `keras_ab.probes.FrozenEncoder`.
        batch_size: Int, images to a call of the encoder.

    Attributes:
        figures: Dict of the last evaluation.
        history: Dict from steps to lists of `keras_ab.probes.Outcome`.

    Raises:
        ValueError: If an argument is out of range, or the probe needs more
            than the task has.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=40)
    >>> evaluation = keras_ab.callbacks.Evaluation(
    ...     scenes, keras_ab.data.Scenes(size=20, split="test"), every_steps=1
    ... )
    >>> model.compile(keras.optimizers.AdamW(1e-3))
    >>> history = model.fit(dataset, callbacks=[evaluation], verbose=0)
    >>> evaluation.figures
    # {"knn_accuracy": ...}
    """

    def __init__(
        self,
        train: Any,
        test: Any = None,
        task: str | Task = "classification",
        probe: str | Probe = "knn",
        every_steps: int = 1000,
        network: str | None = None,
        batch_size: int = 64,
    ):
        super().__init__(every_steps)
        self.network = network
        self.batch_size = batch_size
        self.figures: dict[str, float] = {}
        self.history: dict[int, list[Outcome]] = {}
        self._measurement = Measurement(task, probe, train, test)
        # Made when training begins, of the model that is trained.
        self._encoder: Any = None
        self._of: Any = None

    # Called by fit.

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        if self._of is not self.model:
            self._encoder = FrozenEncoder(self.model, network=self.network)
            self._of = self.model
        state = random_state.capture()
        self._measurement.read(self._encoder)
        random_state.restore(state)

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if not self._is_due(batch):
            return
        outcomes = self.evaluate()
        self.history[self.step] = outcomes
        name = self._measurement.probe.name
        self.figures = {f"{name}_{o.name}": o.value for o in outcomes}
        if logs is not None:
            logs.update(self.figures)

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if logs is not None:
            logs.update(self.figures)

    def evaluate(self) -> list[Outcome]:
        """Probes the model as it is now, within `fit`.

        Returns:
            A list of `keras_ab.probes.Outcome`.
        """
        self._sync()
        state = random_state.capture()
        try:
            return self._measurement.run(self._encoder, self.batch_size)
        finally:
            random_state.restore(state)
