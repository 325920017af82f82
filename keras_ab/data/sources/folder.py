"""Folders of images."""

import csv
import io
import itertools
import json
import os
import pathlib
from typing import Any

from keras_ab.data.records import NothingUsable
from keras_ab.data.sources import files
from keras_ab.data.sources.captions import MAX_LENGTH
from keras_ab.data.sources.captions import captioned
from keras_ab.data.sources.captions import lines
from keras_ab.data.sources.captions import strings
from keras_ab.data.sources.stored import StoredImages
from keras_ab.data.sources.stored import pick
from keras_ab.typing import PathLike

EXTENSIONS = (
    ".jpg",
    ".jpeg",
    ".png",
    ".bmp",
    ".gif",
    ".webp",
    ".tif",
    ".tiff",
)


def is_image(name: str) -> bool:
    """Whether a file's name ends like an image's, in either case."""
    return name.lower().endswith(EXTENSIONS)


def from_folder(
    path: PathLike,
    captions: PathLike | None = None,
    labels: str | None = None,
    missing_captions: str = "skip",
    max_caption_length: int = MAX_LENGTH,
) -> StoredImages:
    """A source over the images below a folder.

    Args:
        path: The folder, local or such as `gs://...`; images are found at any
            depth, by extension in upper or lower case (`.jpg`, `.jpeg`,
            `.png`, `.bmp`, `.gif`; `.webp`, `.tif` and `.tiff` by PIL).
        captions: Where captions are: `"txt"` for a file `name.txt` beside
            `name.jpg`, one caption a line; or the path of a `.csv` (columns
            `file_name` and `text`) or `.jsonl` (the same keys) file, names
            relative to the folder. None for no captions.
        labels: `"folders"` takes the name of an image's folder as its class.
        missing_captions: What becomes of an image without a usable caption:
            `"skip"` leaves it out and lists it in `rejected`, `"keep"` keeps
            it with an empty list, `"error"` raises.
        max_caption_length: Int, the most characters to a caption.

    Returns:
        A `StoredImages` source, with `"text"` and `"label"` as asked for.

    Raises:
        ValueError: If the folder is missing, or has no image that can be
            used.

    Example:

    >>> photos = keras_ab.data.from_folder("photos", captions="txt")
    """
    if not files.is_folder(path):
        raise ValueError(
            f"`path` must be a folder of images. Received: {str(path)!r}, "
            "which is no folder"
        )
    if labels not in (None, "folders"):
        raise ValueError(
            f"`labels` must be 'folders' or None. Received: {labels!r}"
        )
    sizes = files.walk(path)
    names = sorted(filter(is_image, sizes))
    if not names:
        raise NothingUsable(
            f"No images below {str(path)!r}. Accepted extensions: "
            f"{', '.join(EXTENSIONS)}",
            [],
        )
    rejected = [(name, "empty") for name in names if sizes[name] == 0]
    names = [name for name in names if sizes[name] != 0]
    columns: dict[str, list[Any]] = {"id": names}
    if captions is not None:
        found, faults = _captions(path, captions, sizes)
        raw = [found.get(name, []) for name in names]
        kept, texts, without = captioned(
            names, raw, missing_captions, max_caption_length
        )
        rejected += faults + without
        columns = {"id": pick(names, kept), "text": texts}
    names = columns["id"]
    if not names:
        raise NothingUsable(
            f"None of the images below {str(path)!r} can be used; none has a "
            f"caption by captions={captions!r}, or all are empty. The "
            f"first: {rejected[:3]}",
            rejected,
        )
    attributes = {}
    if labels == "folders":
        root = str(path) if files.is_remote(path) else os.path.abspath(path)
        folders = [pathlib.PurePath(root, name).parent.name for name in names]
        class_names = sorted(set(folders))
        numbers = {name: i for i, name in enumerate(class_names)}
        columns["label"] = [numbers[folder] for folder in folders]
        attributes["class_names"] = class_names
    paths = [files.join(path, name) for name in names]
    return StoredImages(paths, columns, rejected=rejected, names=attributes)


def _captions(path, captions, sizes):
    """Dict from image names to captions as found, and list of faults."""
    if captions == "txt":
        return _text_files(path, sizes), []
    table = str(captions)
    if not table.endswith((".csv", ".jsonl")) or not files.find(table):
        raise ValueError(
            "`captions` must be 'txt' or the path of a .csv or .jsonl "
            f"file. Received: {table!r}"
        )
    found: dict[str, Any] = {}
    faults, lacking = [], None
    read = _csv if table.endswith(".csv") else _jsonl
    content = files.read(table).decode("utf-8-sig", "surrogateescape")
    for number, row in read(content):
        texts = None if row is None else _texts(row)
        if texts is None:
            faults.append((f"{table}:{number}", "invalid annotation"))
            if row is not None and not {"file_name", "text"} <= set(row):
                lacking = lacking or (number, row)
        elif row["file_name"] not in sizes:
            faults.append((row["file_name"], "missing"))
        else:
            found.setdefault(row["file_name"], []).extend(texts)
    if lacking and not found:
        number, row = lacking
        raise ValueError(
            f"{table}, record {number}: needs 'file_name' and 'text'. "
            f"Received: {sorted(k for k in row if k)}"
        )
    return found, faults


def _texts(row):
    """Captions of a row as they stand there, or None for a wrong row."""
    name = row.get("file_name")
    if not isinstance(name, str) or not name or "text" not in row:
        return None
    text = row["text"]
    return lines(text) if isinstance(text, str) else strings(text)


def _text_files(path, sizes):
    texts = {}
    for name in sizes:
        stem, dot, extension = name.rpartition(".")
        if dot and extension.lower() == "txt":
            texts[stem] = name
    return {
        name: lines(files.read(files.join(path, texts[stem])))
        for name in filter(is_image, sizes)
        if (stem := name.rpartition(".")[0]) in texts
    }


def _csv(content):
    """Numbers and rows, None for one that cannot be told from others."""
    rows = csv.DictReader(io.StringIO(content, newline=""))
    for number in itertools.count(1):
        try:
            row = next(rows, None)
        except csv.Error:  # A quote that is never closed.
            yield number, None
            continue
        if row is None:
            return
        yield number, row


def _jsonl(content):
    """Numbers and objects of the lines, None for one that is no object."""
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            yield number, row if isinstance(row, dict) else None
