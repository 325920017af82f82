"""Versions of libraries that are known to clash."""

import importlib
import importlib.metadata
import re
import sys
from collections.abc import Callable
from collections.abc import Iterator

import keras

from keras_ab.doctor.finding import Finding

OLDEST = {
    "keras": (3, 13),
    "jax": (0, 6),
    "tensorflow": (2, 18),
    "tensorflow-cpu": (2, 18),
    "torch": (2, 6),
    "numpy": (1, 26),
}
PYTHON = (3, 11)
PACKAGES = {
    "jax": ("jax",),
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
    "torch": ("torch",),
}


def installed(package: str) -> str | None:
    """The version of a package, or None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def numbers(version: str) -> tuple[int, ...]:
    """`"2.21.0rc1"` as `(2, 21, 0)`."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, match.group().split("."))) if match else ()


def check_versions(
    version_of: Callable[[str], str | None] = installed,
) -> Iterator[Finding]:
    """Looks for versions that are too old, or do not go together.

    Args:
        version_of: Callable from a package's name to its version or None.

    Yields:
        `Finding`s: one for each clash, or one that there is none.
    """
    clashes = list(_clashes(version_of))
    yield from clashes
    if not clashes:
        names = ("keras", *OLDEST, "keras-hub")
        found = {name: version_of(name) for name in names}
        said = ", ".join(f"{k} {v}" for k, v in found.items() if v)
        yield Finding("versions", "fine", said, figures={"versions": found})


def _clashes(version_of):
    if sys.version_info < PYTHON:
        yield _wrong(
            f"Python {sys.version.split()[0]} is older than 3.11",
            "use Python 3.11 to 3.13",
        )
    for package, oldest in OLDEST.items():
        found = version_of(package)
        if found and numbers(found) < oldest:
            wanted = ".".join(map(str, oldest))
            yield _wrong(
                f"{package} {found} is older than {wanted}",
                f"pip install -U '{package}>={wanted}'",
            )
    backend = keras.backend.backend()
    if not any(map(version_of, PACKAGES[backend])):
        yield _wrong(
            f"the backend is {backend}, which is not installed",
            f"pip install {backend}, or set KERAS_BACKEND",
        )
    if not any(map(version_of, PACKAGES["tensorflow"])):
        yield _wrong(
            "TensorFlow is not installed, and its tf.data feeds every backend",
            "pip install 'keras_ab[data]', or 'keras_ab[cpu]' without a GPU",
        )
    both = [version_of(name) for name in PACKAGES["tensorflow"]]
    if all(both) and both[0] != both[1]:
        yield _wrong(
            f"tensorflow {both[0]} and tensorflow-cpu {both[1]} overwrite each "
            "other's files",
            "pip uninstall both, and install one",
        )
    tensorflow = both[0] or both[1]
    text = version_of("tensorflow-text")
    if text and tensorflow and numbers(text)[:2] != numbers(tensorflow)[:2]:
        yield _wrong(
            f"tensorflow-text {text} is built for another TensorFlow than "
            f"{tensorflow}; KerasHub may fail to import",
            "pip uninstall tensorflow-text, or install the same version",
        )
    if version_of("kagglehub") and not _imports("kagglehub"):
        yield _wrong(
            "kagglehub does not import, and KerasHub imports it",
            "pip install -U kagglehub kagglesdk",
        )
    if version_of("keras-core"):
        yield Finding(
            "versions",
            "note",
            "keras-core is an old name of Keras, which KerasCV brings along",
            "nothing needs it: pip install --no-deps keras-cv does without",
        )


def _wrong(said, do):
    return Finding("versions", "wrong", said, do)


def _imports(name):
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True
