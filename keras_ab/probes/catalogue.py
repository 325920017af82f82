"""Tasks and probes by the names that commands use."""

import inspect
from typing import Any

from keras_ab.probes.by_text import TextProbe
from keras_ab.probes.decoder import DecoderProbe
from keras_ab.probes.fine_tune import FineTune
from keras_ab.probes.knn import KNN
from keras_ab.probes.linear_probe import LinearProbe
from keras_ab.probes.map_probe import MAPProbe
from keras_ab.probes.retrieval import Retrieval
from keras_ab.probes.ridge import Ridge
from keras_ab.probes.tasks import Action
from keras_ab.probes.tasks import BoxClassification
from keras_ab.probes.tasks import Captioning
from keras_ab.probes.tasks import Classification
from keras_ab.probes.tasks import Counting
from keras_ab.probes.tasks import Detection
from keras_ab.probes.tasks import NearestDepth
from keras_ab.probes.tasks import Task
from keras_ab.probes.tasks import VisualQuestions
from keras_ab.probes.zero_shot import ZeroShot

TASKS: dict[str, tuple[type[Task], str]] = {
    "classification": (Classification, "scenes"),
    "box_class": (BoxClassification, "scenes"),
    "detection": (Detection, "scenes"),
    "count": (Counting, "scenes"),
    "depth": (NearestDepth, "scenes"),
    "action": (Action, "video"),
    "captions": (Captioning, "scenes"),
    "questions": (VisualQuestions, "scenes"),
}
"""By name: the task, and the built-in set that it is on by default."""

PROBES: dict[str, type] = {
    "decoder": DecoderProbe,
    "knn": KNN,
    "linear": LinearProbe,
    "map": MAPProbe,
    "ridge": Ridge,
    "fine_tune": FineTune,
    "zero_shot": ZeroShot,
    "retrieval": Retrieval,
}
"""By name: the probe, a class whose arguments are its settings."""


def make_task(task: str | Task) -> Task:
    """The task of a name.

    Args:
        task: A key of `TASKS`, or a `Task`, which passes through.

    Returns:
        A `Task` of that name, not prepared.

    Raises:
        ValueError: If there is no task of that name.
    """
    if isinstance(task, Task):
        return task
    if task not in TASKS:
        raise ValueError(
            f"A task must be one of {list(TASKS)}. Received: {task!r}"
        )
    return TASKS[task][0](name=task)


def usual_data(task: Task) -> str:
    """The built-in set that a task is measured on by default."""
    for kind, data in TASKS.values():
        if isinstance(task, kind):
            return data
    return "scenes"


def make_probe(probe: str | Any, seed: int = 0, **settings: Any) -> Any:
    """The probe of a name.

    Args:
        probe: A key of `PROBES`, or a probe, which passes through.
        seed: Int, for probes that draw.
        **settings: Arguments in place of the protocol's.

    Returns:
        A probe.

    Raises:
        ValueError: If there is no probe of that name, it has no such setting,
            or a setting is out of range.
    """
    if not isinstance(probe, str):
        return probe
    if probe not in PROBES:
        raise ValueError(
            f"A probe must be one of {list(PROBES)}. Received: {probe!r}"
        )
    kind = PROBES[probe]
    accepted = inspect.signature(kind).parameters
    wrong = sorted(set(settings) - set(accepted))
    if wrong:
        raise ValueError(
            f"Probe {probe!r} takes the settings {list(accepted)}. Received: "
            f"{wrong}"
        )
    if "seed" in accepted:
        settings = {"seed": seed, **settings}
    return kind(**settings)


def fits(probe: Any, task: Task) -> bool:
    """Whether a probe can answer a task."""
    if isinstance(probe, TextProbe):
        return probe.fits(task)
    return isinstance(probe, DecoderProbe) or task.single_label


def probes_for(task: Task) -> list[str]:
    """The names of the probes that can answer a task.

    Args:
        task: A `Task`, prepared or not.

    Returns:
        List of keys of `PROBES`.
    """
    return [name for name in PROBES if fits(make_probe(name), task)]
