"""The images of a source, in order, cropped for an encoder."""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.data.decoding import decode
from keras_ab.data.decoding import is_native
from keras_ab.data.decoding import reencode
from keras_ab.data.inspection import find_fault
from keras_ab.data.source import Source
from keras_ab.data.source import Subset
from keras_ab.data.tf import tensorflow
from keras_ab.probes.crops import CROPS
from keras_ab.probes.crops import random_view


class ImageReader:
    """Reads the images of a source in parallel, once, in order.

    Records that cannot be read are tried again by PIL; what is bad then is
    left out and listed.

    Args:
        source: A `keras_ab.data.Source`.
        size: `(height, width)` of the crops.
        crop: `"center"` or `"whole"`.
        batch_size: Int, images to a batch.
        view: Int, 0 for the crop that was named; each other number stands for
            a random crop of every image (`random_view`), always the same.

    Attributes:
        skipped: List of dicts with `"id"`, `"reason"` and `"detail"`, of the
            records left out so far.
    """

    def __init__(
        self,
        source: Source,
        size: tuple[int, int],
        crop: str = "center",
        batch_size: int = 64,
        view: int = 0,
    ):
        if crop not in CROPS:
            raise ValueError(
                f"`crop` must be one of {list(CROPS)}. Received: {crop!r}"
            )
        if not len(source):
            raise ValueError("The source has no records. Received: none")
        self.source = source
        self.size = size[0], size[1]
        self.crop = CROPS[crop]
        self.batch_size = batch_size
        self.view = view
        self.skipped: list[str] = []
        self._ids: dict[int, str] = {}
        base = source
        while isinstance(base, Subset):
            base = base.source
        # Else a record would be read, or painted, twice.
        self._cheap_ids = type(base).annotations is not Source.annotations

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches: indices, int64 `(B,)`, and uint8 `(B, h, w, 3)`."""
        everything = np.arange(len(self.source))
        found = []
        for indices, images in self._read(everything, by_pil=False):
            found.append(indices)
            yield indices, images
        missing = np.setdiff1d(everything, np.concatenate([[-1], *found]))
        again = []
        if len(missing):
            for indices, images in self._read(missing, by_pil=True):
                again.append(indices)
                yield indices, images
        for index in np.setdiff1d(missing, np.concatenate([[-1], *again])):
            self.skipped.append(self._fault(int(index)))

    def ids(self, indices: Sequence[int]) -> list[str]:
        """The ids of records.

        Args:
            indices: Of records that have been read.

        Returns:
            List of strings.
        """
        if self._cheap_ids:
            return [
                str(self.source.annotations(int(i)).get("id", i))
                for i in indices
            ]
        return [self._ids[int(i)] for i in indices]

    def _read(self, indices, by_pil):
        tf = tensorflow()
        batches = (
            tf.data.Dataset.from_tensor_slices(np.asarray(indices, "int64"))
            .map(
                lambda i: (i, self._image(i, by_pil)),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
            .ignore_errors()
            .batch(self.batch_size)
            .prefetch(2)
        )
        return batches.as_numpy_iterator()

    def _image(self, index, by_pil):
        tf = tensorflow()
        image = self._load(index)
        if image.dtype == tf.string:
            needs_pil = by_pil | ~is_native(image)
            image = tf.cond(needs_pil, lambda: reencode(image), lambda: image)
            image = decode(image)
        if self.view:
            tf = tensorflow()
            seed = tf.stack([self.view, tf.cast(index, "int32")])
            return random_view(image, self.size, seed)
        return self.crop(image, self.size)

    def _load(self, index):
        tf = tensorflow()
        if self._cheap_ids:
            return self.source.load(index)["image"]
        encoded = isinstance(self.source._any_record()["image"], bytes)

        def read(i):
            record: dict[str, Any] = self.source[int(i)]
            self._ids[int(i)] = str(record.get("id", i))
            image = record["image"]
            return image if encoded else np.asarray(image, "uint8")

        kind = tf.string if encoded else tf.uint8
        image = tf.numpy_function(read, [index], kind)
        image.set_shape([] if encoded else [None, None, 3])
        return image

    def _fault(self, index):
        fault = find_fault(self.source, index)
        if fault["reason"] is None:
            tf = tensorflow()
            # The record is good. If it fails again, the fault is not in the
            # data, and this is the error to be seen.
            self._image(tf.constant(index, "int64"), True)
            fault["reason"] = "failed twice"
        return fault
