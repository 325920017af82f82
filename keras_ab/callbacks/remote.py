"""Folders that are not on this machine, such as `gs://bucket/run`."""

import contextlib
import pathlib
import posixpath
import re
import tempfile
from collections.abc import Iterator
from typing import Self

from keras_ab.data.tf import tensorflow
from keras_ab.typing import PathLike


class RemotePath:
    """As much of `pathlib.Path` as checkpoints need, through tf.io.gfile.

    Args:
        address: String, `scheme://...`, of a scheme that TensorFlow knows.
    """

    def __init__(self, address: str):
        self._address = address.rstrip("/")

    def __str__(self) -> str:
        return self._address

    def __repr__(self) -> str:
        return f"RemotePath({self._address!r})"

    def __truediv__(self, name: str) -> Self:
        return type(self)(posixpath.join(self._address, name))

    @property
    def name(self) -> str:
        return posixpath.basename(self._address)

    def glob(self, pattern: str) -> list[Self]:
        found = _gfile().glob(posixpath.join(self._address, pattern))
        return [type(self)(address) for address in found]

    def mkdir(self, parents: bool = True, exist_ok: bool = True) -> None:
        _gfile().makedirs(self._address)

    def unlink(self, missing_ok: bool = False) -> None:
        if not missing_ok or _gfile().exists(self._address):
            _gfile().remove(self._address)

    def take(self, local: PathLike) -> None:
        """Becomes a copy of a local file: the whole of it, or nothing.

        Where a name exists before its content is complete, it is another one.
        """
        aside = f"{self._address}.unfinished"
        _gfile().copy(str(local), aside, overwrite=True)
        _gfile().rename(aside, self._address, overwrite=True)


def folder(path: PathLike | RemotePath) -> pathlib.Path | RemotePath:
    """A folder by its path or address.

    Args:
        path: Path, or `scheme://...` as a string.

    Returns:
        A `pathlib.Path`, or a `RemotePath`.

    Raises:
        ValueError: If an address has been through `pathlib.Path`, which takes
            one of its slashes.
    """
    if isinstance(path, RemotePath):
        return path
    if "://" in str(path):
        return RemotePath(str(path))
    if re.match(r"[a-z][a-z0-9+.-]+:/", str(path)):
        raise ValueError(
            "A remote folder must be given as a string, such as "
            f"'gs://bucket/run'. Received: {path!r}"
        )
    return pathlib.Path(path)


@contextlib.contextmanager
def at_hand(path: pathlib.Path | RemotePath) -> Iterator[pathlib.Path]:
    """A file on this machine: itself, or a copy for as long as it is needed.

    Args:
        path: A `pathlib.Path` or a `RemotePath`.

    Yields:
        A `pathlib.Path`.
    """
    if isinstance(path, pathlib.Path):
        yield path
        return
    with tempfile.TemporaryDirectory() as place:
        local = pathlib.Path(place, path.name)
        _gfile().copy(str(path), str(local))
        yield local


def _gfile():
    return tensorflow().io.gfile
