"""Where presets are: shipped, in a folder, in an archive, on a hub."""

import contextlib
import os
import pathlib
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator

from keras_ab.models.preset_files import CARD
from keras_ab.models.preset_files import CONFIG
from keras_ab.models.preset_files import METADATA
from keras_ab.models.preset_files import WEIGHTS
from keras_ab.presets.errors import PresetError
from keras_ab.typing import PathLike

FILES = (CONFIG, METADATA, WEIGHTS, CARD)
NEEDED = (CONFIG, WEIGHTS)
SCHEMES = ("kaggle", "hf", "gs")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
ACCEPTED = (
    "a name of `keras_ab.presets.list()`; a folder or an archive "
    f"({', '.join(ARCHIVES)}) that `save_to_preset` wrote; "
    "'kaggle://USER/MODEL/keras/VARIANT'; 'hf://USER/MODEL'; or "
    "'gs://BUCKET/FOLDER'"
)


def is_remote(place: str) -> bool:
    """Whether a place is an address of a hub."""
    return place.partition("://")[0] in SCHEMES and "://" in place


@contextlib.contextmanager
def opened(
    place: PathLike, max_bytes: int, load_weights: bool = True
) -> Iterator[dict[str, pathlib.Path]]:
    """The files of a preset, for as long as the context lasts.

    Only the files that presets have are asked for, by their own names, so
    that no name from outside becomes a path.

    Args:
        place: A folder, an archive or an address.
        max_bytes: Int, the most that a file may have.
        load_weights: Bool, whether the weights are wanted too.

    Yields:
        Dict from names of files to paths; optional ones may be missing.

    Raises:
        FileNotFoundError: If there is no such preset.
        PresetError: If an archive holds anything else.
    """
    place = os.fspath(place)
    wanted = [name for name in FILES if name != WEIGHTS or load_weights]
    if is_remote(place):
        # Imported here: it brings the hubs' libraries along.
        from keras_ab.presets import remotes

        found = remotes.fetch(place, wanted, max_bytes)
        yield _complete(found, place, load_weights)
        return
    path = pathlib.Path(place)
    if path.is_dir():
        found = {n: path / n for n in wanted if (path / n).is_file()}
        yield _complete(found, place, load_weights)
    elif path.is_file() and path.name.endswith(ARCHIVES):
        with tempfile.TemporaryDirectory(prefix="keras_ab-preset-") as folder:
            unpack(path, pathlib.Path(folder), max_bytes)
            found = {
                n: pathlib.Path(folder, n)
                for n in wanted
                if pathlib.Path(folder, n).is_file()
            }
            yield _complete(found, place, load_weights)
    else:
        raise FileNotFoundError(
            f"There is no preset {place!r}. Accepted: {ACCEPTED}."
        )


def _complete(found, place, load_weights=True):
    lacks = [
        name
        for name in NEEDED
        if name not in found and (load_weights or name != WEIGHTS)
    ]
    if lacks:
        raise FileNotFoundError(
            f"{place} is no preset of keras_ab: it lacks {', '.join(lacks)}."
        )
    return found


def unpack(archive: PathLike, folder: pathlib.Path, max_bytes: int) -> None:
    """Takes the files of a preset out of an archive.

    The members are looked at first: regular files under the names that
    presets have, at most in one folder. Nothing is written if one is not.

    Args:
        archive: Path of a zip or tar file.
        folder: The folder to write to.
        max_bytes: Int, the most that a member may have.

    Raises:
        PresetError: If there is anything else in it, or it is damaged.
    """
    is_zip = os.fspath(archive).endswith(".zip")
    reader = _read_zip if is_zip else _read_tar
    try:
        reader(archive, folder, max_bytes)
    except (
        OSError,
        EOFError,
        RuntimeError,
        tarfile.TarError,
        zipfile.BadZipFile,
    ) as fault:
        raise PresetError(f"{archive} is damaged: {fault}") from fault


def _read_zip(path, folder, max_bytes):
    with zipfile.ZipFile(path) as archive:
        members = {}
        for member in archive.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            regular = kind in (0, stat.S_IFREG)
            if not member.is_dir():
                name = _checked(
                    member.filename, regular, member.file_size, max_bytes
                )
                members[name] = member
        for name, member in members.items():
            with archive.open(member) as stream:
                _write(stream, folder / name, member.file_size)


def _read_tar(path, folder, max_bytes):
    with tarfile.open(path) as archive:
        members = {}
        for member in archive:
            if not member.isdir():
                name = _checked(
                    member.name, member.isreg(), member.size, max_bytes
                )
                members[name] = member
        for name, member in members.items():
            _write(archive.extractfile(member), folder / name, member.size)


def _checked(name, regular, size, max_bytes):
    """The name under which a member is written."""
    path = pathlib.PurePosixPath(name.removeprefix("./"))
    if (
        path.is_absolute()
        or ".." in path.parts
        or "\\" in name
        or len(path.parts) > 2
        or path.name not in FILES
    ):
        raise PresetError(
            f"The archive holds {name!r}; a preset holds {', '.join(FILES)} "
            "and nothing else. Nothing was written."
        )
    if not regular:
        raise PresetError(
            f"{name!r} in the archive is no regular file. Nothing was written."
        )
    if size > max_bytes:
        raise PresetError(
            f"{name!r} in the archive has {size:,} bytes, more than the "
            f"{max_bytes:,} that are allowed (`max_bytes`)."
        )
    return path.name


def _write(stream, path, size):
    with stream, open(path, "wb") as file:
        shutil.copyfileobj(stream, file)
    if path.stat().st_size != size:
        raise PresetError(f"{path.name} has not the size that was declared.")
