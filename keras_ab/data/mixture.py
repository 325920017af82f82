"""Several sources as one, in exact proportions."""

import fractions
import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.data.records import BadRecord
from keras_ab.data.source import Source
from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors

LONGEST = 10_000
"""Records after which a mixture's pattern repeats, at most."""


def mix(
    weights: dict[Source, float], names: Sequence[str] | None = None
) -> "Mixture":
    """Several sources as one, in exact proportions.

    Args:
        weights: Dict from `keras_ab.data.Source` to its weight, a number of
            at least 0; a weight of 0 leaves the source out.
        names: List of strings, one a source, for the records' ids; by default
            `"0"`, `"1"`, ...

    Returns:
        A `Mixture`.

    Example:

    >>> scenes, others = keras_ab.data.Scenes(90), keras_ab.data.Scenes(30)
    >>> mixed = keras_ab.data.mix({scenes: 1, others: 3})
    >>> mixed[90]["id"]
    # '1/scenes-train-0-000000'

    Reference:
        Figure 3: mixtures of ImageNet with COCO or EPIC-Kitchens.
    """
    return Mixture(weights, names)


class Mixture(Source):
    """Several sources as one; see `keras_ab.data.mix`.

    As a sequence it is one source after the other. Its order of training
    takes them in turns: of any stretch of it, each source has its share, to
    within two records, and exactly over `period` records. Every source goes
    through epochs of its own, as fast as its weight makes it.

    Args:
        weights: Dict from `Source` to weight.
        names: List of strings, or None.
    """

    def __init__(
        self, weights: dict[Source, float], names: Sequence[str] | None = None
    ):
        for source, weight in weights.items():
            if not isinstance(source, Source):
                raise ValueError(
                    "`weights` must be a dict from keras_ab.data.Source to "
                    f"weight. Received the key {source!r}"
                )
            if not (weight >= 0 and math.isfinite(weight)):
                raise ValueError(
                    "Weights must be finite and not negative. Received: "
                    f"{weight!r}"
                )
        names = names or [str(i) for i in range(len(weights))]
        if len(names) != len(weights) or len(set(names)) < len(names):
            raise ValueError(
                f"`names` must be {len(weights)} different strings. "
                f"Received: {names}"
            )
        kept = [
            (source, weight, name)
            for (source, weight), name in zip(weights.items(), names)
            if weight > 0
        ]
        if not kept:
            raise ValueError(
                "A mixture needs one source or more with a positive weight. "
                f"Received: {list(weights.values())}"
            )
        self.sources, weights, self.names = map(list, zip(*kept))
        if any(len(source) == 0 for source in self.sources):
            raise ValueError("A source in the mixture has no records")
        self.counts = whole_numbers(weights)
        self.pattern = take_turns(self.counts)
        sizes = [len(source) for source in self.sources]
        self.starts = np.cumsum([0, *sizes]).astype("int64")

    @property
    def period(self) -> int:
        """Int, records after which the sources' turns repeat."""
        return len(self.pattern)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, index: int) -> dict[str, Any]:
        which, local = self._which(index)
        try:
            record = self.sources[which][local]
        except BadRecord as error:
            name = f"{self.names[which]}/{error.id or f'record {local}'}"
            raise BadRecord(error.reason, name) from error
        return self._named(record, which)

    def annotations(self, index: int) -> dict[str, Any]:
        which, local = self._which(index)
        return self._named(self.sources[which].annotations(local), which)

    def _which(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"{index} is not in [0, {len(self)})")
        which = int(np.searchsorted(self.starts, index, "right")) - 1
        return which, int(index - self.starts[which])

    def _named(self, record, which):
        kept = {k: v for k, v in record.items() if k in self.fields}
        return {**kept, "id": f"{self.names[which]}/{record['id']}"}

    @functools.cached_property
    def fields(self) -> frozenset[str]:
        return frozenset.intersection(
            *(frozenset(source.fields) for source in self.sources)
        )

    # Its sources say it, so that it need not be set.
    @property
    def never_fails(self) -> bool:  # type: ignore[override]
        return all(source.never_fails for source in self.sources)

    @property
    def rejected(  # type: ignore[override]
        self,
    ) -> Sequence[tuple[str, str]]:
        return [
            (f"{name}/{id}", reason)
            for name, source in zip(self.names, self.sources)
            for id, reason in source.rejected
        ]

    def order(
        self, number: Tensor, seed: Tensor, attempt: Tensor = 0
    ) -> Tensor:
        tf = tensorflow()
        turn, cycle = number % self.period, number // self.period
        which = tf.gather(tf.constant(self.pattern), turn)
        earlier = np.zeros(self.period, "int64")
        for source in range(len(self.sources)):
            mine = self.pattern == source
            earlier[mine] = np.arange(mine.sum())
        draw = tf.gather(tf.constant(self.counts), which) * cycle
        draw += tf.gather(tf.constant(earlier), turn)
        # Seeds of their own, or sources of one size would go in step.
        places = [
            start + source.order(draw, seed * 1_000_003 + i, attempt)
            for i, (start, source) in enumerate(zip(self.starts, self.sources))
        ]
        return tf.gather(tf.stack(places), which)

    def load(self, index: Tensor) -> Tensors:
        tf = tensorflow()
        starts = tf.constant(self.starts)
        which = tf.searchsorted(starts, [index], "right")[0] - 1
        local = index - tf.gather(starts, which)
        specs = [
            tf.function(source.load)
            .get_concrete_function(tf.TensorSpec([], "int64"))
            .structured_outputs
            for source in self.sources
        ]
        keys = set.intersection(*(set(spec) for spec in specs))
        encoded = {spec["image"].dtype == tf.string for spec in specs}

        def branch(source):
            record = source.load(local)
            record = {key: record[key] for key in sorted(keys)}
            if len(encoded) > 1 and record["image"].dtype != tf.string:
                # One type for all; encoded ones may need PIL later on.
                record["image"] = tf.io.encode_png(
                    record["image"], compression=0
                )
            return record

        branches = [functools.partial(branch, s) for s in self.sources]
        return tf.switch_case(which, branches)


