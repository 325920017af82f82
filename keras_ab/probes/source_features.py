"""Frozen features of a source's images, computed once."""

import contextlib
import dataclasses
import hashlib
import json
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_ab.data.records import NothingUsable
from keras_ab.data.source import Source
from keras_ab.probes.features import check_output
from keras_ab.probes.fingerprint import source_fingerprint
from keras_ab.probes.frozen_encoder import FrozenEncoder
from keras_ab.probes.image_reader import ImageReader
from keras_ab.typing import PathLike

VERSION = 1


@dataclasses.dataclass
class Features:
    """What an encoder makes of a source's images.

    Attributes:
        values: float32 of shape `(B, D)` or `(B, T, D)`, in the order of the
            source; or uint8 `(B, h, w, 3)` of images as they are.
        ids: List of strings, the records' ids.
        indices: int64 of shape `(B,)`, the records' places in the source.
        skipped: List of dicts with `"id"`, `"reason"` and `"detail"`: bad
            records, which are left out of the others.
    """

    values: np.ndarray
    ids: list[str]
    indices: np.ndarray
    skipped: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.values)


def source_features(
    encoder: Any,
    source: Source,
    output: str = "pooled",
    crop: str = "center",
    batch_size: int = 64,
    cache: PathLike | None = None,
    progress: Callable[[int, int], Any] | None = None,
    view: int = 0,
) -> Features:
    """Encodes the images of a source, with the weights frozen.

    Args:
        encoder: A `keras_ab.probes.FrozenEncoder`, or what one takes.
        source: A `keras_ab.data.Source`. Records whose images cannot be read
            are left out and listed.
        output: `"pooled"` or `"tokens"`; or `"images"` for the crops
            themselves.
        crop: `"center"` for the middle (`keras_ab.probes.center_crop`),
            `"whole"` for the whole image resized.
        batch_size: Int, images to a call.
        cache: Folder that keeps features from one call to the next, or None.
            What is there is used where weights, settings, records and
            annotations are the same; that a file's pixels are the same is
            taken on trust.
        progress: Callable that is told the number of images done, and that
            of records.
        view: Int, 0 for `crop`; each other number for a random crop of every
            image, as probes may be trained on.

    Returns:
        `Features`.

    Raises:
        NothingUsable: If no image can be read.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=4)
    >>> keras_ab.probes.source_features(model, scenes).values.shape
    # (4, 32)
    """
    if output != "images":
        check_output(output)
    encoder = FrozenEncoder(encoder)
    reader = ImageReader(source, encoder.image_size, crop, batch_size, view)
    if cache is None or output == "images":
        return _compute(encoder, reader, output, progress)
    key: dict[str, Any] = {
        "version": VERSION,
        "encoder": encoder.describe(),
        "source": source_fingerprint(source),
        "output": output,
        "crop": crop,
        "view": view,
    }
    key["encoder"].pop("name")
    text = json.dumps(key, sort_keys=True)
    stem = hashlib.sha256(text.encode()).hexdigest()[:32]
    folder = pathlib.Path(cache)
    found = _load(folder, stem, text)
    if found is None:
        found = _compute(encoder, reader, output, progress)
        _save(folder, stem, text, found)
    return found


def _compute(encoder, reader, output, progress):
    source = reader.source
    values, indices, count = [], [], 0
    for places, images in reader:
        if output != "images":
            images = getattr(encoder, output)(images, reader.batch_size)
        values.append(images)
        indices.append(places)
        count += len(places)
        if progress is not None:
            progress(count, len(source))
    if not values:
        first = reader.skipped[0]
        raise NothingUsable(
            f"None of {len(source)} images can be read. The first: "
            f"{first['id']}: {first['reason']}",
            [(bad["id"], bad["reason"]) for bad in reader.skipped],
        )
    indices = np.concatenate(indices)
    values = np.concatenate(values)
    order = np.argsort(indices)
    if (order[1:] < order[:-1]).any():
        # Those that PIL had to read came last.
        indices, values = indices[order], values[order]
    return Features(values, reader.ids(indices), indices, reader.skipped)


def _save(folder, stem, key, features):
    folder.mkdir(parents=True, exist_ok=True)
    rest = {
        "key": key,
        "shape": features.values.shape,
        "ids": features.ids,
        "indices": features.indices.tolist(),
        "skipped": features.skipped,
    }
    # The list last: without it, the values do not count.
    with _replaced(folder / f"{stem}.npy") as stream:
        np.save(stream, features.values)
    with _replaced(folder / f"{stem}.json") as stream:
        stream.write(json.dumps(rest).encode())


@contextlib.contextmanager
def _replaced(path):
    """A file that takes its name when it is whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as stream:
        try:
            yield stream
        except BaseException:
            pathlib.Path(stream.name).unlink()
            raise
    pathlib.Path(stream.name).replace(path)


def _load(folder, stem, key):
    """What was saved; None where it is not there, or not whole."""
    try:
        rest = json.loads((folder / f"{stem}.json").read_bytes())
        values = np.load(folder / f"{stem}.npy", mmap_mode="r")
        if rest["key"] != key or list(values.shape) != rest["shape"]:
            return None
        # One vector an image fits in memory; its tokens may not.
        values = np.array(values) if values.ndim == 2 else values
        indices = np.array(rest["indices"], "int64")
        return Features(values, rest["ids"], indices, rest["skipped"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
