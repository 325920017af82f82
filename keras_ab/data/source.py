"""Sources: records with random access."""

import abc
import concurrent.futures
import multiprocessing
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_ab.data.order import place_in_order
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors

if TYPE_CHECKING:
    from keras_ab.data.memory import MemorySource


class Source(abc.ABC):
    """A sequence of records, each a dict.

    A record holds `"image"`, uint8 `(H, W, 3)` or encoded bytes, and `"id"`,
    a string; and where they are known

    - `"text"`: list of captions,
    - `"label"`: int,
    - `"boxes"`: float32 `(n, 4)`, `(ymin, xmin, ymax, xmax)` normalised,
    - `"classes"`: int64 `(n,)`, the class of each box,
    - `"crowd"`: bool `(n,)`, whether a box holds a crowd,
    - `"verb"`, `"noun"`: ints, the classes of an action,
    - `"clip"`: string or int, the recording that a frame is from,
    - `"frame"`: int, the frame's number in it,

    and whatever else the source knows. Access is random, so the order of
    training is a pure function of seed and step.

    To add a source, write `__len__`, `__getitem__` and `fields`; override
    `load` where tf.data can read the records without Python, and
    `annotations` where they can be had without the image. Records that are
    seen to be unusable when the source is opened are left out and listed in
    `rejected`; for those found later `__getitem__` raises `BadRecord`.
    """

    class_names: Sequence[str] | None = None
    """List of the names of `"label"` and `"classes"`, where known."""

    rejected: Sequence[tuple[str, str]] = ()
    """List of `(id, reason)` of the records left out; the reasons are those
    of `keras_ab.data.records.REASONS`."""

    never_fails: bool = False
    """Whether no record can be bad, so that nothing need be caught."""

    @abc.abstractmethod
    def __len__(self) -> int:
        """Number of records."""

    @abc.abstractmethod
    def __getitem__(self, index: int) -> dict[str, Any]:
        """The record at `index`, a dict."""

    @property
    @abc.abstractmethod
    def fields(self) -> frozenset[str]:
        """Set of the keys that every record has."""

    def annotations(self, index: int) -> dict[str, Any]:
        """The record at `index` without its image, a dict."""
        record = self[index]
        return {key: record[key] for key in record if key != "image"}

    def load(self, index: Tensor) -> Tensors:
        """Reads a record inside a tf.data pipeline.

        Args:
            index: int64 scalar tensor.

        Returns:
            A dict of tensors: `"image"`, uint8 `(H, W, 3)` or an encoded
            string, and where the source has it `"text"`, strings `(n,)`.
        """
        from keras_ab.data.tf import tensorflow

        tf = tensorflow()
        encoded = isinstance(self._any_record()["image"], bytes)
        with_text = "text" in self.fields

        def read(i):
            record = self[int(i)]
            image = record["image"]
            if not encoded:
                image = np.asarray(image)
                _check_image(image, record)
            text = captions_of(record) if with_text else []
            return image, np.array([t.encode() for t in text], dtype=object)

        image, text = tf.numpy_function(
            read, [index], [tf.string if encoded else tf.uint8, tf.string]
        )
        image.set_shape([] if encoded else [None, None, 3])
        text.set_shape([None])
        return {"image": image, "text": text} if with_text else {"image": image}

    def order(
        self, number: Tensor, seed: Tensor, attempt: Tensor = 0
    ) -> Tensor:
        """Which record stands at a place of the endless shuffled order.

        Each epoch is a permutation of all records, and another one than the
        last. Override it for an order of another kind; it must be a function
        of its arguments alone.

        Args:
            number: int64 scalar tensor, the place, from 0 on.
            seed: int64 scalar tensor.
            attempt: int64 scalar tensor: 0, or k for what takes the place of
                a record that is bad, as are the k - 1 that were to replace
                it. They are taken far from their own places in the epoch, and
                `len(self)` attempts meet every record.

        Returns:
            int64 scalar tensor, the record's index.
        """
        return place_in_order(number, seed, len(self), attempt)

    def _any_record(self, tries=1000):
        """The first record that can be read."""
        for index in range(min(len(self), tries)):
            try:
                return self[index]
            except Exception as error:
                first = error
        raise ValueError(
            f"None of the first {min(len(self), tries)} records can be read. "
            f"The last one: {first}"
        ) from first

    def subset(self, indices: slice | Sequence[int] | np.ndarray) -> "Subset":
        """Some of the records, as a source.

        Args:
            indices: A slice, or a sequence of ints.

        Returns:
            A `Subset`.
        """
        return Subset(self, indices)

    def cache(self, workers: int = 1) -> "MemorySource":
        """All records, read once and kept in memory.

        Args:
            workers: Int, processes that read. More than one starts fresh
                interpreters, which import the main module: a script then
                needs its `if __name__ == "__main__":`.

        Returns:
            A `keras_ab.data.MemorySource`. The images must have one size.
        """
        from keras_ab.data.memory import MemorySource

        if workers <= 1:
            records = _read_all(self, range(len(self)))
            return MemorySource(records, self.class_names)
        # Spawned, since forking a process with TensorFlow's or JAX's threads
        # can hang.
        context = multiprocessing.get_context("spawn")
        chunks = np.array_split(np.arange(len(self)), 4 * workers)
        with concurrent.futures.ProcessPoolExecutor(workers, context) as pool:
            parts = pool.map(_read_all, [self] * len(chunks), chunks)
            records = [r for part in parts for r in part]
            return MemorySource(records, self.class_names)


