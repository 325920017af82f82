"""What one metric came to, with all that is needed to compare it."""

import dataclasses
import json
import math
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.probes.intervals import bootstrap_interval
from keras_ab.probes.intervals import bootstrap_statistic
from keras_ab.probes.intervals import percentiles
from keras_ab.probes.packing import pack
from keras_ab.probes.packing import unpack

NUMBERS = ("value", "chance", "ceiling")
PACKED = ("per_example", "groups", "resampled")


@dataclasses.dataclass
class Outcome:
    """The value of a metric, with its interval.

    `from_hits` makes one of a mean over examples, and `from_statistic` one of
    any other metric.

    Args:
        name: String, the metric, such as `"accuracy"`.
        value: Float.
        interval: `(low, high)`, floats, a 95% bootstrap interval; or None.
        chance: Float, what a blind guess gets; None where it is unknown.
        ceiling: Float, what the best possible answer gets; None for 1, or
            where it is unknown.
        examples: Int, number of test examples.
        per_example: Floats of shape `(examples,)`, what each example
            contributes to the mean, in the order of the test split; None for
            metrics that are no mean.
        groups: Ints of shape `(examples,)`, which of them belong together
            (boxes of one image); None where each stands for itself.
        resampled: Floats, the metric of resampled examples
            (`bootstrap_statistic`); None for means.
        extra: Dict of what else is to be known, ready for JSON: the learning
            rate that was chosen, unseen classes, skipped records.

    Example:

    >>> hits = np.array([1, 1, 0, 1])
    >>> outcome = keras_ab.probes.Outcome.from_hits("accuracy", hits, 0.5)
    >>> outcome.value
    # 0.75
    """

    name: str
    value: float
    interval: tuple[float, float] | None = None
    chance: float | None = None
    ceiling: float | None = None
    examples: int = 0
    per_example: np.ndarray | None = None
    groups: np.ndarray | None = None
    resampled: np.ndarray | None = None
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_hits(
        cls,
        name: str,
        hits: np.ndarray | Sequence[float],
        chance: float | None = None,
        ceiling: float | None = None,
        groups: np.ndarray | Sequence[int] | None = None,
        **extra: Any,
    ) -> "Outcome":
        """The outcome of a metric that is a mean over examples.

        Args:
            name: String.
            hits: Numbers of shape `(B,)`, in the order of the test split.
            chance: Float or None.
            ceiling: Float or None.
            groups: As in `bootstrap_interval`.
            **extra: What else is to be known, ready for JSON.

        Returns:
            An `Outcome`.
        """
        hits = np.asarray(hits, "float64")
        interval = bootstrap_interval(hits, groups=groups)
        return cls(
            name,
            float(hits.mean()),
            interval,
            chance,
            ceiling,
            len(hits),
            hits,
            None if groups is None else np.asarray(groups),
            extra=extra,
        )

    @classmethod
    def from_statistic(
        cls,
        name: str,
        count: int,
        statistic: Callable[[np.ndarray], float],
        chance: float | None = None,
        ceiling: float | None = None,
        samples: int = 200,
        **extra: Any,
    ) -> "Outcome":
        """The outcome of a metric that is no mean, such as mAP or CIDEr.

        Args:
            name: String.
            count: Int, number of examples.
            statistic: Callable from indices of examples, ints of shape
                `(count,)`, to the metric of these.
            chance: Float or None.
            ceiling: Float or None.
            samples: Int, resamples for the interval; 0 for no interval.
            **extra: What else is to be known, ready for JSON.

        Returns:
            An `Outcome`.
        """
        value = float(statistic(np.arange(count)))
        resampled = interval = None
        if samples:
            resampled = bootstrap_statistic(count, statistic, samples)
            if np.isfinite(resampled).any():
                interval = percentiles(resampled)
        return cls(
            name,
            value,
            interval,
            chance,
            ceiling,
            count,
            resampled=resampled,
            extra=extra,
        )

    def as_json(self) -> dict[str, Any]:
        """This, as a dict that JSON can hold.

        A number that is not finite becomes None.
        """
        found = {"name": self.name, "examples": int(self.examples)}
        for key in NUMBERS:
            number = getattr(self, key)
            finite = number is not None and math.isfinite(number)
            found[key] = float(number) if finite else None
        found["interval"] = None
        if self.interval is not None:
            found["interval"] = [float(number) for number in self.interval]
        for key in PACKED:
            values = getattr(self, key)
            found[key] = None if values is None else pack(values)
        try:
            found["extra"] = json.loads(json.dumps(self.extra))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"What is said of outcome {self.name!r} besides its value "
                f"does not fit JSON: {error}. Received: {self.extra}"
            ) from error
        return found

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Outcome":
        """What `as_json` was called on.

        Args:
            found: What it returned.

        Returns:
            An `Outcome`; its value is NaN where it was not finite.

        Raises:
            ValueError: If something is missing or damaged.
        """
        try:
            name, examples = str(found["name"]), int(found["examples"])
            numbers: dict[str, Any] = {
                key: None if found[key] is None else float(found[key])
                for key in NUMBERS
            }
            interval = found["interval"]
            if interval is not None:
                low, high = map(float, interval)
                interval = (low, high)
            arrays: dict[str, Any] = {
                key: None if found[key] is None else unpack(found[key])
                for key in PACKED
            }
            extra = dict(found["extra"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"An outcome is damaged, or lacks something: {error!r}"
            ) from error
        if numbers["value"] is None:
            numbers["value"] = math.nan
        return cls(
            name=name,
            examples=examples,
            interval=interval,
            extra=extra,
            **numbers,
            **arrays,
        )
