"""Results of several encoders side by side."""

import dataclasses
import json
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.probes.intervals import bootstrap_interval
from keras_ab.probes.intervals import percentiles
from keras_ab.probes.outcome import Outcome
from keras_ab.probes.results import Report
from keras_ab.typing import PathLike


class NotComparable(ValueError):
    """Results that were not measured in the same way."""


@dataclasses.dataclass(frozen=True)
class Column:
    """What was measured: a metric of a probe on a task."""

    task: str
    probe: str
    metric: str


@dataclasses.dataclass
class Cell:
    """One value of a comparison.

    Args:
        outcome: The `Outcome`.
        difference: Float, the value less the baseline's; None for the
            baseline's own, and where it has none.
        interval: `(low, high)`, a 95% interval of the difference, or None.
        paired: Bool, whether that is of paired examples.
        foreign: Bool, whether it was measured in another way than the
            baseline.
    """

    outcome: Outcome
    difference: float | None = None
    interval: tuple[float, float] | None = None
    paired: bool = False
    foreign: bool = False

    @property
    def inside(self) -> bool:
        """Whether the difference may be chance: its interval holds 0."""
        return (
            self.interval is not None
            and self.interval[0] <= 0 <= self.interval[1]
        )


@dataclasses.dataclass
class Comparison:
    """Values of several encoders, with differences to one of them.

    Args:
        names: List of strings, the encoders, in the order given.
        columns: List of `Column`.
        cells: Dict from `(name, column)` to `Cell`, where measured.
        baseline: String, one of the names.
        faults: List of strings, in what the results differ beyond the
            encoder; empty unless told to compare nevertheless.
    """

    names: list[str]
    columns: list[Column]
    cells: dict[tuple[str, Column], Cell]
    baseline: str
    faults: list[str] = dataclasses.field(default_factory=list)

    def headlines(self) -> "Comparison":
        """This, with the first metric of each probe and task alone."""
        first: dict[tuple[str, str], Column] = {}
        for column in self.columns:
            first.setdefault((column.task, column.probe), column)
        return dataclasses.replace(self, columns=list(first.values()))


def compare(
    reports: Mapping[str, Report | PathLike] | Sequence[Report | PathLike],
    baseline: str | None = None,
    anyway: bool = False,
) -> Comparison:
    """Puts results side by side, with differences to a baseline.

    Where two encoders were measured on the same examples, the interval of
    their difference is a paired bootstrap; else it is made of both intervals.

    Args:
        reports: List of `Report`s or of paths of result files, or a dict of
            them by the names to show. Without names the encoders' own are
            taken, with their branch or number where several are the same.
        baseline: String, the name of the encoder that others are compared
            with; None for the first.
        anyway: Bool, whether to compare what was measured in different ways.

    Returns:
        A `Comparison`.

    Raises:
        NotComparable: If protocols, settings, crops or data differ and
            `anyway` is not set; it names each difference.
        ValueError: If a file is damaged, there is none, a result occurs twice
            in it, or no encoder has the baseline's name.

    Example:

    >>> hits = keras_ab.probes.Outcome.from_hits("accuracy", [1, 0, 1, 1])
    >>> result = keras_ab.probes.Result("counting", "knn", [hits])
    >>> reports = {n: keras_ab.probes.Report({}, [result]) for n in "ab"}
    >>> print(keras_ab.probes.markdown(keras_ab.probes.compare(reports)))
    """
    reports = _named(reports)
    names = list(reports)
    if baseline is None:
        baseline = names[0]
    if baseline not in reports:
        raise ValueError(
            f"The baseline must be one of {names}. Received: {baseline!r}"
        )
    results = {name: _by_task(name, report) for name, report in reports.items()}
    faults, foreign = [], set()
    for key in {key: None for found in results.values() for key in found}:
        have = [name for name in names if key in results[name]]
        first = baseline if baseline in have else have[0]
        for name in have:
            for fault in _differ(
                reports[first],
                results[first][key],
                reports[name],
                results[name][key],
            ):
                faults.append(
                    f"{' by '.join(key)}: {name!r} and {first!r} differ in "
                    f"{fault}"
                )
                foreign.add((name, key))
    if faults and not anyway:
        raise NotComparable(
            "These results were not measured in the same way:\n  "
            + "\n  ".join(faults)
        )
    columns, cells = [], {}
    for name in names:
        for key, result in results[name].items():
            own = results[baseline].get(key)
            for outcome in result.outcomes:
                column = Column(key[0], key[1], outcome.name)
                if column not in columns:
                    columns.append(column)
                base = own and _outcome(own, outcome.name)
                other = (name, key) in foreign
                if base is None or name == baseline:
                    cells[name, column] = Cell(outcome, foreign=other)
                else:
                    cells[name, column] = _cell(outcome, base, other)
    # A task's metrics together, in the order of first sight.
    order = list(dict.fromkeys((c.task, c.probe) for c in columns))
    columns.sort(key=lambda column: order.index((column.task, column.probe)))
    return Comparison(names, columns, cells, baseline, faults)


