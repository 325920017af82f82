"""Tasks, and what they are measured on."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras_ab.probes.catalogue import fits
from keras_ab.probes.catalogue import make_task
from keras_ab.probes.catalogue import probes_for
from keras_ab.probes.catalogue import usual_data
from keras_ab.probes.sets import Splits
from keras_ab.probes.sets import open_splits
from keras_ab.probes.tasks import Task
from keras_ab.typing import PathLike


@dataclasses.dataclass
class Work:
    """A task, and what it is measured on.

    Args:
        name: String, for results.
        task: A `Task`.
        splits: A `Splits`.
    """

    name: str
    task: Task
    splits: Splits


def plan(
    tasks: str | Task | Work | Sequence[str | Task | Work],
    data: PathLike | None = None,
    test_data: PathLike | None = None,
    options: dict[str, Any] | None = None,
    **sizes: Any,
) -> list[Work]:
    """What is to be measured, each set opened once.

    Args:
        tasks: As in `keras_ab.probes.evaluate`.
        data: Likewise.
        test_data: Likewise.
        options: Likewise.
        **sizes: `train_size`, `test_size` and `seed` of `open_splits`.

    Returns:
        A list of `Work`s.

    Raises:
        ValueError: If there is none, one is there twice, or records lack what
            its task needs.
    """
    opened, works = {}, []
    if isinstance(tasks, (str, Task, Work)):
        tasks = [tasks]
    for given in tasks:
        if isinstance(given, Work):
            works.append(given)
            continue
        own = None
        if isinstance(given, str):
            given, _, own = given.partition("=")
        task = make_task(given)
        place = own or data or usual_data(task)
        if place not in opened:
            common = place == data
            opened[place] = open_splits(
                place,
                test=test_data if common else None,
                **sizes,
                **((options or {}) if common else {}),
            )
        name = task.name
        if place != usual_data(task):
            name = f"{name}={opened[place].name}"
        works.append(Work(name, task, opened[place]))
    names = [work.name for work in works]
    if len(set(names)) < len(names) or not names:
        raise ValueError(
            "`tasks` must name one or more, each once. Received: "
            f"{names or 'none'}"
        )
    for work in works:
        for source in (work.splits.train, work.splits.test):
            _check_fields(work, source)
    return works


def _check_fields(work, source):
    """An error now, not after the features, where records lack something."""
    for index in range(min(len(source), 100)):
        try:
            record = source.annotations(index)
        except Exception:
            # Counted later.
            continue
        work.task.check([record])
        return


def check_probes(works: Sequence[Work], probes: Sequence[Any]) -> None:
    """Checks that tasks and probes fit each other.

    Args:
        works: List of `Work`s.
        probes: List of probes.

    Raises:
        ValueError: If one fits no other, or a probe is there twice.
    """
    names = [probe.name for probe in probes]
    if len(set(names)) < len(names) or not names:
        raise ValueError(
            "`probes` must name one or more, each once. Received: "
            f"{names or 'none'}"
        )
    for work in works:
        if not any(fits(probe, work.task) for probe in probes):
            raise ValueError(
                f"Task {work.task.name!r} takes one of the probes "
                f"{probes_for(work.task)}. Received: {names}"
            )
    for probe in probes:
        if not any(fits(probe, work.task) for work in works):
            raise ValueError(
                f"Probe {probe.name!r} fits none of the tasks "
                f"{[work.task.name for work in works]}."
            )
