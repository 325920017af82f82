"""Box annotations rendered as text."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.data.source import Source
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


def box_captions(
    source: Source,
    boxes: int = 3,
    captions: int = 5,
    bins: int = 1000,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
) -> "BoxCaptions":
    """A source whose captions say which boxes an image has.

    A caption is a list of phrases `class y0 x0 y1 x1`, for boxes drawn
    without replacement and in random order: `"dog 120 40 500 380, cup 10 20
    60 70"`. Images without boxes, and boxes around crowds, are left out. The
    captions of a record are a function of `(seed, index)`.

    Args:
        source: A `keras_ab.data.Source` whose records have `"boxes"` and
            `"classes"`.
        boxes: Int, the most boxes that a caption names.
        captions: Int, number of captions of each image.
        bins: Int; a coordinate c is written as `round(c * (bins - 1))`.
        seed: Int.
        class_names: List of names; None takes the source's own.

    Returns:
        A `BoxCaptions` source.

    Raises:
        ValueError: If the source has no boxes, or no names of classes.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=4)
    >>> source = keras_ab.data.box_captions(scenes, boxes=1)
    >>> len(source[0]["text"])
    # 5

    Reference:
        Table 4, annotations of the second kind; the template is ours.
    """
    return BoxCaptions(source, boxes, captions, bins, seed, class_names)


class BoxCaptions(Source):
    """Captions made of boxes; see `keras_ab.data.box_captions`."""

    def __init__(
        self,
        source: Source,
        boxes: int = 3,
        captions: int = 5,
        bins: int = 1000,
        seed: int = 0,
        class_names: Sequence[str] | None = None,
    ):
        if not {"boxes", "classes"} <= source.fields:
            raise ValueError(
                "`source` must have 'boxes' and 'classes'. Received: records "
                f"with {sorted(source.fields)}"
            )
        for name, value, least in (
            ("boxes", boxes, 1),
            ("captions", captions, 1),
            ("bins", bins, 2),
        ):
            if value < least:
                raise ValueError(
                    f"`{name}` must be at least {least}. Received: {value}"
                )
        names = class_names if class_names is not None else source.class_names
        if names is None:
            raise ValueError(
                "`source` does not know the names of its classes, so "
                "`class_names` must list them. Received: None"
            )
        self.source = source
        self.class_names: Sequence[str] = list(names)
        self.boxes, self.captions = boxes, captions
        self.bins, self.seed = bins, seed
        self.rejected = source.rejected
        self.indices = [
            i
            for i in range(len(source))
            if _shown(source.annotations(i)).size > 0
        ]
        if not self.indices:
            raise ValueError("No record of `source` has a box")

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> dict[str, Any]:
        record = self.source[self.indices[index]]
        return {**record, "text": self._captions(index, record)}

    def annotations(self, index: int) -> dict[str, Any]:
        record = self.source.annotations(self.indices[index])
        return {**record, "text": self._captions(index, record)}

    @property
    def fields(self) -> frozenset[str]:
        return self.source.fields | {"text"}

    def load(self, index: Tensor) -> Tensors:
        from keras_ab.data.tf import tensorflow

        tf = tensorflow()

        def read(i):
            texts = self.annotations(int(i))["text"]
            return np.array([text.encode() for text in texts], dtype=object)

        text = tf.numpy_function(read, [index], tf.string)
        place = tf.gather(tf.constant(self.indices, "int64"), index)
        return {
            "image": self.source.load(place)["image"],
            "text": tf.ensure_shape(text, [self.captions]),
        }

    def _captions(self, index, record):
        shown = _shown(record)
        rng = np.random.default_rng([self.seed, index % len(self)])
        count = min(self.boxes, len(shown))
        return [
            ", ".join(
                self._phrase(record["classes"][i], record["boxes"][i])
                for i in rng.permutation(shown)[:count]
            )
            for _ in range(self.captions)
        ]

    def _phrase(self, number, box):
        bins = np.round(np.asarray(box) * (self.bins - 1)).astype(int)
        return " ".join([self.class_names[int(number)], *map(str, bins)])


def _shown(record):
    """Indices of the boxes that hold one thing each."""
    crowd = record.get("crowd")
    if crowd is None:
        return np.arange(len(record["boxes"]))
    return np.flatnonzero(~np.asarray(crowd, bool))
