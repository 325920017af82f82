"""The pictures that the page offers, and those that are dropped on it."""

import base64
import collections
import hashlib
import io
from typing import Any

import numpy as np

from keras_ab.data import Source
from keras_ab.data.decoding import to_bmp
from keras_ab.data.records import BadRecord

UPLOADS = 16
"""Dropped pictures that are kept, the newest."""

SHOWN = 640
"""Pixels of a side, to which the page's copy of a picture is cut down."""


class Gallery:
    """Pictures by key.

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
        self._pictures: dict[str, Any] = {}
        self._names = {}
        self._dropped: collections.OrderedDict = collections.OrderedDict()
        for index in range(len(source)):
            if len(self._pictures) == count:
                break
            try:
                record = source[index]
                picture = as_picture(record["image"])
            except (BadRecord, ValueError, OSError):
                continue
            key = str(len(self._pictures))
            self._pictures[key] = picture
            self._names[key] = str(record.get("id", index))
            for text in record.get("text", ())[:1]:
                if text not in self.captions:
                    self.captions.append(text)
        if not self._pictures:
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
        return list(self._pictures)

    def __getitem__(self, key: str) -> np.ndarray:
        """The picture of a key, uint8 `(H, W, 3)`."""
        if key in self._dropped:
            return self._dropped[key][1]
        if key not in self._pictures:
            raise ValueError(
                f"There is no picture {key!r} any more; drop it again."
            )
        return self._pictures[key]

    def drop(self, name: str, contents: str) -> str:
        """Takes a picture that was dropped on the page.

        Args:
            name: String, its file name.
            contents: String, a data URL with base64.

        Returns:
            String, its key.

        Raises:
            ValueError: If it is no picture.
        """
        data = base64.b64decode(contents.partition(",")[2])
        key = f"dropped-{hashlib.sha256(data).hexdigest()[:16]}"
        if key not in self._dropped:
            self._dropped[key] = (name, as_picture(data))
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
        ValueError: If it cannot be decoded.
    """
    if not isinstance(image, (bytes, np.bytes_)):
        return np.asarray(image)
    # Imported here: Pillow comes with the extra `explore`.
    from PIL import Image

    try:
        with Image.open(io.BytesIO(to_bmp(bytes(image)))) as picture:
            return np.asarray(picture)
    except (OSError, BadRecord) as error:
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
