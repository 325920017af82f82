"""Means over tasks, as columns of a comparison."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_ab.probes.compare import Cell
from keras_ab.probes.compare import Column
from keras_ab.probes.compare import Comparison
from keras_ab.probes.outcome import Outcome


def with_average(
    comparison: Comparison, name: str, tasks: Sequence[str]
) -> Comparison:
    """A comparison with one column more for each probe: a mean over tasks.

    Tasks count equally, each by its first metric, whatever the number of its
    examples. Their errors are taken for independent, so that those of the
    mean, and of its difference to the baseline's, add in squares.

    Args:
        comparison: A `Comparison`.
        name: String, the column's task.
        tasks: List of names of tasks.

    Returns:
        A new `Comparison`; an encoder has a mean where it has all tasks.

    Raises:
        ValueError: If no probe has measured all of the tasks.

    Example:

    >>> hits = keras_ab.probes.Outcome.from_hits("accuracy", [1, 0, 1, 1])
    >>> results = [keras_ab.probes.Result(t, "knn", [hits]) for t in "xy"]
    >>> reports = {n: keras_ab.probes.Report({}, results) for n in "ab"}
    >>> found = keras_ab.probes.compare(reports)
    >>> found = keras_ab.probes.with_average(found, "mean", ["x", "y"])
    >>> [column.task for column in found.columns]
    # ["x", "y", "mean"]

    Reference:
        "Avg Cls" of Tables 2 and 6.
    """
    columns, cells = list(comparison.columns), dict(comparison.cells)
    for probe in dict.fromkeys(column.probe for column in columns):
        parts = [_first(comparison, task, probe) for task in tasks]
        if not parts or None in parts:
            continue
        metrics = {part.metric for part in parts}
        metric = metrics.pop() if len(metrics) == 1 else "mean"
        columns.append(Column(name, probe, metric))
        for encoder in comparison.names:
            found = [comparison.cells.get((encoder, part)) for part in parts]
            if None not in found:
                cells[encoder, columns[-1]] = _mean(metric, found)
    if len(columns) == len(comparison.columns):
        known = list(dict.fromkeys(column.task for column in columns))
        raise ValueError(
            f"A mean needs tasks that one probe has measured, of {known}. "
            f"Received: {list(tasks)}"
        )
    return dataclasses.replace(comparison, columns=columns, cells=cells)


def _first(comparison, task, probe):
    """A task's first metric by a probe, or None."""
    for column in comparison.columns:
        if (column.task, column.probe) == (task, probe):
            return column
    return None


def _mean(metric, cells):
    outcomes = [cell.outcome for cell in cells]
    value = float(np.mean([outcome.value for outcome in outcomes]))
    chances = [outcome.chance for outcome in outcomes]
    outcome = Outcome(
        metric,
        value,
        _interval(
            value,
            [outcome.value for outcome in outcomes],
            [outcome.interval for outcome in outcomes],
        ),
        None if None in chances else float(np.mean(chances)),
        examples=sum(outcome.examples for outcome in outcomes),
    )
    differences = [cell.difference for cell in cells]
    cell = Cell(outcome, foreign=any(cell.foreign for cell in cells))
    if None not in differences:
        cell.difference = float(np.mean(differences))
        cell.interval = _interval(
            cell.difference, differences, [cell.interval for cell in cells]
        )
        cell.paired = all(cell.paired for cell in cells)
    return cell


def _interval(mean, values, intervals):
    if None in intervals:
        return None
    sides = np.abs(np.asarray(intervals) - np.asarray(values)[:, None])
    low, high = np.sqrt(np.square(sides).sum(0)) / len(values)
    return float(mean - low), float(mean + high)
