"""Tar shards as img2dataset and webdataset write them."""

import itertools
import posixpath
import re
from collections.abc import Sequence
from typing import Any

from keras_ab.data.records import NothingUsable
from keras_ab.data.sources import files
from keras_ab.data.sources.captions import MAX_LENGTH
from keras_ab.data.sources.captions import captioned
from keras_ab.data.sources.captions import check_missing
from keras_ab.data.sources.folder import EXTENSIONS
from keras_ab.data.sources.stored import StoredImages
from keras_ab.data.sources.stored import pick
from keras_ab.data.sources.tars import tar_index
from keras_ab.typing import PathLike

IMAGES = tuple(extension[1:] for extension in EXTENSIONS)


def from_webdataset(
    shards: PathLike | Sequence[PathLike],
    captions: str | None = None,
    labels: str | None = None,
    caption_key: str = "caption",
    missing_captions: str = "skip",
    max_caption_length: int = MAX_LENGTH,
    index_folder: PathLike | None = None,
) -> StoredImages:
    """A source over tar shards, with random access.

    A shard is read through once, for an index of where its members are, which
    is kept in a file and made anew when the shard changes. Members of one
    name up to the first dot are a sample: `000.jpg`, `000.txt`, `000.json`.
    A shard that was cut is used as far as it goes.

    Args:
        shards: Path of a tar, of a folder of them, or pattern of several:
            `*`, `?`, `[0-9]`, and braces (`"cc12m/{00000..01242}.tar"`,
            `"{a,b}.tar"`); or a list of these. Local, or such as
            `gs://...`. Braces name shards that must be there.
        captions: `"txt"` takes each line of the `.txt` members as a caption,
            `"json"` what the `.json` members have under `caption_key`. None
            for no captions.
        labels: `"cls"` takes the number in the `.cls` members as the class.
        caption_key: String, see `captions`.
        missing_captions: `"skip"`, `"keep"` or `"error"`, what becomes of a
            sample without a usable caption.
        max_caption_length: Int, the most characters to a caption.
        index_folder: Folder for the index files; None puts each beside its
            shard.

    Returns:
        A `StoredImages` source; ids are `shard/key`.

    Raises:
        ValueError: If a shard is missing or compressed, or nothing can be
            used.

    Example:

    ```python
    source = keras_ab.data.from_webdataset(
        "cc3m/{00000..00331}.tar", captions="txt"
    )
    ```
    """
    check_missing(missing_captions)
    if captions not in (None, "txt", "json"):
        raise ValueError(
            f"`captions` must be 'txt', 'json' or None. Received: {captions!r}"
        )
    if labels not in (None, "cls"):
        raise ValueError(
            f"`labels` must be 'cls' or None. Received: {labels!r}"
        )
    paths = _paths(shards)
    needed = tuple(filter(None, (captions, labels)))
    samples, rejected = [], []
    for path, name in zip(paths, _names(paths)):
        index = tar_index(path, index_folder, needed, caption_key)
        shard = posixpath.basename(path)
        found, faults = _samples(index, shard, needed, captions)
        samples += [(path, f"{name}/{key}", s) for key, s in found]
        rejected += [(f"{name}/{key}", reason) for key, reason in faults]
    columns: dict[str, list[Any]] = {"id": [id for _, id, _ in samples]}
    if captions is not None:
        kept, texts, without = captioned(
            columns["id"],
            [sample.get(captions, []) for _, _, sample in samples],
            missing_captions,
            max_caption_length,
        )
        rejected += without
        samples = pick(samples, kept)
        columns = {"id": pick(columns["id"], kept), "text": texts}
    if labels is not None:
        columns["label"] = [sample["cls"] for _, _, sample in samples]
    if not samples:
        raise NothingUsable(
            f"Nothing in {shards!r} can be used. The first reasons: "
            f"{rejected[:3]}",
            rejected,
        )
    parts = [sample["image"] for _, _, sample in samples]
    paths = [path for path, _, _ in samples]
    return StoredImages(paths, columns, parts=parts, rejected=rejected)


