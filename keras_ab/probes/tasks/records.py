"""Annotations of a source, without its images."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

if TYPE_CHECKING:
    from keras_ab.data.source import Source


def read_records(
    source: "Source",
    indices: Iterable[int] | None = None,
    size: bool = False,
) -> list[dict[str, Any]]:
    """The records of a source, less their images.

    Args:
        source: A `keras_ab.data.Source`.
        indices: Which records; None for all.
        size: Bool, whether to add `"size"`, `(height, width)` in pixels, for
            which the headers of all images are read.

    Returns:
        A list of dicts.

    Example:

    >>> source = keras_ab.data.Scenes(size=2)
    >>> records = keras_ab.probes.tasks.read_records(source, size=True)
    >>> records[0]["size"]
    # (96, 96)
    """
    indices = range(len(source)) if indices is None else indices
    if not size:
        return [source.annotations(int(index)) for index in indices]
    records = []
    for index in indices:
        record = dict(source[int(index)])
        record["size"] = _size(record.pop("image"))
        records.append(record)
    return records


def _size(image):
    """`(height, width)` of an image as it is seen upright."""
    if not isinstance(image, bytes):
        return tuple(np.shape(image)[:2])
    # Imported here: it decides what a file is, as loading it does.
    from keras_ab.data.headers import read_header
    from keras_ab.data.records import BadRecord

    try:
        height, width, orientation = read_header(image)
    except BadRecord:
        return _by_pil(image)
    return (width, height) if orientation >= 5 else (height, width)


def _by_pil(image):
    import io

    from PIL import Image
    from PIL import ImageOps

    with Image.open(io.BytesIO(image)) as opened:
        width, height = ImageOps.exif_transpose(opened).size
    return height, width