def captions_of(record: dict[str, Any]) -> list[str]:
    """A record's captions; a string is one caption.

    Args:
        record: A record with `"text"`.

    Returns:
        A list of strings.

    Raises:
        ValueError: If there is none, with the record's id.
    """
    text = record["text"]
    texts = [text] if isinstance(text, str) else list(text)
    if not texts:
        raise ValueError(
            "A record's `text` must hold a caption or more. Received: none "
            f"in record {record.get('id')!r}"
        )
    return texts


def _check_image(image, record):
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] != 3:
        raise ValueError(
            "A record's `image` must be uint8 of shape (H, W, 3), or encoded "
            f"bytes. Received: {image.dtype} of shape {image.shape} in record "
            f"{record.get('id')!r}"
        )


def _read_all(source, indices):
    return [source[int(i)] for i in indices]


class Subset(Source):
    """Some records of another source.

    Args:
        source: The `Source`.
        indices: A slice, or a sequence of ints.
        rejected: List of `(id, reason)` to answer for. None for all that the
            source has left out where the subset holds all of its records, and
            for none of them where it does not: what was left out has no
            index, so it cannot be told whether it would be here.
    """

    def __init__(
        self,
        source: Source,
        indices: slice | Sequence[int] | np.ndarray,
        rejected: Sequence[tuple[str, str]] | None = None,
    ):
        if isinstance(indices, slice):
            indices = range(len(source))[indices]
        self.source = source
        self.indices = np.asarray(indices, "int64")
        size = len(source)
        if self.indices.size and not (
            self.indices.min() >= 0 and self.indices.max() < size
        ):
            raise ValueError(
                f"Indices must lie in [0, {size}). Received: from "
                f"{self.indices.min()} to {self.indices.max()}"
            )
        if rejected is None:
            whole = len(np.unique(self.indices)) == size
            rejected = source.rejected if whole else ()
        self.rejected = list(rejected)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.source[int(self.indices[index])]

    def annotations(self, index: int) -> dict[str, Any]:
        return self.source.annotations(int(self.indices[index]))

    @property
    def fields(self) -> frozenset[str]:
        return self.source.fields

    # What the source says, for which it need not be set.
    @property
    def class_names(self) -> Sequence[str] | None:  # type: ignore[override]
        return self.source.class_names

    @property
    def never_fails(self) -> bool:  # type: ignore[override]
        return self.source.never_fails

    def load(self, index: Tensor) -> Tensors:
        from keras_ab.data.tf import tensorflow

        tf = tensorflow()
        return self.source.load(tf.gather(tf.constant(self.indices), index))
