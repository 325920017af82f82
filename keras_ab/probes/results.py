"""Result files: what was measured, and all that is needed to do it again."""

import dataclasses
import datetime
import hashlib
import importlib.metadata
import json
import os
import pathlib
import platform
import sys
from typing import Any

import keras

from keras_ab.probes.outcome import Outcome
from keras_ab.typing import PathLike

PROTOCOL = 3
"""The version of how is measured. It changes with whatever changes figures:
crops, features, the settings of probes, metrics."""

FORMAT = "keras_ab evaluation"
LIBRARIES = (
    "keras",
    "numpy",
    "jax",
    "tensorflow",
    "tensorflow-cpu",
    "torch",
    "scikit-learn",
    "pycocotools",
    "sacrebleu",
    "keras-hub",
    "pillow",
)


@dataclasses.dataclass
class Result:
    """What one probe measured on one task.

    Args:
        task: String, the task's name.
        probe: String, the probe's name.
        outcomes: List of `Outcome`, the headline first.
        settings: Dict of all that says how it was measured, ready for JSON:
            the settings of probe and task. Results are comparable where
            these are equal.
        data: Dict from `"train"` and `"test"` to dicts: `"name"`,
            `"records"`, `"fingerprint"`.
        crop: String, `"center"` or `"whole"`.
        seed: Int.
        seconds: Float, wall time.
    """

    task: str
    probe: str
    outcomes: list[Outcome]
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    data: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    crop: str = "center"
    seed: int = 0
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """This, as a dict that JSON can hold."""
        found = {
            f.name: getattr(self, f.name) for f in dataclasses.fields(self)
        }
        found["outcomes"] = [outcome.as_json() for outcome in self.outcomes]
        return found

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Result":
        """What `as_json` was called on.

        Args:
            found: What it returned.

        Returns:
            A `Result`.

        Raises:
            ValueError: If something is missing or damaged.
        """
        kinds: Kinds = {
            "task": str,
            "probe": str,
            "outcomes": list,
            "settings": dict,
            "data": dict,
            "crop": str,
            "seed": int,
            "seconds": (int, float),
        }
        values = take(found, kinds, "A result")
        values["outcomes"] = [Outcome.from_json(o) for o in values["outcomes"]]
        return cls(**values)


@dataclasses.dataclass
class Report:
    """The results of one encoder, as a file holds them.

    Args:
        encoder: Dict, `FrozenEncoder.describe()`: name, kind, branch (online
            or target), layer, image size, parameters, fingerprint.
        results: List of `Result`.
        protocol: Int, the version of how was measured.
        versions: Dict of strings: Python, the backend, libraries.
        machine: Dict: processor, cores.
        created: String, time of the measurement, in UTC.
        command: List of strings, the command that it was made with.

    Example:

    >>> result = keras_ab.probes.Result("counting", "knn", [])
    >>> report = keras_ab.probes.Report({"name": "mine"}, [result])
    >>> report.save("mine.json")
    >>> keras_ab.probes.Report.load("mine.json").results[0].task
    # 'counting'
    """

    encoder: dict[str, Any]
    results: list[Result] = dataclasses.field(default_factory=list)
    protocol: int = PROTOCOL
    versions: dict[str, str] = dataclasses.field(
        default_factory=lambda: versions()
    )
    machine: dict[str, Any] = dataclasses.field(
        default_factory=lambda: machine()
    )
    created: str = dataclasses.field(default_factory=lambda: _now())
    command: list[str] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        """String, the encoder's name."""
        return str(self.encoder.get("name", "encoder"))

    @property
    def seconds(self) -> float:
        """Float, wall time of all results."""
        return float(sum(result.seconds for result in self.results))

    def as_json(self) -> dict[str, Any]:
        """This, as a dict that JSON can hold."""
        results = [result.as_json() for result in self.results]
        return {
            "format": FORMAT,
            "protocol": self.protocol,
            "created": self.created,
            "command": self.command,
            "encoder": self.encoder,
            "versions": self.versions,
            "machine": self.machine,
            "seconds": self.seconds,
            "results": results,
            "checksum": checksum(results),
        }

    def save(self, path: PathLike) -> None:
        """Writes the file aside, then renames it.

        Args:
            path: Path of a `.json` file; its folder is made where missing.
        """
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(
            self.as_json(), indent=1, ensure_ascii=False, allow_nan=False
        )
        aside = path.with_name(f".{path.name}.unfinished")
        aside.write_text(text + "\n", encoding="utf-8")
        os.replace(aside, path)

    @classmethod
    def load(cls, path: PathLike) -> "Report":
        """Reads what `save` wrote.

        Args:
            path: Path of the file.

        Returns:
            A `Report`.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is no result file, or is damaged; with its path
                and what is wrong.
        """
        path = pathlib.Path(path)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(found, dict) or found.get("format") != FORMAT:
                raise ValueError(
                    f"it does not say that it is one ('format': {FORMAT!r})"
                )
            kinds: Kinds = {
                "protocol": int,
                "created": str,
                "command": list,
                "encoder": dict,
                "versions": dict,
                "machine": dict,
                "results": list,
                "checksum": str,
            }
            values = take(found, kinds, "The file")
            if values.pop("checksum") != checksum(values["results"]):
                raise ValueError("its checksum is not that of its results")
            values["results"] = [Result.from_json(r) for r in values["results"]]
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"{path} is not a whole result file of "
                f"`python -m keras_ab.probes`: {error}"
            ) from error
        return cls(**values)


Kinds = dict[str, type | tuple[type, ...]]
"""The types of an object's members, by their names."""


def take(found: Any, kinds: Kinds, what: str) -> dict[str, Any]:
    """The members of a JSON object, each of its kind.

    Args:
        found: What JSON held.
        kinds: Dict from keys to types.
        what: String, what it should be.

    Returns:
        A dict of those keys.

    Raises:
        ValueError: If one is missing or of another kind.
    """
    if not isinstance(found, dict):
        raise ValueError(
            f"{what} must be an object. Received: {type(found).__name__}"
        )
    for key, kind in kinds.items():
        if not isinstance(found.get(key), kind):
            has = type(found[key]).__name__ if key in found else "nothing"
            raise ValueError(f"{what} lacks a valid `{key}`. Received: {has}")
    return {key: found[key] for key in kinds}


def checksum(results: list[dict[str, Any]]) -> str:
    """A hash of results as JSON holds them, whatever its layout."""
    text = json.dumps(results, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Dict of the versions of what measures, where it is installed."""
    package = sys.modules[__name__.partition(".")[0]]
    found = {
        "keras_ab": package.__version__,
        "python": platform.python_version(),
        "backend": keras.backend.backend(),
    }
    for library in LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Dict that tells what machine this is."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return {
        "system": sys.platform,
        "processor": platform.machine(),
        "cores": cores,
    }


def _now():
    now = datetime.datetime.now(datetime.UTC)
    return now.isoformat(timespec="seconds")
