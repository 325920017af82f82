"""Images annotated in COCO's format."""

import collections
import json
import posixpath
from collections.abc import Sequence

import numpy as np

from keras_ab.data.records import NothingUsable
from keras_ab.data.sources import files
from keras_ab.data.sources.boxes import normalise
from keras_ab.data.sources.captions import MAX_LENGTH
from keras_ab.data.sources.captions import captioned
from keras_ab.data.sources.captions import check_missing
from keras_ab.data.sources.stored import StoredImages
from keras_ab.data.sources.stored import pick
from keras_ab.typing import PathLike

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
    several = isinstance(annotations, (list, tuple))
    coco = _Coco()
    for file in annotations if several else [annotations]:
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
        numbers = {category: i for i, category in enumerate(order)}
        attributes["category_ids"] = order
        attributes["class_names"] = [coco.categories[c] for c in order]
        columns["boxes"] = [coco.boxes[i] for i in ids]
        columns["classes"] = [
            np.array([numbers[b["category_id"]] for b in coco.found[i]], int)
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
        new = {}
        for image in _rows(content, "images", file):
            if image["id"] in new:
                self.rejected.append((image["file_name"], "duplicate key"))
            new.setdefault(image["id"], {**image, "place": image["file_name"]})
        self.images.update(new)
        if "categories" in content:
            for category in _rows(content, "categories", file):
                self.categories[category["id"]] = category["name"]
        for number, row in enumerate(content.get("annotations", ())):
            name = f"annotation {row.get('id', number)}"
            if "image_id" not in row:
                self.rejected.append((name, "invalid annotation"))
            elif row["image_id"] not in new:
                self.rejected.append((name, "undeclared image"))
            elif "caption" in row:
                self.captions[row["image_id"]].append(str(row["caption"]))
            elif crowds or not row.get("iscrowd"):
                self.found[row["image_id"]].append(row)

    def fault(self, image_id: int) -> str | None:
        """Why an image's boxes cannot be used, or None."""
        found = self.found[image_id]
        if any(b.get("category_id") not in self.categories for b in found):
            return "undeclared category"
        image = self.images[image_id]
        try:
            raw = np.array([b["bbox"] for b in found], "float64")
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
    rows = _rows(_json(path), "images", path, ("cocoid", "split", "sentences"))
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
    except ValueError as error:
        raise ValueError(f"{path} is not a JSON file: {error}") from error
    if not isinstance(content, dict) or "images" not in content:
        raise ValueError(
            f"{path} must be a JSON object with 'images'. Received: "
            f"{sorted(content) if isinstance(content, dict) else 'a list'}"
        )
    return content


def _rows(content, key, file, needed=None):
    needed = needed or NEEDED[key]
    for number, row in enumerate(content[key]):
        missing = [name for name in needed if name not in row]
        if missing:
            raise ValueError(
                f"{file}: {key}[{number}] needs {missing}. Received: "
                f"{sorted(row)}"
            )
    return content[key]