def _samples(index, shard, needed, captions):
    """Samples of a shard that can be used, by key, and faults."""
    samples: dict[str, dict[str, Any]] = {}
    faults: dict[str, tuple[str, str]] = {}
    for name, offset, size in index["members"]:
        key, kind = _split(name)
        sample = samples.setdefault(key, {})
        kind = "image" if kind in IMAGES else kind
        if kind in sample:
            faults.setdefault(f"{key} again", (key, "duplicate key"))
        elif kind == "image":
            sample[kind] = (offset, size)
        else:
            sample[kind] = index["contents"].get(name)
    lost = set()
    for name, reason in index["rejected"]:
        if reason == "truncated archive":
            lost.add(_split(name)[0])
        else:
            faults[name] = (name, reason)
    if index["cut"] and not lost and samples:
        # Cut between members: the last sample may have lost some.
        lost.add(next(reversed(samples)))
    usable = []
    for key, sample in samples.items():
        reason = _fault(sample, needed, captions, key in lost)
        if reason is None:
            usable.append((key, sample))
        else:
            faults[key] = (key, reason)
    for key in lost - set(samples):
        faults[key] = (key, "truncated archive")
    named = any(reason == "truncated archive" for _, reason in faults.values())
    if index["cut"] and samples and not named:
        # Whatever was lost, it was whole samples, whose keys nobody knows.
        faults[shard] = (shard, "truncated archive")
    return usable, list(faults.values())


def _fault(sample, needed, captions, lost):
    if lost and not {"image", *needed} <= set(sample):
        return "truncated archive"
    if "image" not in sample:
        return "missing"
    if sample["image"][1] == 0:
        return "empty"
    for kind in needed:
        # Captions that are not there are for the policy to judge.
        if (kind in sample or kind != captions) and sample.get(kind) is None:
            return "invalid annotation"
    return None


def _split(name):
    """Key and extension, at the first dot of the base name."""
    folder, base = posixpath.split(name)
    stem, _, kind = base.partition(".")
    return posixpath.join(folder, stem), kind.lower()


def _names(paths):
    """Short names of the shards, or their paths if those repeat."""
    names = [posixpath.basename(path).removesuffix(".tar") for path in paths]
    return names if len(set(names)) == len(names) else paths


def _paths(shards):
    """Paths of the shards that patterns name, each once and in order."""
    patterns = shards if isinstance(shards, (list, tuple)) else [shards]
    paths = []
    for pattern in map(str, patterns):
        if files.is_folder(pattern):
            below = files.tars_below(pattern)
            if not below:
                raise ValueError(
                    "`shards` must be tars, patterns of some, or folders that "
                    f"hold some. Received: {pattern!r}, without a .tar"
                )
            paths += below
            continue
        expanded = list(_braces(pattern))
        found = [(name, files.find(name)) for name in expanded]
        missing = [name for name, there in found if not there]
        if missing:
            raise ValueError(
                f"{len(missing)} of the {len(expanded)} shards or patterns "
                f"that {pattern!r} names are not there. The first: "
                f"{missing[:3]}"
            )
        paths += [path for _, there in found for path in there]
    return [str(path) for path in dict.fromkeys(paths)]


def _braces(pattern):
    """All strings that a pattern with {a,b} and {000..123} stands for."""
    pieces = re.split(r"\{([^{}]*)\}", pattern)
    for number, piece in enumerate(pieces):
        span = re.fullmatch(r"(\d+)\.\.(\d+)", piece)
        if number % 2 == 0:
            pieces[number] = [piece]
        elif span:
            width = len(span[1])
            low, high = int(span[1]), int(span[2])
            pieces[number] = [f"{n:0{width}d}" for n in range(low, high + 1)]
        else:
            pieces[number] = piece.split(",")
    return map("".join, itertools.product(*pieces))
