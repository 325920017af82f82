"""Records in memory."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.data.source import Source
from keras_ab.data.source import captions_of
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


class MemorySource(Source):
    """Records of decoded images of one size, held as one array.

    Args:
        records: List of record dicts (see `keras_ab.data.Source`); all have
            the same keys, and images of the same shape, uint8 `(H, W, 3)`.
        class_names: List of the names of classes, or None.

    Example:

    >>> records = [
    ...     {"image": np.zeros((32, 32, 3), "uint8"), "text": ["black"]},
    ...     {"image": np.full((32, 32, 3), 255, "uint8"), "text": ["white"]},
    ... ]
    >>> len(keras_ab.data.MemorySource(records))
    # 2
    """

    never_fails = True

    def __init__(
        self,
        records: Sequence[dict[str, Any]],
        class_names: Sequence[str] | None = None,
    ):
        if not records:
            raise ValueError(
                "A source needs one record or more. Received: none"
            )
        shapes = {np.shape(record["image"]) for record in records}
        if len(shapes) > 1 or any(len(s) != 3 or s[2] != 3 for s in shapes):
            raise ValueError(
                "Images in memory must all have one shape (H, W, 3). "
                f"Received: {sorted(shapes)[:5]}"
            )
        self.class_names = class_names
        self.images = np.stack([record["image"] for record in records])
        if self.images.dtype != np.uint8:
            raise ValueError(
                f"Images must be uint8. Received: dtype {self.images.dtype}"
            )
        keys = set.intersection(*(set(record) for record in records))
        self._fields = frozenset(keys | {"id"})
        self._rest = [
            {k: v for k, v in record.items() if k in keys and k != "image"}
            for record in records
        ]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        record = {"id": str(index), **self._rest[index]}
        return {"image": self.images[index], **record}

    @property
    def fields(self) -> frozenset[str]:
        return self._fields

    def column(self, key: str) -> np.ndarray | list[Any]:
        """One field of all records.

        Args:
            key: A name in `fields`.

        Returns:
            An array where the values stack, else a list.
        """
        if key == "image":
            return self.images
        values = [self[i][key] for i in range(len(self))]
        same = len({np.shape(v) for v in values}) == 1
        return np.asarray(values) if same else values

    def load(self, index: Tensor) -> Tensors:
        from keras_ab.data.tf import tensorflow

        tf = tensorflow()
        if not hasattr(self, "_tensors"):
            # Eager tensors, so that graphs refer to them and copy nothing.
            with tf.init_scope():
                self._tensors = self._as_tensors(tf)
        images, texts, counts = self._tensors
        record = {"image": tf.gather(images, index)}
        if texts is not None:
            record["text"] = tf.gather(texts, index)[: tf.gather(counts, index)]
        return record

    def _as_tensors(self, tf):
        images = tf.constant(self.images)
        if "text" not in self.fields:
            return images, None, None
        texts = [captions_of(r) for r in self._rest]
        longest = max(1, *(len(t) for t in texts), 1)
        padded = [[*t, *([""] * (longest - len(t)))] for t in texts]
        counts = np.array([len(t) for t in texts], "int32")
        return images, tf.constant(padded), tf.constant(counts)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_tensors"}
