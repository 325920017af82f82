"""Bytes from local paths, and through tf.io.gfile from `scheme://` ones."""

import glob
import os
import pathlib
import posixpath
from typing import Any

from keras_ab.data.tf import tensorflow
from keras_ab.typing import PathLike
from keras_ab.typing import Tensor


def is_remote(path: PathLike) -> bool:
    """Whether a path has a scheme, such as `gs://`."""
    return "://" in str(path)


def join(folder: PathLike, name: str) -> str:
    """The path of a file, given the name relative to its folder."""
    return (posixpath if is_remote(folder) else os.path).join(str(folder), name)


def open_file(path: PathLike, mode: str = "rb") -> Any:
    """An open file, local or remote."""
    if is_remote(path):
        return tensorflow().io.gfile.GFile(str(path), mode)
    return open(path, mode)


def size_and_time(path: PathLike) -> tuple[int, int]:
    """Size in bytes and time of last change in nanoseconds.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if not is_remote(path):
        status = os.stat(path)
        return status.st_size, status.st_mtime_ns
    tf = tensorflow()
    try:
        status = tf.io.gfile.stat(str(path))
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(str(path)) from error
    return status.length, status.mtime_nsec


def is_folder(path: PathLike) -> bool:
    """Whether a path is a folder."""
    if is_remote(path):
        return tensorflow().io.gfile.isdir(str(path))
    return os.path.isdir(path)


def find(pattern: PathLike) -> list[str]:
    """Sorted paths that match a glob."""
    if is_remote(pattern):
        return sorted(tensorflow().io.gfile.glob(str(pattern)))
    return sorted(glob.glob(str(pattern), recursive=True))


def walk(folder: PathLike) -> dict[str, int | None]:
    """All files below a folder, at any depth; each folder once.

    Args:
        folder: The folder.

    Returns:
        Dict from names relative to the folder, with `/`, to sizes in bytes
        (None where the folder is remote and a size costs a request).
    """
    found: dict[str, int | None] = {}
    if is_remote(folder):
        root = str(folder).rstrip("/")
        for here, _, names in tensorflow().io.gfile.walk(root):
            for name in names:
                path = f"{here.rstrip('/')}/{name}"
                found[path[len(root) + 1 :]] = None
        return found
    seen = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:  # A link to a folder above.
            folders.clear()
            continue
        seen.add(real)
        for name in names:
            path = pathlib.Path(here, name)
            if path.is_file():
                relative = path.relative_to(folder).as_posix()
                found[relative] = path.stat().st_size
    return found


def tars_below(folder: PathLike) -> list[str]:
    """Sorted paths of the tars below a folder, at any depth."""
    names = sorted(walk(folder))
    return [join(folder, n) for n in names if n.lower().endswith(".tar")]


def read(path: PathLike, offset: int = 0, size: int | None = None) -> bytes:
    """Bytes of a file, or of a part of it.

    Raises:
        OSError: If it cannot be read; FileNotFoundError if it is not there.
    """
    if not is_remote(path):
        with open(path, "rb") as stream:
            stream.seek(offset)
            return stream.read() if size is None else stream.read(size)
    tf = tensorflow()
    try:
        with tf.io.gfile.GFile(str(path), "rb") as stream:
            stream.seek(offset)
            return stream.read() if size is None else stream.read(size)
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(str(path)) from error
    except tf.errors.OpError as error:
        raise OSError(str(error)) from error


def read_part(
    path: Tensor, offset: Tensor, size: Tensor, total: Tensor
) -> Tensor:
    """Bytes of a part of a file, inside a tf.data pipeline.

    Args:
        path: String tensor.
        offset: int64 tensor, in bytes.
        size: int64 tensor, in bytes, at least 1.
        total: int64 tensor, bytes of the whole file.

    Returns:
        A string tensor.
    """
    tf = tensorflow()
    part = tf.data.FixedLengthRecordDataset(
        path,
        size,
        header_bytes=offset,
        footer_bytes=total - offset - size,
        buffer_size=size,
    )
    return part.take(1).get_single_element()
