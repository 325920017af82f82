"""A grammar, as arrays over a vocabulary."""

import dataclasses
from typing import Any

import numpy as np

from keras_ab.probes.decoder.vocabulary import END
from keras_ab.probes.decoder.vocabulary import Vocabulary
from keras_ab.probes.tasks.grammar import Grammar


@dataclasses.dataclass(frozen=True)
class Rules:
    """Which ids may stand at which place of an answer.

    Args:
        kind: Ints of shape `(places + 1,)`, the row of `allowed` of each
            place; after the last one only the end may stand.
        allowed: Bools of shape `(kinds, vocabulary)`.
        above: Ints of shape `(places + 1,)`: the id must be larger than the
            one this many before it; 0 where there is no such rule.
    """

    kind: np.ndarray
    allowed: np.ndarray
    above: np.ndarray

    @classmethod
    def of(cls, grammar: Grammar, vocabulary: Vocabulary) -> "Rules":
        """The rules of a grammar."""
        rows: dict[Any, tuple[int, np.ndarray]] = {}
        for slot in grammar.slots:
            if slot not in rows:
                rows[slot] = (len(rows), _allowed(slot, vocabulary))
        ending = np.zeros(len(vocabulary), bool)
        ending[END] = True
        return cls(
            np.array([*(rows[s][0] for s in grammar.slots), len(rows)]),
            np.stack([*(row for _, row in rows.values()), ending]),
            np.array([*(s.above for s in grammar.slots), 0]),
        )

    @property
    def places(self) -> int:
        """The most tokens of an answer, without the end."""
        return len(self.kind) - 1


def _allowed(slot, vocabulary):
    row = np.zeros(len(vocabulary), bool)
    row[vocabulary.encode(slot.words)] = True
    if slot.coordinates is not None:
        first, last = slot.coordinates
        start = vocabulary.first_coordinate
        row[start + first : start + last + 1] = True
    row[END] = slot.end
    return row
