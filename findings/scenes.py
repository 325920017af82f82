"""Scenes of one's own in place of the built-in ones."""

import functools

from keras_ab.probes import open_splits
from keras_ab.probes.catalogue import TASKS
from keras_ab.probes.catalogue import make_task
from keras_ab.probes.catalogue import usual_data

LOOKED_AT = 8


def on_scenes(task):
    """Whether a task is measured on scenes.

    Args:
        task: String, `TASK` or `TASK=DATA`.

    Returns:
        Bool.
    """
    return "=" not in task and usual_data(make_task(task)) == "scenes"


def place(task, maker):
    """A task as the command that measures takes it.

    Args:
        task: String, `TASK` or `TASK=DATA`.
        maker: String, `MODULE:NAME` of what makes scenes, or `''`.

    Returns:
        String.
    """
    return f"{task}={maker}" if maker and on_scenes(task) else task


def as_built_in(report, maker):
    """A report whose tasks are called as on the built-in scenes.

    Args:
        report: A `keras_ab.probes.Report`, which is changed.
        maker: As in `place`.

    Returns:
        The report.
    """
    if maker:
        ending = f"={maker.partition(':')[2]}"
        for result in report.results:
            result.task = result.task.removesuffix(ending)
    return report


@functools.cache
def lacking(maker):
    """The tasks that scenes have no fields for.

    Args:
        maker: As in `place`.

    Returns:
        Frozenset of names of tasks.

    Raises:
        FileNotFoundError: If there is no such function.
        ValueError: If it does not make scenes.
    """
    if not maker:
        return frozenset()
    splits = open_splits(maker, LOOKED_AT, LOOKED_AT)
    records = [
        source.annotations(index)
        for source in (splits.train, splits.test)
        for index in range(min(LOOKED_AT, len(source)))
    ]
    found = set()
    for name in filter(on_scenes, TASKS):
        try:
            make_task(name).check(records)
        except ValueError:
            found.add(name)
    return frozenset(found)
