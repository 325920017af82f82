"""Detection as a sequence of tokens."""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_ab.probes.outcome import Outcome
from keras_ab.probes.tasks.average_precision import Boxes
from keras_ab.probes.tasks.average_precision import CocoEvaluation
from keras_ab.probes.tasks.boxes import box_tokens
from keras_ab.probes.tasks.boxes import check_boxes
from keras_ab.probes.tasks.boxes import things
from keras_ab.probes.tasks.boxes import token_boxes
from keras_ab.probes.tasks.boxes import usable
from keras_ab.probes.tasks.grammar import BOX
from keras_ab.probes.tasks.grammar import Grammar
from keras_ab.probes.tasks.grammar import Slot
from keras_ab.probes.tasks.names import Classes
from keras_ab.probes.tasks.names import names_of
from keras_ab.probes.tasks.noise_boxes import NOISE
from keras_ab.probes.tasks.noise_boxes import noise_boxes
from keras_ab.probes.tasks.task import Example
from keras_ab.probes.tasks.task import Prediction
from keras_ab.probes.tasks.task import Predictions
from keras_ab.probes.tasks.task import Record
from keras_ab.probes.tasks.task import Task

if TYPE_CHECKING:
    from keras_ab.data.source import Source

END_WEIGHT = 0.1
SPARE = 4
"""Objects that answers have room for beyond the most of a training picture."""

BOOTSTRAPPED = {"AP": None, "AP50": 0.5, "AP75": 0.75}
"""Outcomes that get an interval, with the overlap that they ask for."""


