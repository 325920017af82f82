"""Batches of images with their classes."""

import numpy as np

from keras_ab.data.headers import MAX_PIXELS
from keras_ab.data.quarantine import Quarantine
from keras_ab.data.source import Source
from keras_ab.data.stream import batches
from keras_ab.data.stream import check_area
from keras_ab.data.stream import check_size
from keras_ab.data.stream import check_source
from keras_ab.data.tf import tensorflow
from keras_ab.data.views import weak_view
from keras_ab.typing import Dataset
from keras_ab.typing import ImageFunction
from keras_ab.typing import Size


def labelled_batches(
    source: Source,
    image_size: Size = 224,
    batch_size: int = 256,
    area: tuple[float, float] = (0.08, 1.0),
    augmentation: ImageFunction | None = None,
    seed: int = 0,
    start_step: int = 0,
    num_hosts: int = 1,
    host: int = 0,
    quarantine: Quarantine | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Dataset:
    """Batches of images and their labels, without end.

    The batch of a step is a pure function of `(seed, step)`.

    Args:
        source: A `keras_ab.data.Source` whose records have `"label"`.
        image_size: Int or `(height, width)` of the crops.
        batch_size: Int, images to a batch.
        area: Pair in (0, 1]: range of the crop's share of the image.
        augmentation: Callable from `(image, seed)` to an image, such as one
            of `keras_ab.data.augmentations`; None leaves crops as they are.
        seed: Int, the seed of order, crops and colours.
        start_step: Int, the step of the first batch.
        num_hosts: Int; this and the rest as in `reward_batches`.
        host: Int in [0, num_hosts).
        quarantine: A `keras_ab.data.Quarantine`, or None.
        max_pixels: Int.

    Returns:
        A `tf.data.Dataset` of `{"reward": {"image", "label"}}`: uint8
        `(batch_size, H, W, 3)` and int32 `(batch_size,)`.

    Raises:
        ValueError: If the source has no labels, or an argument is out of
            range.

    Example:

    >>> data = keras_ab.data.labelled_batches(
    ...     keras_ab.data.Scenes(size=16), image_size=48, batch_size=4
    ... )
    """
    tf = tensorflow()
    size = check_size(image_size)
    check_source(source, "source", batch_size, "batch_size")
    check_area(area, "area")
    if "label" not in source.fields:
        raise ValueError(
            "`source` must be a source of labelled images, whose records "
            f"have 'label'. Received: records with {sorted(source.fields)}"
        )
    label_of = _labels(source)

    def read(index, seeds, cut):
        view = weak_view(source.load(index)["image"], seeds[0], size, area, cut)
        if augmentation is not None:
            view = augmentation(view, tf.random.split(seeds[1], 2)[0])
        return {"reward": {"image": view, "label": label_of(index)}}

    return batches(
        source,
        read,
        lane="reward",
        batch_size=batch_size,
        seed=seed,
        start_step=start_step,
        num_hosts=num_hosts,
        host=host,
        quarantine=quarantine,
        max_pixels=max_pixels,
    )


def _labels(source):
    """A function from a record's index to its label, both tensors."""
    tf = tensorflow()
    if hasattr(source, "column"):
        column = tf.constant(np.asarray(source.column("label"), "int32"))
        return lambda index: tf.gather(column, index)

    def read(index):
        return np.int32(source.annotations(int(index))["label"])

    def label(index):
        value = tf.numpy_function(read, [index], tf.int32)
        return tf.ensure_shape(value, ())

    return label
