"""Captions, judged by BLEU and CIDEr."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_ab.probes.outcome import Outcome
from keras_ab.probes.tasks.bleu import Bleu
from keras_ab.probes.tasks.cider import cider
from keras_ab.probes.tasks.grammar import Grammar
from keras_ab.probes.tasks.grammar import Slot
from keras_ab.probes.tasks.task import Example
from keras_ab.probes.tasks.task import Prediction
from keras_ab.probes.tasks.task import Predictions
from keras_ab.probes.tasks.task import Record
from keras_ab.probes.tasks.task import Task
from keras_ab.probes.tasks.texts import UNKNOWN
from keras_ab.probes.tasks.texts import common_words
from keras_ab.probes.tasks.texts import words_of

if TYPE_CHECKING:
    from keras_ab.data.source import Source


class Captioning(Task):
    """A caption of the picture.

    Outcomes are `"CIDEr"` (CIDEr-D, from 0 to 10) and `"BLEU-4"` (from 0 to
    1) of captions and references in lower case, without punctuation; tables
    have both times 100.
    COCO's own evaluation splits words by a Java program of Stanford's, which
    treats clitics otherwise ("it 's"). Document frequencies are those of the
    test set's references. Chance is what captions of other pictures, drawn
    from training, get.

    Args:
        longest: Int, the most words to a caption; training captions are cut.
        most_words: Int, the most frequent words that are known.
        name: String.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=4)
    >>> records = keras_ab.probes.tasks.read_records(scenes)
    >>> task = keras_ab.probes.tasks.Captioning().prepare(records)
    >>> task.examples(records[0])[0].answer
    # ("a", "red", "car")
    """

    fields = frozenset(["text"])

    def __init__(
        self,
        longest: int = 20,
        most_words: int = 10000,
        name: str = "captioning",
    ):
        super().__init__(name)
        if longest < 1 or most_words < 1:
            raise ValueError(
                "`longest` and `most_words` must be positive. Received: "
                f"{longest} and {most_words}"
            )
        self.longest, self.most_words = longest, most_words

    def _texts(self, record):
        text = record["text"]
        texts = [text] if isinstance(text, str) else list(text)
        texts = [words for words in map(words_of, texts) if words]
        if not texts:
            raise ValueError(
                f"Task {self.name!r} needs a caption with a word. Received: "
                f"record {record.get('id')!r} with {text!r}"
            )
        return texts

    def _prepare(
        self, records: Sequence[Record], source: "Source | None"
    ) -> None:
        texts = [words for record in records for words in self._texts(record)]
        self._words = common_words(texts, self.most_words)
        lengths = [len(words) for words in texts]
        self.longest = min(self.longest, max(lengths))
        self._captions = [self._texts(record)[0] for record in records]

    @property
    def words(self) -> list[str]:
        return [*self._words, UNKNOWN]

    @property
    def grammar(self) -> Grammar:
        first = Slot(words=tuple(self._words))
        later = Slot(words=tuple(self._words), end=True)
        return Grammar((first, *[later] * (self.longest - 1)))

    def examples(
        self, record: Record, rng: np.random.Generator | None = None
    ) -> list[Example]:
        texts = self._texts(record)
        chosen = 0 if rng is None else int(rng.integers(len(texts)))
        words = tuple(texts[chosen][: self.longest])
        known = set(self._words)
        # A caption that was cut does not end where it was.
        ends = len(texts[chosen]) <= self.longest
        weights = [float(word in known) for word in words]
        words = tuple(word if word in known else UNKNOWN for word in words)
        return [Example(words, (), (*weights, float(ends)))]

    def blind(self, records: Sequence[Record]) -> Predictions:
        """The first caption of a training picture, drawn for each record."""
        rng = np.random.default_rng(0)
        drawn = rng.integers(len(self._captions), size=len(records))
        return [[Prediction(tuple(self._captions[i]))] for i in drawn]

    def evaluate(
        self,
        predictions: Predictions,
        records: Sequence[Record],
        chance: bool = True,
    ) -> list[Outcome]:
        self.check(records)
        self.check_predictions(predictions, [1] * len(records))
        references = [self._texts(record) for record in records]
        said = [list(map(str, p[0].tokens)) for p in predictions]
        expected = self.chance(records) if chance else {}
        scores = cider(said, references)
        bleu = Bleu(said, references)
        return [
            Outcome.from_hits("CIDEr", scores, expected.get("CIDEr")),
            Outcome.from_statistic(
                "BLEU-4",
                len(records),
                bleu.of,
                expected.get("BLEU-4"),
                samples=200 if chance else 0,
            ),
        ]

    def describe(self) -> dict[str, Any]:
        return {
            **super().describe(),
            "longest": self.longest,
            "most_words": self.most_words,
        }
