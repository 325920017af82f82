"""Sources: records with random access."""

import abc
import concurrent.futures
import multiprocessing

import numpy as np

from keras_ab.data.order import place_in_order


class Source(abc.ABC):
    """A sequence of records, each a dict.

    A record holds `"image"`, uint8 `(H, W, 3)` or encoded bytes, and `"id"`,
    a string; and where they are known

    - `"text"`: list of captions,
    - `"label"`: int,
    - `"boxes"`: float32 `(n, 4)`, `(ymin, xmin, ymax, xmax)` normalised,
    - `"classes"`: int `(n,)`, the class of each box,

    and whatever else the source knows. Access is random, so the order of
    training is a pure function of seed and step.

    To add a source, write `__len__`, `__getitem__` and `fields`; override
    `load` where tf.data can read the records without Python.
    """

    @abc.abstractmethod
    def __len__(self):
        """Number of records."""

    @abc.abstractmethod
    def __getitem__(self, index):
        """The record at `index`, a dict."""

    @property
    @abc.abstractmethod
    def fields(self):
        """Set of the keys that every record has."""

    def load(self, index):
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
            text = [t.encode() for t in record["text"]] if with_text else []
            return image if encoded else np.asarray(image), np.array(
                text, dtype=object
            )

        image, text = tf.numpy_function(
            read, [index], [tf.string if encoded else tf.uint8, tf.string]
        )
        image.set_shape([] if encoded else [None, None, 3])
        text.set_shape([None])
        return {"image": image, "text": text} if with_text else {"image": image}

    never_fails = False
    """Whether no record can be bad, so that nothing need be caught."""

    def order(self, number, seed, attempt=0):
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

    def subset(self, indices):
        """Some of the records, as a source.

        Args:
            indices: A slice, or a sequence of ints.

        Returns:
            A `Subset`.
        """
        return Subset(self, indices)

    def cache(self, workers=1):
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
            return MemorySource(_read_all(self, range(len(self))))
        # Spawned, since forking a process with TensorFlow's or JAX's threads
        # can hang.
        context = multiprocessing.get_context("spawn")
        chunks = np.array_split(np.arange(len(self)), 4 * workers)
        with concurrent.futures.ProcessPoolExecutor(workers, context) as pool:
            parts = pool.map(_read_all, [self] * len(chunks), chunks)
            return MemorySource([r for part in parts for r in part])


def _read_all(source, indices):
    return [source[int(i)] for i in indices]


class Subset(Source):
    """Some records of another source.

    Args:
        source: The `Source`.
        indices: A slice, or a sequence of ints.
    """

    def __init__(self, source, indices):
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

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, index):
        return self.source[int(self.indices[index])]

    @property
    def fields(self):
        return self.source.fields

    @property
    def never_fails(self):
        return self.source.never_fails

    def load(self, index):
        from keras_ab.data.tf import tensorflow

        tf = tensorflow()
        return self.source.load(tf.gather(tf.constant(self.indices), index))
