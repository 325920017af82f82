"""The class of what is in a box."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_ab.probes.outcome import Outcome
from keras_ab.probes.tasks.boxes import box_tokens
from keras_ab.probes.tasks.boxes import things
from keras_ab.probes.tasks.boxes import usable
from keras_ab.probes.tasks.grammar import Grammar
from keras_ab.probes.tasks.grammar import Slot
from keras_ab.probes.tasks.names import Classes
from keras_ab.probes.tasks.names import names_of
from keras_ab.probes.tasks.task import Example
from keras_ab.probes.tasks.task import Prediction
from keras_ab.probes.tasks.task import Predictions
from keras_ab.probes.tasks.task import Record
from keras_ab.probes.tasks.task import Task
from keras_ab.probes.tasks.texts import most_frequent

if TYPE_CHECKING:
    from keras_ab.data.source import Source

NEIGHBOURS = 20


class BoxClassification(Task):
    """Which class of thing a box holds, in a picture that is not cropped.

    The prompt is the box, in four tokens. Each box of a picture is an
    example; boxes around crowds are none, and those without area are skipped
    and counted. Chance is what the box alone tells: the class of most of the
    20 boxes of training that are nearest in position and size.

    Args:
        name: String.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=4)
    >>> records = keras_ab.probes.tasks.read_records(scenes)
    >>> task = keras_ab.probes.tasks.BoxClassification()
    >>> task.prepare(records, scenes).examples(records[0])[0]
    # Example(answer=("car",), prompt=(500, 31, 812, 406), weights=None)
    """

    fields = frozenset(["boxes", "classes"])

    def __init__(self, name: str = "box-classification"):
        super().__init__(name)

    def _prepare(
        self, records: Sequence[Record], source: "Source | None"
    ) -> None:
        found = [things(record) for record in records]
        values = [value for _, classes in found for value in classes]
        if not values:
            raise ValueError(
                f"Task {self.name!r} needs a box. Received: {len(records)} "
                "training records without one"
            )
        self.classes = Classes(values, names_of(source, "class_names"))
        self._boxes = np.concatenate([boxes for boxes, _ in found])
        self._words = np.array([self.classes.word(v) for v in values])

    @property
    def words(self) -> list[str]:
        return list(self.classes.words)

    @property
    def grammar(self) -> Grammar:
        return Grammar((Slot(words=tuple(self.words)),))

    def examples(
        self, record: Record, rng: np.random.Generator | None = None
    ) -> list[Example]:
        boxes, classes = things(record)
        return [
            Example(
                (self.classes.word(value, record.get("id")),),
                tuple(prompt.tolist()),
            )
            for value, prompt in zip(classes, box_tokens(boxes))
        ]

    def blind(self, records: Sequence[Record]) -> Predictions:
        """The class that boxes like this one most often have."""
        return [
            [Prediction((self._nearest(box),)) for box in things(record)[0]]
            for record in records
        ]

    def _nearest(self, box):
        distances = np.square(self._boxes - box).sum(1)
        count = min(NEIGHBOURS, len(distances))
        nearest = np.argpartition(distances, count - 1)[:count]
        return most_frequent(self._words[nearest].tolist())

    def evaluate(
        self,
        predictions: Predictions,
        records: Sequence[Record],
        chance: bool = True,
    ) -> list[Outcome]:
        self.check(records)
        examples = [self.examples(record) for record in records]
        self.check_predictions(predictions, [len(e) for e in examples])
        truth = [e.answer for of_record in examples for e in of_record]
        if not truth:
            raise ValueError(
                f"Task {self.name!r} needs a box. Received: {len(records)} "
                "test records without one"
            )
        said = [p.tokens for of_record in predictions for p in of_record]
        groups = np.repeat(np.arange(len(records)), [len(e) for e in examples])
        return [
            Outcome.from_hits(
                "accuracy",
                [a == b for a, b in zip(said, truth)],
                self.chance(records)["accuracy"] if chance else None,
                groups=groups,
                unseen=sum(w not in self.classes.seen for (w,) in truth),
                skipped=sum(usable(record)[1] for record in records),
            )
        ]
