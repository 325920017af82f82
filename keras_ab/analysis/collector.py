"""A callback that looks at a model every so many steps."""

import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_ab.analysis.collected import Collected
from keras_ab.callbacks import random_state
from keras_ab.callbacks.every_steps import EverySteps
from keras_ab.models import Pretrainer
from keras_ab.typing import PathLike

Measure = Callable[[Pretrainer], dict[str, Any]]
"""From a model to numbers and arrays by name."""

SHORT = 16
"""Numbers of a vector that logs take one by one."""


class Collector(EverySteps):
    """Measures the model at the start and every so many steps of `fit`.

    A measure is any function of the model, such as those of
    `keras_ab.analysis` with their other arguments filled in. What it gives is
    kept. Numbers are also in the logs of the step and of the epoch, as
    `MEASURE_KEY`, and those of short vectors as `MEASURE_KEY_0` and so on, so
    that `History`, `CSVLogger` and `TensorBoard` get them (they must stand
    after this one in the list of callbacks; the look at the start is of no
    step, and in no log). Weights,
    optimizer, random states and data stay as they are.

    Args:
        measures: Dict from names to callables `model -> dict`.
        every_steps: Positive int, steps from one look to the next.
        path: Path of an `.npz` file that holds what was collected after each
            look, or None. A run that goes on adds to it; a new one begins it
            anew.

    Attributes:
        collected: The `keras_ab.analysis.Collected`.

    Raises:
        ValueError: If an argument is out of range, or another model than a
            `Pretrainer` is trained.

    Example:

    >>> import functools
    >>> watch = functools.partial(
    ...     keras_ab.analysis.predictions, image=image, annotations=["w1"]
    ... )
    >>> collector = keras_ab.analysis.Collector({"cup": watch}, every_steps=1)
    >>> model.compile(keras.optimizers.AdamW(1e-3))
    >>> history = model.fit(dataset, callbacks=[collector], verbose=0)
    >>> collector.collected["cup/value"].shape
    # (2, 1): two looks, one annotation

    Reference:
        Section 5.4, Figures 4, 7, 8 and 9: learning dynamics.
    """

    def __init__(
        self,
        measures: dict[str, Measure],
        every_steps: int = 100,
        path: PathLike | None = None,
    ):
        super().__init__(every_steps)
        wrong = [
            name
            for name, measure in measures.items()
            if "/" in name or not callable(measure)
        ]
        if wrong or not measures:
            raise ValueError(
                "`measures` must be a dict from names without '/' to "
                f"callables on a model. Received: {wrong or measures!r}"
            )
        self.measures = dict(measures)
        self.path = None if path is None else pathlib.Path(path)
        self.collected = Collected.nothing()
        self._numbers: dict[str, Any] = {}

    # Called by fit.

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        if self.step == 0:
            # A new run: what is left of another one is not its own.
            self.collected = Collected.nothing()
            self._look()
            return
        if not len(self.collected.steps) and self.path and self.path.exists():
            self.collected = Collected.load(self.path)
        self.collected = self.collected.until(self.step)

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if not self._is_due(batch):
            return
        self._look()
        if logs is not None:
            logs.update(self._numbers)

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if logs is not None:
            logs.update(self._numbers)

    def _look(self):
        if self.step:
            self._sync()
        state = random_state.capture()
        try:
            row = measure_all(self.model, self.measures)
        finally:
            random_state.restore(state)
        self.collected = self.collected.with_row(self.step, row)
        self._numbers = numbers(row)
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            aside = self.path.with_name(f"{self.path.name}.unfinished")
            self.collected.save(aside)
            os.replace(aside, self.path)


def numbers(row: dict[str, Any]) -> dict[str, float]:
    """What of a look fits into logs.

    Args:
        row: Dict from `"MEASURE/KEY"` to numbers and arrays.

    Returns:
        Dict of floats: numbers as `MEASURE_KEY`, vectors of at most `SHORT` as
        `MEASURE_KEY_0` and so on.
    """
    found = {}
    for key, value in row.items():
        name = key.replace("/", "_")
        if np.ndim(value) == 0:
            found[name] = float(value)
        elif np.ndim(value) == 1 and len(value) <= SHORT:
            found.update((f"{name}_{i}", float(v)) for i, v in enumerate(value))
    return found


def measure_all(
    model: Pretrainer, measures: dict[str, Measure]
) -> dict[str, Any]:
    """Everything that measures say of a model as it is.

    Args:
        model: A `keras_ab.models.Pretrainer`.
        measures: Dict from names to callables `model -> dict`.

    Returns:
        Dict from `"MEASURE/KEY"` to numbers and arrays.
    """
    return {
        f"{name}/{key}": np.asarray(value)
        for name, measure in measures.items()
        for key, value in measure(model).items()
    }