def _named(reports: Any) -> dict[str, Report]:
    """Reports by the names to show."""
    if isinstance(reports, Mapping):
        named = {
            str(name): report if isinstance(report, Report) else _load(report)
            for name, report in reports.items()
        }
    else:
        loaded = [r if isinstance(r, Report) else _load(r) for r in reports]
        labels = [report.name for report in loaded]
        if len(set(labels)) < len(labels):
            labels = [
                f"{report.name} ({report.encoder['branch']})"
                if report.encoder.get("branch")
                else report.name
                for report in loaded
            ]
        labels = [
            f"{label} #{number + 1}" if labels.count(label) > 1 else label
            for number, label in enumerate(labels)
        ]
        named = dict(zip(labels, loaded))
    if not named:
        raise ValueError("`reports` must hold one or more. Received: none")
    return named


def _load(path):
    return Report.load(path)


def _by_task(name, report):
    """A report's results by task and probe."""
    found = {}
    for result in report.results:
        key = (result.task, result.probe)
        if key in found:
            raise ValueError(
                f"A report must hold each task and probe once. Received: "
                f"{' by '.join(key)} twice in that of {name!r}"
            )
        found[key] = result
    return found


def _differ(report_a, a, report_b, b):
    """In what two results differ beyond the encoder."""
    if report_a.protocol != report_b.protocol:
        yield f"protocol: {report_b.protocol}, {report_a.protocol}"
    if a.crop != b.crop:
        yield f"crop: {b.crop}, {a.crop}"
    for key in sorted({*a.settings, *b.settings}):
        one, other = (_short(x.settings.get(key)) for x in (a, b))
        if one != other:
            yield f"{key}: {other}, {one}"
    for split in sorted({*a.data, *b.data}):
        one, other = (x.data.get(split, {}) for x in (a, b))
        if one.get("fingerprint") != other.get("fingerprint"):
            yield (
                f"{split} data: {other.get('name')} "
                f"({other.get('records')} records), {one.get('name')} "
                f"({one.get('records')} records)"
            )


def _short(value):
    return json.dumps(value, sort_keys=True)


def _outcome(result, metric):
    found = [o for o in result.outcomes if o.name == metric]
    return found[0] if found else None


def _cell(outcome, base, foreign):
    """A value and its difference to the baseline's."""
    difference = outcome.value - base.value
    if not np.isfinite(difference):
        return Cell(outcome, foreign=foreign)
    interval = None if foreign else _paired(outcome, base)
    if interval is not None:
        return Cell(outcome, difference, interval, True, foreign)
    if outcome.interval is not None and base.interval is not None:
        # Independent errors add in squares, on either side.
        own = np.abs(np.subtract(outcome.interval, outcome.value))
        other = np.abs(np.subtract(base.interval, base.value))[::-1]
        low, high = np.hypot(own, other)
        interval = (float(difference - low), float(difference + high))
    return Cell(outcome, difference, interval, False, foreign)


def _paired(outcome, base):
    """An interval by paired resamples, where the examples are the same."""
    a, b = outcome.per_example, base.per_example
    if a is not None and b is not None and len(a) == len(b):
        if not _equal(outcome.groups, base.groups):
            return None
        return bootstrap_interval(a - b, groups=outcome.groups)
    a, b = outcome.resampled, base.resampled
    if (
        a is not None
        and b is not None
        and len(a) == len(b)
        and outcome.examples == base.examples
        and np.isfinite(a - b).any()
    ):
        # Drawn by one seed, so resample k holds the same examples in both.
        return percentiles(a - b)
    return None


def _equal(a, b):
    if a is None or b is None:
        return a is b
    return np.array_equal(a, b)