class Detection(Task):
    """All things of a picture: their boxes and classes, one after another.

    An answer is `ymin, xmin, ymax, xmax, class` for each thing, in an order
    that is drawn anew at each look in training. Training answers are filled up
    with boxes that hold nothing, whose class is `"noise"` and whose
    coordinates do not count; what comes after the things that are there thus
    gets little score. Answers are of a fixed number of things, and the score
    of each is the probability of its class.

    The first outcome is `"AP"`, the mean over overlaps from 0.5 to 0.95; then
    follow the other eleven of `average_precision.SUMMARY`. Things in crowds
    count as COCO counts them. Small things are those of less than 32² pixels
    and large ones of more than 96² in the picture's own size, by the areas of
    their boxes. Chance is what the things of another picture, drawn from
    training, get.

    Args:
        most: Int, the most things that an answer has; it has fewer where no
            training picture has so many.
        name: String.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=4)
    >>> records = keras_ab.probes.tasks.read_records(scenes, size=True)
    >>> task = keras_ab.probes.tasks.Detection().prepare(records, scenes)
    >>> task.examples(records[0])[0].answer[:5]
    # (500, 31, 812, 406, "car")

    Reference:
        pix2seq (Chen et al. 2022).
    """

    fields = frozenset(["boxes", "classes"])
    needs_size = True

    def __init__(self, most: int = 100, name: str = "detection"):
        super().__init__(name)
        if most < 1:
            raise ValueError(f"`most` must be positive. Received: {most}")
        self.most = most

    def _prepare(
        self, records: Sequence[Record], source: "Source | None"
    ) -> None:
        values, counts = [], []
        for record in records:
            classes = things(record)[1]
            counts.append(len(classes))
            values.extend(classes)
        if not values:
            raise ValueError(
                f"Task {self.name!r} needs a box. Received: {len(records)} "
                "training records without one"
            )
        self.classes = Classes(values, names_of(source, "class_names"))
        self._numbers = {w: i for i, w in enumerate(self.classes.words)}
        self.most = min(self.most, max(counts) + SPARE)
        self._answers = [self.examples(r)[0].answer for r in records]

    @property
    def words(self) -> list[str]:
        return [*self.classes.words, NOISE]

    @property
    def grammar(self) -> Grammar:
        slots = (*BOX, Slot(words=tuple(self.classes.words)))
        return Grammar(slots * self.most)

    def examples(
        self, record: Record, rng: np.random.Generator | None = None
    ) -> list[Example]:
        boxes, classes = things(record)
        order = np.arange(len(boxes))
        if rng is not None:
            order = rng.permutation(order)
        order = order[: self.most]
        boxes = boxes[order]
        words = [self.classes.word(classes[i], record.get("id")) for i in order]
        weights = [1.0] * 5 * len(words)
        if rng is not None:
            noise = noise_boxes(boxes, self.most - len(words), rng)
            boxes = np.concatenate([boxes, noise])
            words += [NOISE] * len(noise)
            weights += [0.0, 0.0, 0.0, 0.0, 1.0] * len(noise)
        answer = []
        for box, word in zip(box_tokens(boxes).tolist(), words):
            answer += [*box, word]
        return [Example(tuple(answer), (), (*weights, END_WEIGHT))]

    def blind(self, records: Sequence[Record]) -> Predictions:
        """The things of a training picture that is drawn for each record."""
        rng = np.random.default_rng(0)
        drawn = rng.integers(len(self._answers), size=len(records))
        return [[Prediction(self._answers[i])] for i in drawn]

    def evaluate(
        self,
        predictions: Predictions,
        records: Sequence[Record],
        chance: bool = True,
    ) -> list[Outcome]:
        self.check(records)
        self.check_predictions(predictions, [1] * len(records))
        sizes = [self._size(record) for record in records]
        numbers = dict(self._numbers)
        truth = [
            self._truth(record, size, numbers)
            for record, size in zip(records, sizes)
        ]
        found = [
            self._found(prediction[0], size)
            for prediction, size in zip(predictions, sizes)
        ]
        evaluation = CocoEvaluation(truth, found)
        expected = self.chance(records) if chance else {}
        seen = {numbers[word] for word in self.classes.seen}
        there = np.concatenate([boxes.classes for boxes in truth])
        names = {i: word for word, i in numbers.items()}
        said = {
            "skipped": sum(usable(record)[1] for record in records),
            "unseen": int(np.isin(there, list(seen), invert=True).sum()),
            "per_class": {
                names[i]: ap for i, ap in evaluation.of_classes().items()
            },
        }
        outcomes = []
        for name, value in evaluation.summary().items():
            if name in BOOTSTRAPPED and chance:
                outcome = Outcome.from_statistic(
                    name,
                    len(records),
                    functools.partial(
                        evaluation.resampled, threshold=BOOTSTRAPPED[name]
                    ),
                )
            else:
                outcome = Outcome(name, value, examples=len(records))
            outcome.value = value
            outcome.chance = expected.get(name)
            outcome.extra = said if name == "AP" else {}
            outcomes.append(outcome)
        return outcomes

    def _size(self, record):
        if "size" not in record:
            raise ValueError(
                f"Task {self.name!r} needs the `size` of every picture, as "
                "`read_records(source, size=True)` gives it. Received: record "
                f"{record.get('id')!r} with {sorted(set(record) - {'image'})}"
            )
        return tuple(map(int, record["size"]))

    def _truth(self, record, size, numbers):
        """What is there, crowds included; numbers new classes."""
        check_boxes(record)
        boxes = np.reshape(record["boxes"], (-1, 4))
        crowd = np.asarray(record.get("crowd", np.zeros(len(boxes))), bool)
        kept = np.zeros(len(boxes), bool)
        kept[usable(record)[0]] = True
        kept |= crowd
        words = [
            self.classes.word(value, record.get("id"))
            for value in np.asarray(record["classes"])[kept]
        ]
        classes = [numbers.setdefault(word, len(numbers)) for word in words]
        return Boxes(
            boxes[kept], np.array(classes, int), crowd=crowd[kept], size=size
        )

    def _found(self, prediction, size):
        tokens = prediction.tokens
        count = len(tokens) // 5
        rows = [tokens[5 * i : 5 * i + 5] for i in range(count)]
        scores = np.ones(count)
        if prediction.probabilities is not None:
            scores = np.array(prediction.probabilities[4 : 5 * count : 5])
        return Boxes(
            token_boxes([row[:4] for row in rows]),
            np.array([self._numbers[row[4]] for row in rows], int),
            scores=scores,
            size=size,
        )

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "most": self.most}
