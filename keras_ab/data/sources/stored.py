"""Encoded images in storage, with their annotations in memory."""

import os
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.data.records import BadRecord
from keras_ab.data.source import Source
from keras_ab.data.sources import files
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


class StoredImages(Source):
    """Images in files, or in parts of files such as tar shards.

    Args:
        paths: List of strings, the file of each record; local, or of a
            scheme that tf.io.gfile reads.
        columns: Dict of lists, one entry a record: `"id"` and whatever else
            is known (see `keras_ab.data.Source`).
        parts: List of `(offset, size)` in bytes where an image is a part of
            its file, else None.
        rejected: List of `(id, reason)` of the records left out.
        names: Dict of lists of strings, such as `"class_names"`; each
            becomes an attribute.
    """

    def __init__(
        self,
        paths: Sequence[str],
        columns: dict[str, list[Any]],
        parts: Sequence[tuple[int, int]] | None = None,
        rejected: Sequence[tuple[str, str]] = (),
        names: dict[str, list[str]] | None = None,
    ):
        self.paths = paths
        self.columns = columns
        self.parts = parts
        self.rejected = list(rejected)
        for name, values in (names or {}).items():
            setattr(self, name, values)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"{index} of {len(self)} records")
        record = self.annotations(index)
        offset, size = (0, None) if self.parts is None else self.parts[index]
        try:
            image = files.read(self.paths[index], offset, size)
        except FileNotFoundError as error:
            raise BadRecord("missing", record["id"]) from error
        except OSError as error:
            raise BadRecord("unreadable", record["id"]) from error
        if not image:
            raise BadRecord("empty", record["id"])
        if size is not None and len(image) < size:
            raise BadRecord("truncated archive", record["id"])
        return {"image": image, **record}

    def annotations(self, index: int) -> dict[str, Any]:
        return {key: column[index] for key, column in self.columns.items()}

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self.columns) | {"image"}

    def column(self, key: str) -> list[Any]:
        """One field of all records, images excepted.

        Args:
            key: A name in `fields`.

        Returns:
            A list.
        """
        return self.columns[key]

    def load(self, index: Tensor) -> Tensors:
        from keras_ab.data.tf import tensorflow

        tf = tensorflow()
        if not hasattr(self, "_tensors"):
            # Eager tensors, so that graphs refer to them and copy nothing.
            with tf.init_scope():
                self._tensors = self._as_tensors(tf)
        held = self._tensors
        file = tf.gather(held["file"], index)
        path = tf.gather(held["path"], file)
        if self.parts is None:
            record = {"image": tf.io.read_file(path)}
        else:
            offset, size = tf.unstack(tf.gather(held["part"], index), num=2)
            total = tf.gather(held["total"], file)
            record = {"image": files.read_part(path, offset, size, total)}
        if "text" in self.columns:
            start, stop = tf.unstack(tf.gather(held["row"], index), num=2)
            record["text"] = held["text"][start:stop]
        return record

    def _as_tensors(self, tf):
        numbers = {path: i for i, path in enumerate(dict.fromkeys(self.paths))}
        held = {
            # A file's name need not be UTF-8.
            "path": tf.constant(list(map(os.fsencode, numbers)), "string"),
            "file": tf.constant([numbers[p] for p in self.paths], "int64"),
        }
        if self.parts is not None:
            totals = [files.size_and_time(path)[0] for path in numbers]
            held["total"] = tf.constant(totals, "int64")
            held["part"] = tf.constant(np.array(self.parts, "int64"))
        if "text" in self.columns:
            texts = self.columns["text"]
            ends = np.cumsum([len(t) for t in texts], dtype="int64")
            starts = np.concatenate([[0], ends[:-1]])
            held["row"] = tf.constant(np.stack([starts, ends], 1))
            held["text"] = tf.constant(
                [t for ts in texts for t in ts], "string"
            )
        return held

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_tensors"}


def pick(values: Sequence[Any], indices: Iterable[int]) -> list[Any]:
    """The values at some indices, as a list."""
    return [values[i] for i in indices]
