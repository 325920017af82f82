"""One probe on one task."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.data import Source
from keras_ab.probes.catalogue import make_probe
from keras_ab.probes.catalogue import make_task
from keras_ab.probes.frozen_encoder import FrozenEncoder
from keras_ab.probes.outcome import Outcome
from keras_ab.probes.probe import Probe
from keras_ab.probes.sets import open_splits
from keras_ab.probes.source_features import source_features
from keras_ab.probes.tasks import Task
from keras_ab.probes.tasks import read_records
from keras_ab.probes.tasks.task import Record
from keras_ab.typing import Tensor


def classify(
    task: Task,
    probe: Probe,
    encoder: FrozenEncoder,
    train: tuple[Tensor, Sequence[Record]],
    test: tuple[Tensor, Sequence[Record]],
    groups: np.ndarray | None = None,
) -> list[Outcome]:
    """Has a probe answer a task of one label a picture.

    Args:
        task: A `Task` with `single_label` that is prepared on the training
            records.
        probe: A `Probe`.
        encoder: The encoder that the features are from.
        train: What the probe needs of the training pictures, and their
            records.
        test: Likewise of the test pictures.
        groups: Ints, which training features are of one picture, for a probe
            that `takes_views`; None where each is of its own.

    Returns:
        A list of `Outcome`s; what fitting chose is in their `extra`.
    """
    (features, records), (test_features, test_records) = train, test
    numbers = {word: number for number, word in enumerate(task.words)}
    labels = np.array([numbers[word] for word in task.labels(records)])
    # What is missing of a test record is an error before the fit.
    task.labels(test_records)
    more = {} if groups is None else {"groups": groups}
    fitted = probe.fit(features, labels, encoder, **more)
    found = [task.words[int(n)] for n in fitted.predict(test_features)]
    outcomes = task.evaluate(task.from_labels(found), test_records)
    for outcome in outcomes:
        outcome.extra.update(fitted.details)
    return outcomes


class Measurement:
    """One probe on one task, with the pictures held in memory.

    Args:
        task: A `Task` with one label a picture, or the name of one.
        probe: A `Probe`, or the name of one.
        train: A `keras_ab.data.Source`, or what `open_splits` opens.
        test: A `keras_ab.data.Source`; None for the other split.

    Raises:
        ValueError: If the task needs a probe of another kind.
    """

    def __init__(
        self,
        task: str | Task,
        probe: str | Probe,
        train: Any,
        test: Source | None = None,
    ):
        self.task, self.probe = make_task(task), make_probe(probe)
        if not self.task.single_label or not isinstance(self.probe, Probe):
            raise ValueError(
                "This takes a task of one label a picture and a probe that "
                f"learns it. Received: task {self.task.name!r} and probe "
                f"{getattr(self.probe, 'name', self.probe)!r}"
            )
        if not isinstance(train, Source):
            splits = open_splits(train)
            train, test = splits.train, test or splits.test
        if test is None:
            raise ValueError(
                "A `test` source must stand beside `train`. Received: none"
            )
        self.probe = self.probe.for_crop(self.task.crop)
        self.train, self.test = train, test
        self._size = None

    def read(self, encoder: FrozenEncoder) -> None:
        """Reads the pictures, cropped for an encoder, unless it has.

        Args:
            encoder: A `FrozenEncoder`.
        """
        if self._size == encoder.image_size:
            return
        self._held, records = [], []
        for source in (self.train, self.test):
            found = source_features(encoder, source, "images", self.task.crop)
            self._held.append(found.values)
            records.append(read_records(source, found.indices))
        self._ready = self.task.prepare(records[0], self.train)
        self._records = records
        self._size = encoder.image_size

    def run(
        self, encoder: FrozenEncoder, batch_size: int = 64
    ) -> list[Outcome]:
        """Measures an encoder as it is now.

        Args:
            encoder: A `FrozenEncoder`.
            batch_size: Int, images to a call.

        Returns:
            A list of `Outcome`s.
        """
        self.read(encoder)
        train, test = (
            (self._features(encoder, images, batch_size), records)
            for images, records in zip(self._held, self._records)
        )
        return classify(self._ready, self.probe, encoder, train, test)

    def _features(self, encoder, images, batch_size):
        if self.probe.needs == "images":
            return images
        return getattr(encoder, self.probe.needs)(images, batch_size)
