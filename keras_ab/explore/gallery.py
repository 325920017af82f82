"""The pictures that the page offers, and those that are dropped on it."""

import base64
import collections
import functools
import hashlib
import io
from typing import Any

import numpy as np

from keras_ab.data import Source
from keras_ab.data.decoding import to_bmp
from keras_ab.data.headers import MAX_PIXELS
from keras_ab.data.headers import TOO_LARGE
from keras_ab.data.records import BadRecord
from keras_ab.data.source import captions_of

UPLOADS = 16
"""Dropped pictures that are kept, the newest."""

HELD = 4
"""Pictures that are held decoded, those asked for last."""

SHOWN = 640
"""Pixels of a side, to which the page's copy of a picture is cut down."""


class Gallery:
    """Pictures by key, decoded when they are asked for.

    Args:
        source: A `keras_ab.data.Source`, whose first records are offered.
            Those that cannot be read are left out.
        count: Int, how many.

    Attributes:
        captions: List of the captions of these records, each once, in order.

    Raises:
        ValueError: If no record can be read.
    """

    def __init__(self, source: Source, count: int = 24):
        self.captions: list[str] = []
        self._source = source
        self._places: dict[str, int] = {}
        self._names = {}
        self._dropped: collections.OrderedDict = collections.OrderedDict()
        self._decoded = functools.lru_cache(HELD)(self._decode)
        for index in range(len(source)):
            if len(self._places) == count:
                break
            try:
                record = source[index]
                as_picture(record["image"])
            except (BadRecord, ValueError, OSError):
                continue
            key = str(len(self._places))
            self._places[key] = index
            self._names[key] = str(record.get("id", index))
            # Records without a caption may be among those of a folder.
            captions = captions_of(record) if record.get("text") else []
            for text in captions[:1]:
                if text not in self.captions:
                    self.captions.append(text)
        if not self._places:
            raise ValueError(
                "There is no picture that could be read among "
                f"{len(source)} records."
            )

    @property
    def names(self) -> dict[str, str]:
        """Dict from keys to what people call the pictures."""
        return {**self._names, **{k: v[0] for k, v in self._dropped.items()}}

    @property
    def offered(self) -> list[str]:
        """List of the keys of the source's pictures, in order."""
        return list(self._places)

    def __getitem__(self, key: str) -> np.ndarray:
        """The picture of a key, uint8 `(H, W, 3)`."""
        if key not in self._dropped and key not in self._places:
            raise ValueError(
                f"There is no picture {key!r} any more; drop it again."
            )
        return self._decoded(key)

    def _decode(self, key):
        if key in self._dropped:
            return as_picture(self._dropped[key][1])
        try:
            return as_picture(self._source[self._places[key]]["image"])
        except OSError as error:
            raise ValueError(
                f"{self._names[key]} cannot be read any more: {error}"
            ) from error

    def drop(self, name: str, contents: str) -> str:
        """Takes a picture that was dropped on the page.

        Args:
            name: String, its file name.
            contents: String, a data URL with base64.

        Returns:
            String, its key.

        Raises:
            ValueError: If it is no picture, or too large a one.
        """
        data = base64.b64decode(contents.partition(",")[2])
        key = f"dropped-{hashlib.sha256(data).hexdigest()[:16]}"
        if key not in self._dropped:
            as_picture(data)
            self._dropped[key] = (name, data)
            while len(self._dropped) > UPLOADS:
                self._dropped.popitem(last=False)
        return key


def as_picture(image: Any) -> np.ndarray:
    """A record's image as pixels.

    Args:
        image: uint8 `(H, W, 3)`, or encoded bytes.

    Returns:
        uint8 of shape `(H, W, 3)`.

    Raises:
        ValueError: If it cannot be decoded, or is too large.
    """
    if not isinstance(image, (bytes, np.bytes_)):
        return np.asarray(image)
    # Imported here: Pillow comes with the extra `explore`.
    from PIL import Image

    try:
        with Image.open(io.BytesIO(to_bmp(bytes(image)))) as picture:
            return np.asarray(picture)
    except (OSError, BadRecord) as error:
        if getattr(error, "reason", None) == TOO_LARGE:
            raise ValueError(
                "This picture is too large. Accepted are pictures of up to "
                f"{MAX_PIXELS // 10**6} million pixels."
            ) from error
        raise ValueError("This file is no picture that can be read.") from error


def as_url(picture: np.ndarray) -> str:
    """A picture as a data URL, for the page.

    Args:
        picture: uint8 of shape `(H, W, 3)`.

    Returns:
        String.
    """
    from PIL import Image

    shown = Image.fromarray(picture)
    shown.thumbnail((SHOWN, SHOWN))
    stream = io.BytesIO()
    shown.save(stream, "PNG")
    data = base64.b64encode(stream.getvalue()).decode()
    return f"data:image/png;base64,{data}"
