"""Images annotated in COCO's format."""

import collections
import json
import math
import os
import posixpath
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.data.records import NothingUsable
from keras_ab.data.sources import files
from keras_ab.data.sources.boxes import normalise
from keras_ab.data.sources.captions import MAX_LENGTH
from keras_ab.data.sources.captions import captioned
from keras_ab.data.sources.captions import check_missing
from keras_ab.data.sources.captions import strings
from keras_ab.data.sources.stored import StoredImages
from keras_ab.data.sources.stored import pick
from keras_ab.typing import PathLike
from keras_ab.typing import is_real

NEEDED = {
    "images": ("id", "file_name", "height", "width"),
    "categories": ("id", "name"),
}


def from_coco(
    annotations: PathLike | Sequence[PathLike],
    images: PathLike,
    karpathy: PathLike | None = None,
    split: str | None = None,
    crowds: str = "keep",
    missing_captions: str = "skip",
    max_caption_length: int = MAX_LENGTH,
) -> StoredImages:
    """A source over images with COCO annotations: boxes, captions, or both.

    Records have `"image_id"`; with instances also `"boxes"`, `"classes"`
    (contiguous, in the order of the category ids) and `"crowd"`; with
    captions also `"text"`. An image of whose annotations one is wrong is left
    out whole, since what remains would be wrong by omission.

    Args:
        annotations: Path of a JSON file in COCO's format, or a list of such,
            for example `instances_train2017.json` and
            `captions_train2017.json`.
        images: The folder that the file names are relative to; also one
            above, as long as a name is there once.
        karpathy: Path of Karpathy's `dataset_coco.json`, which divides the
            images otherwise, and has captions of its own: these are used
            where `annotations` has none.
        split: One of Karpathy's splits, or several joined by `+`:
            `"train+restval"`, `"val"`, `"test"`.
        crowds: `"keep"` or `"drop"`, what becomes of boxes around crowds.
        missing_captions: `"skip"`, `"keep"` or `"error"`, what becomes of
            images without a usable caption where others have some.
        max_caption_length: Int, the most characters to a caption.

    Returns:
        A `StoredImages` source.

    Raises:
        ValueError: If a file is not in COCO's format, or nothing can be used.

    Example:

    ```python
    source = keras_ab.data.from_coco(
        "annotations/instances_train2017.json", "train2017"
    )
    ```
    """
    check_missing(missing_captions)
    if crowds not in ("keep", "drop"):
        raise ValueError(
            f"`crowds` must be 'keep' or 'drop'. Received: {crowds!r}"
        )
    if (karpathy is None) != (split is None):
        raise ValueError(
            "`karpathy` and `split` go together. Received: "
            f"karpathy={karpathy!r}, split={split!r}"
        )
    if isinstance(annotations, (str, os.PathLike)):
        annotations = [annotations]
    coco = _Coco()
    for file in annotations:
        coco.read(file, crowds == "keep")
    chosen = coco.images
    if karpathy is not None:
        chosen = _karpathy(coco, karpathy, split)
    ids = _usable(coco, chosen, images)
    texts = None
    if coco.captions:
        kept, texts, without = captioned(
            [coco.images[i]["file_name"] for i in ids],
            [coco.captions.get(i, []) for i in ids],
            missing_captions,
            max_caption_length,
        )
        coco.rejected += without
        ids = pick(ids, kept)
    if not ids:
        raise NothingUsable(
            f"None of the images of {annotations} can be used. The first "
            f"reasons: {coco.rejected[:3]}",
            coco.rejected,
        )
    columns = {
        "id": [coco.images[i]["file_name"] for i in ids],
        "image_id": ids,
    }
    if texts is not None:
        columns["text"] = texts
    attributes = {}
    if coco.categories:
        order = sorted(coco.categories)
        places = {category: i for i, category in enumerate(order)}
        attributes["category_ids"] = order
        attributes["class_names"] = [coco.categories[c] for c in order]
        columns["boxes"] = [coco.boxes[i] for i in ids]
        columns["classes"] = [
            np.array([places[b["category_id"]] for b in coco.found[i]], int)
            for i in ids
        ]
        columns["crowd"] = [
            np.array([bool(b.get("iscrowd")) for b in coco.found[i]], bool)
            for i in ids
        ]
    paths = [files.join(images, coco.images[i]["place"]) for i in ids]
    return StoredImages(
        paths, columns, rejected=coco.rejected, names=attributes
    )


