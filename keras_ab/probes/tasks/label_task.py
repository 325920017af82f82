"""Tasks whose answer is one word."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_ab.probes.outcome import Outcome
from keras_ab.probes.tasks.grammar import Grammar
from keras_ab.probes.tasks.grammar import Slot
from keras_ab.probes.tasks.names import Classes
from keras_ab.probes.tasks.task import Example
from keras_ab.probes.tasks.task import Predictions
from keras_ab.probes.tasks.task import Record
from keras_ab.probes.tasks.task import Task
from keras_ab.probes.tasks.texts import most_frequent

if TYPE_CHECKING:
    from keras_ab.data.source import Source


class LabelTask(Task):
    """A task that asks for one class of each picture.

    To add one, write `value`, and `_classes` where classes have names.
    """

    single_label = True

    def value(self, record: Record) -> Any:
        """The class of a record, an int or a string."""
        raise NotImplementedError

    def _classes(self, values: list[Any], source: "Source | None") -> Classes:
        """The words of the classes that training shows."""
        return Classes(values)

    def _prepare(
        self, records: Sequence[Record], source: "Source | None"
    ) -> None:
        values = [self.value(record) for record in records]
        self.classes = self._classes(values, source)
        self._common = most_frequent(
            self.classes.word(value, record.get("id"))
            for value, record in zip(values, records)
        )

    @property
    def words(self) -> list[str]:
        return list(self.classes.words)

    @property
    def grammar(self) -> Grammar:
        return Grammar((Slot(words=tuple(self.words)),))

    def examples(
        self, record: Record, rng: np.random.Generator | None = None
    ) -> list[Example]:
        word = self.classes.word(self.value(record), record.get("id"))
        return [Example((word,))]

    def blind(self, records: Sequence[Record]) -> Predictions:
        """The most frequent class of the training set."""
        return self.from_labels([self._common] * len(records))

    def evaluate(
        self,
        predictions: Predictions,
        records: Sequence[Record],
        chance: bool = True,
    ) -> list[Outcome]:
        truth = self.labels(records)
        self.check_predictions(predictions, [1] * len(records))
        hits = [
            prediction[0].tokens == (word,)
            for prediction, word in zip(predictions, truth)
        ]
        expected = self.chance(records)["accuracy"] if chance else None
        unseen = sum(word not in self.classes.seen for word in truth)
        return [Outcome.from_hits("accuracy", hits, expected, unseen=unseen)]
