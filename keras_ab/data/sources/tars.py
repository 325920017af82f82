"""Where the members of a tar are."""

import json
import posixpath
import tarfile
from collections.abc import Sequence
from typing import Any

from keras_ab.data.sources import files
from keras_ab.data.sources.captions import lines
from keras_ab.data.sources.captions import strings
from keras_ab.data.sources.indices import indexed
from keras_ab.typing import PathLike

BLOCK = tarfile.BLOCKSIZE
CHUNK = 1 << 20
GZIP, BZIP, XZ = b"\x1f\x8b", b"BZ", b"\xfd7"


def tar_index(
    path: PathLike,
    folder: PathLike | None = None,
    contents: Sequence[str] = (),
    caption_key: str = "caption",
) -> dict[str, Any]:
    """The members of a tar, from its index file or by reading it through.

    Args:
        path: The tar, uncompressed, local or remote.
        folder: Folder for the index file, or None for beside the tar.
        contents: Tuple of extensions whose members' contents are kept in the
            index: `"txt"` (its lines), `"json"` (the list of strings under
            `caption_key`), `"cls"` (an int).
        caption_key: String.

    Returns:
        A dict of `"members"`, a list of `[name, offset, size]` in bytes;
        `"contents"`, a dict from member names to what they hold (None if it
        does not parse); `"rejected"`, a list of `[name, reason]`; and
        `"cut"`, whether the tar stops before its end, or goes on after
        what cannot be read.

    Raises:
        ValueError: If the file is compressed.
    """

    def build(path):
        return _scan(path, contents, caption_key)

    return indexed(path, build, folder, ",".join((*contents, caption_key)))


def _scan(path, contents, caption_key):
    index: dict[str, Any] = {
        "members": [],
        "contents": {},
        "rejected": [],
        "cut": False,
    }
    total, _ = files.size_and_time(path)
    if total == 0:
        index["rejected"].append([posixpath.basename(path), "empty"])
        return index
    with files.open_file(path) as stream:
        if stream.read(2) in (GZIP, BZIP, XZ):
            raise ValueError(
                f"{path} is compressed. Random access needs tars that are "
                "not: unpack it with gzip -d, bzip2 -d or xz -d"
            )
        stream.seek(0)
        end = 0
        for member in _members(stream, total):
            end = member.offset_data + member.size
            name = posixpath.normpath(member.name)
            if end > total:
                index["rejected"].append([name, "truncated archive"])
            elif name.startswith(("/", "..")):
                index["rejected"].append([member.name, "unsafe name"])
            elif not (member.isreg() or member.isdir()) or member.issparse():
                index["rejected"].append([name, "not a file"])
            elif member.isreg():
                index["members"].append([name, member.offset_data, member.size])
                kind = name.rpartition(".")[2].lower()
                if kind in contents:
                    stream.seek(member.offset_data)
                    read = READERS[kind](stream.read(member.size), caption_key)
                    index["contents"].setdefault(name, read)
        index["cut"] = not _ends(stream, _padded(end), total)
    if not index["members"] and not index["rejected"] and index["cut"]:
        index["rejected"].append([posixpath.basename(path), "unreadable"])
    return index


def _members(stream, total):
    """The members one after another, as far as they can be read."""
    try:
        # Nothing is extracted.
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            while (member := tar.next()) is not None:
                # The library would keep all of them.
                tar.members.clear()  # type: ignore[attr-defined]
                yield member
                if _padded(member.offset_data + member.size) > total:
                    return
    except tarfile.TarError:
        return


def _ends(stream, end, total):
    """Whether a tar ends as whole ones do, in zeros and nothing else."""
    if end + BLOCK > total:
        return False
    stream.seek(end)
    while content := stream.read(CHUNK):
        if content.strip(b"\0"):
            return False
    return True


def _padded(size):
    return -(-size // BLOCK) * BLOCK


def _json(content, key):
    try:
        found = json.loads(content.decode("utf-8", "surrogateescape"))[key]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return strings(found)


def _int(content, _):
    try:
        return int(content)
    except ValueError:
        return None


def _lines(content, _):
    return [line.decode("utf-8", "surrogateescape") for line in lines(content)]


READERS = {"txt": _lines, "json": _json, "cls": _int}
