"""Random access to TFRecord files through an index."""

import struct
from collections.abc import Sequence

from keras_ab.data.sources import files
from keras_ab.data.sources.indices import indexed
from keras_ab.typing import PathLike

HEAD, TAIL = 12, 4
"""Bytes before a record (its length and that one's checksum) and after it."""


class TFRecords:
    """Serialised records of some TFRecord files that are not compressed.

    A file is read through once for where its records are, which is kept in an
    index file.

    Args:
        ranges: List of `(path, skip, take)`: files, and which of their
            records.
        index_folder: Folder for the indices; None puts each beside its file.
    """

    def __init__(
        self,
        ranges: Sequence[tuple[str, int, int]],
        index_folder: PathLike | None = None,
    ):
        self.places = []
        for path, skip, take in ranges:
            parts = indexed(path, _scan, index_folder, "tfrecord")
            if len(parts) < skip + take:
                raise ValueError(
                    f"{path} should hold {skip + take} records or more, and "
                    f"is cut after {len(parts)}. Prepare the data set anew"
                )
            self.places += [(path, *p) for p in parts[skip : skip + take]]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> bytes:
        return files.read(*self.places[index])


def _scan(path):
    """List of `(offset, size)` in bytes of the records of a file."""
    total, _ = files.size_and_time(path)
    parts, offset = [], 0
    with files.open_file(path) as stream:
        while offset + HEAD <= total:
            stream.seek(offset)
            (size,) = struct.unpack("<Q", stream.read(HEAD)[:8])
            end = offset + HEAD + size + TAIL
            if end > total:
                break
            parts.append((offset + HEAD, size))
            offset = end
    return parts
