"""Checkpoints on disk: whole, or not there.

A checkpoint is a Keras model file, which `keras.saving.load_model` opens,
with one more member, `training.json`, for what Keras leaves out of it. A
model file is a zip archive, so each member has a checksum.
"""

import json
import os
import pathlib
import re
import struct
import tempfile
import zipfile
import zlib
from typing import Any

import keras

from keras_ab.callbacks import remote
from keras_ab.typing import PathLike

UNFINISHED = "unfinished.keras"
MEMBER = "training.json"
FAULTS = (
    OSError,
    EOFError,
    KeyError,
    ValueError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


class Damaged(Exception):
    """A checkpoint that cannot be read in full."""


def find(
    directory: PathLike | remote.RemotePath,
) -> dict[int, pathlib.Path | remote.RemotePath]:
    """The checkpoints of a folder, whether intact or not.

    Args:
        directory: A folder, local or `scheme://...`, which need not exist.

    Returns:
        Dict from steps to paths, oldest first.
    """
    steps = {}
    for path in remote.folder(directory).glob("step-*.keras"):
        match = re.fullmatch(r"step-(\d+)\.keras", path.name)
        if match:
            steps[int(match.group(1))] = path
    return dict(sorted(steps.items()))


def write(
    model: keras.Model,
    training: dict[str, Any],
    directory: PathLike | remote.RemotePath,
    step: int,
) -> pathlib.Path | remote.RemotePath:
    """Writes a checkpoint aside, then renames it.

    One for a remote folder is written on this machine, and then sent there.

    Args:
        model: A built `keras.Model`.
        training: Dict for JSON.
        directory: A folder, made where it is missing.
        step: Int, names the checkpoint.

    Returns:
        The path.
    """
    directory = remote.folder(directory)
    directory.mkdir(parents=True, exist_ok=True)
    name = f"step-{step:09d}.keras"
    if isinstance(directory, remote.RemotePath):
        there = directory / name
        with tempfile.TemporaryDirectory() as place:
            write(model, training, place, step)
            there.take(pathlib.Path(place, name))
        return there
    path = directory / name
    unfinished = directory / UNFINISHED
    model.save(unfinished)
    with zipfile.ZipFile(unfinished, "a") as archive:
        archive.writestr(MEMBER, json.dumps(training))
    # A rename that reaches the disk before the contents would leave an empty
    # file under the final name.
    with open(unfinished, "rb+") as stream:
        os.fsync(stream.fileno())
    os.replace(unfinished, path)
    if os.name == "posix":
        folder = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return path


def read(path: PathLike) -> dict[str, Any]:
    """Checks a checkpoint and reads what `write` added to the model.

    Args:
        path: Path of a checkpoint on this machine.

    Returns:
        The dict that `write` was given.

    Raises:
        Damaged: If a part of the file is missing or fails its checksum.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
            if bad is not None:
                raise Damaged(f"{bad} fails its checksum")
            return json.loads(archive.read(MEMBER))
    except FAULTS as fault:
        raise Damaged(f"{type(fault).__name__}: {fault}") from fault


def prune(
    directory: PathLike | remote.RemotePath, step: int, keep: int
) -> None:
    """Removes all checkpoints but the newest ones up to a step.

    Args:
        directory: The folder.
        step: Int, the step just saved. What lies beyond it was passed over
            as damaged when the run was resumed, and is removed too.
        keep: Int, how many stay.
    """
    found = find(directory)
    kept = [other for other in found if other <= step][-keep:]
    for other, path in found.items():
        if other not in kept:
            path.unlink(missing_ok=True)
