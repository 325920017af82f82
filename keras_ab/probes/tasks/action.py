"""What is done, and to what."""

import collections
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_ab.probes.outcome import Outcome
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

PARTS = ("verb", "noun")


class Action(Task):
    """Which action a frame is of: its verb, then its noun.

    Outcomes are `"action"` (both right), `"verb"` and `"noun"`. Give it a
    source of one frame an action: `Video.middle_frames()`, or `from_frames`
    with the annotations of EPIC-Kitchens-100.

    Args:
        name: String.

    Example:

    >>> video = keras_ab.data.Video(clips=4, frames=3)
    >>> records = keras_ab.probes.tasks.read_records(video.middle_frames())
    >>> task = keras_ab.probes.tasks.Action().prepare(records, video)
    >>> task.examples(records[0])[0].answer
    # ("lift", "cup")
    """

    fields = frozenset(PARTS)
    crop = "center"

    def __init__(self, name: str = "action"):
        super().__init__(name)

    def _prepare(
        self, records: Sequence[Record], source: "Source | None"
    ) -> None:
        names = {part: names_of(source, f"{part}_names") for part in PARTS}
        # Where one set of names is for all classes, nouns are of it.
        names["noun"] = names["noun"] or names_of(source, "class_names")
        self.classes = {
            part: Classes([r[part] for r in records], names[part], part)
            for part in PARTS
        }
        answers = [self._answer(record) for record in records]
        self._seen = set(answers)
        # As a decoder without eyes would: the verb, then what goes with it.
        verb = most_frequent(answer[0] for answer in answers)
        noun = most_frequent(n for v, n in answers if v == verb)
        self._common = (verb, noun)

    def _answer(self, record):
        return tuple(
            self.classes[part].word(record[part], record.get("id"))
            for part in PARTS
        )

    @property
    def words(self) -> list[str]:
        words = [w for part in PARTS for w in self.classes[part].words]
        return list(dict.fromkeys(words))

    @property
    def grammar(self) -> Grammar:
        return Grammar(
            tuple(Slot(words=tuple(self.classes[p].words)) for p in PARTS)
        )

    def examples(
        self, record: Record, rng: np.random.Generator | None = None
    ) -> list[Example]:
        return [Example(self._answer(record))]

    def blind(self, records: Sequence[Record]) -> Predictions:
        """The most frequent verb of training, and its most frequent noun."""
        return [[Prediction(self._common)] for _ in records]

    def evaluate(
        self,
        predictions: Predictions,
        records: Sequence[Record],
        chance: bool = True,
    ) -> list[Outcome]:
        self.check(records)
        self.check_predictions(predictions, [1] * len(records))
        truth = [self._answer(record) for record in records]
        parts = np.array(
            [
                [said == word for said, word in zip(p[0].tokens, answer)]
                for p, answer in zip(predictions, truth)
            ]
        ).reshape(-1, len(PARTS))
        hits: dict[str, Any] = {"action": parts.all(1), "verb": parts[:, 0]}
        hits["noun"] = parts[:, 1]
        expected = self.chance(records) if chance else {}
        unseen = collections.Counter(
            part
            for answer in truth
            for part, word in zip(PARTS, answer)
            if word not in self.classes[part].seen
        )
        unseen["action"] = sum(answer not in self._seen for answer in truth)
        return [
            Outcome.from_hits(
                name, values, expected.get(name), unseen=unseen[name]
            )
            for name, values in hits.items()
        ]

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "crop": self.crop}