def whole_numbers(weights: Sequence[float]) -> np.ndarray:
    """Whole numbers in the proportions of some weights.

    Exact where their sum does not exceed `LONGEST`, else as near as that
    allows.

    Args:
        weights: List of positive numbers.

    Returns:
        int64 array.
    """
    parts = [fractions.Fraction(w).limit_denominator(LONGEST) for w in weights]
    if all(part > 0 for part in parts):
        scale = math.lcm(*(part.denominator for part in parts))
        counts = [int(part * scale) for part in parts]
        divisor = math.gcd(*counts)
        counts = [count // divisor for count in counts]
        if sum(counts) <= LONGEST:
            return np.array(counts, "int64")
    shares = np.array(weights, "float64") / sum(weights) * LONGEST
    counts = np.maximum(np.floor(shares), 1)
    # What rounding down has left over goes to the largest remainders.
    left = max(0, int(LONGEST - counts.sum()))
    counts[np.argsort(counts - shares, kind="stable")[:left]] += 1
    return counts.astype("int64")


def take_turns(counts: np.ndarray) -> np.ndarray:
    """An order in which no source gets ahead of its share by one record.

    Args:
        counts: int array, records of each source.

    Returns:
        int64 array of `sum(counts)` source numbers. Among its first n, a
        source with share p occurs between p n - 1 and p n + 1 times.

    Reference:
        R. Tijdeman, The chairman assignment problem, 1980.
    """
    counts = [int(count) for count in counts]
    total, taken, turns = sum(counts), [0] * len(counts), []
    # Fractions of a record, as whole multiples of 1 / (total * unit).
    unit = max(1, 2 * len(counts) - 2)
    for n in range(1, total + 1):
        owed = [c * n - t * total for c, t in zip(counts, taken)]
        due = [
            (((unit - 1) * total - unit * o) / count, i)
            for i, (o, count) in enumerate(zip(owed, counts))
            if unit * o >= total
        ]
        turn = min(due)[1] if due else int(np.argmax(owed))
        taken[turn] += 1
        turns.append(turn)
    return np.array(turns, "int64")