class _Coco:
    """What some annotation files say, put together by image id."""

    def __init__(self):
        self.images, self.categories = {}, {}
        self.found = collections.defaultdict(list)
        self.captions = collections.defaultdict(list)
        self.boxes, self.rejected = {}, []

    def read(self, file: PathLike, crowds: bool) -> None:
        content = _json(file)
        new: dict[Any, dict[str, Any]] = {}
        for image in self._right(content, "images", file):
            if image["id"] in new:
                self.rejected.append((image["file_name"], "duplicate key"))
            new.setdefault(image["id"], {**image, "place": image["file_name"]})
        self.images.update(new)
        # What hangs on an image that was rejected needs no mention.
        declared = {
            row["id"]
            for row in content["images"]
            if isinstance(row, dict) and _is_id(row.get("id"))
        }
        if content.get("categories"):
            for category in self._right(content, "categories", file):
                self.categories[category["id"]] = category["name"]
        for number, row in enumerate(content.get("annotations") or ()):
            named = isinstance(row, dict) and _is_id(row.get("id"))
            name = f"annotation {row['id'] if named else number}"
            if not isinstance(row, dict) or not _is_id(row.get("image_id")):
                self.rejected.append((name, "invalid annotation"))
            elif row["image_id"] not in new:
                if row["image_id"] not in declared:
                    self.rejected.append((name, "undeclared image"))
            elif "caption" in row:
                self._caption(name, row)
            elif crowds or not row.get("iscrowd"):
                self.found[row["image_id"]].append(row)

    def _right(self, content, key, file):
        """Rows of a table; those that make no sense are rejected."""
        rows = _rows(content, key, file)
        wrong = [_flaw(row, key) for row in rows]
        for number, (row, flaw) in enumerate(zip(rows, wrong)):
            if flaw:
                name = row.get("file_name") if isinstance(row, dict) else None
                name = name if _is_name(name) else f"{key}[{number}]"
                self.rejected.append((name, "invalid annotation"))
        return [row for row, flaw in zip(rows, wrong) if not flaw]

    def _caption(self, name, row):
        texts = strings(row["caption"])
        if texts is None:
            self.rejected.append((name, "invalid annotation"))
        else:
            self.captions[row["image_id"]].extend(texts)

    def fault(self, image_id: int) -> str | None:
        """Why an image's boxes cannot be used, or None."""
        found = self.found[image_id]
        categories = [b.get("category_id") for b in found]
        if any(not _is_id(c) or c not in self.categories for c in categories):
            return "undeclared category"
        image = self.images[image_id]
        try:
            # Strings that look like numbers are no numbers.
            raw = [[+number for number in b["bbox"]] for b in found]
            raw = np.array(raw, "float64")
            raw = raw.reshape(len(found), 4)
        except (KeyError, TypeError, ValueError):
            return "invalid annotation"
        x, y, width, height = raw.T
        corners = np.stack([y, x, y + height, x + width], 1)
        self.boxes[image_id], reason = normalise(
            corners, image["height"], image["width"]
        )
        return reason


def _usable(coco, chosen, folder):
    """Ids of images that are there and whose boxes are right."""
    sizes = files.walk(folder)
    if not sizes:
        raise ValueError(f"`images` must be a folder of images: {folder!r}")
    below = collections.defaultdict(list)
    for name in sizes:
        below[posixpath.basename(name)].append(name)
    usable = []
    for image_id in chosen:
        image = coco.images[image_id]
        place = posixpath.normpath(image["file_name"])
        if place not in sizes and len(below[place]) == 1:
            place = below[place][0]
        if place.startswith(("..", "/")):
            reason = "unsafe name"
        elif place not in sizes:
            reason = "missing"
        elif sizes[place] == 0:
            reason = "empty"
        else:
            reason = coco.fault(image_id)
        if reason is None:
            usable.append(image_id)
            image["place"] = place
        else:
            coco.rejected.append((image["file_name"], reason))
    return usable


def _karpathy(coco, path, split):
    """Ids of the images of some of Karpathy's splits; adds his captions."""
    needed = ("cocoid", "split", "sentences")
    rows = _rows(_json(path), "images", path, needed)
    rows = [row for row in rows if not _lacks(row, needed)]
    known, wanted = {row["split"] for row in rows}, set(split.split("+"))
    if not wanted <= known:
        raise ValueError(
            f"`split` must be of {sorted(known)}, joined by '+'. Received: "
            f"{split!r}"
        )
    own = bool(coco.captions)
    chosen = []
    for row in rows:
        if row["split"] not in wanted:
            continue
        image_id = row["cocoid"]
        if image_id not in coco.images:
            # The other half of COCO, whose file was not given.
            continue
        chosen.append(image_id)
        if not own:
            coco.captions[image_id] = [s["raw"] for s in row["sentences"]]
    if not chosen:
        raise ValueError(
            f"None of the images of {split!r} in {path} is declared in "
            "`annotations`; COCO's train and val files of 2014, or both of "
            "2017, declare them"
        )
    return chosen


def _json(path):
    try:
        content = json.loads(
            files.read(path).decode("utf-8-sig", "surrogateescape")
        )
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a JSON file: {error}") from error
    if not isinstance(content, dict) or "images" not in content:
        raise ValueError(
            f"{path} must be a JSON object with 'images'. Received: "
            f"{sorted(content) if isinstance(content, dict) else 'a list'}"
        )
    return content


def _rows(content, key, file, needed=None):
    """The rows of a table, or an error if none of them has what is needed."""
    rows = content[key]
    if not isinstance(rows, list):
        raise ValueError(
            f"{file}: {key!r} must be a list. Received: {type(rows).__name__}"
        )
    needed = needed or NEEDED[key]
    if rows and all(_lacks(row, needed) for row in rows):
        found = sorted(rows[0]) if isinstance(rows[0], dict) else rows[0]
        raise ValueError(
            f"{file}: {key}[0] needs {_lacks(rows[0], needed)}. Received: "
            f"{found}"
        )
    return rows


def _lacks(row, needed):
    if not isinstance(row, dict):
        return list(needed)
    return [name for name in needed if name not in row]


def _flaw(row, key):
    """Whether a row of images or categories makes no sense."""
    if _lacks(row, NEEDED[key]) or not _is_id(row["id"]):
        return True
    if key == "categories":
        return not _is_name(row["name"])
    sides = row["height"], row["width"]
    return not _is_name(row["file_name"]) or not all(map(_is_size, sides))


def _is_id(value):
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def _is_name(value):
    return isinstance(value, str) and bool(value)


def _is_size(value):
    # Written so that NaN is none.
    return is_real(value) and 0 < value < math.inf
