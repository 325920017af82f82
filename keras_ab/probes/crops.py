"""What of an image an encoder is shown."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.data.augmentations import random_flip
from keras_ab.data.crops import crop_and_resize
from keras_ab.data.sampling import sample_boxes
from keras_ab.data.tf import tensorflow
from keras_ab.typing import Size
from keras_ab.typing import Tensor

SHARE = 224 / 256
"""Side of the centre crop, by the shorter side of the resized image."""

AREA = (0.08, 1.0)
"""Share of an image that a random crop shows: torchvision's default."""


def center_crop(images: Sequence[Tensor] | Tensor, size: Size) -> np.ndarray:
    """The middle of images, as ImageNet's evaluation has it.

    The shorter side is resized to 256/224 of the crop's, antialiased.

    Args:
        images: List of uint8 `(H, W, 3)` of any sizes, or uint8
            `(B, H, W, 3)`.
        size: Int or `(height, width)`.

    Returns:
        uint8 of shape `(B, height, width, 3)`.

    Example:

    >>> keras_ab.probes.center_crop([np.zeros((40, 60, 3), "uint8")], 16).shape
    # (1, 16, 16, 3)
    """
    return _each(images, size, crop_center)


def whole(images: Sequence[Tensor] | Tensor, size: Size) -> np.ndarray:
    """Images as a whole, resized without regard to their proportions.

    Args:
        images: As in `center_crop`.
        size: Int or `(height, width)`.

    Returns:
        uint8 of shape `(B, height, width, 3)`.

    Example:

    >>> keras_ab.probes.whole([np.zeros((40, 60, 3), "uint8")], 16).shape
    # (1, 16, 16, 3)
    """
    return _each(images, size, crop_whole)


def crop_center(image: Any, size: tuple[int, int]) -> Any:
    """`center_crop` of one image, inside tf.data or not.

    Args:
        image: uint8 tensor of shape `(H, W, 3)`.
        size: `(height, width)`.

    Returns:
        uint8 tensor of shape `(height, width, 3)`.
    """
    tf = tensorflow()
    shape = tf.cast(tf.shape(image)[:2], "float32")
    wanted = np.round(np.array(size) / SHARE)
    ratio = tf.reduce_max(wanted.astype("float32") / shape)
    rows_columns = tf.cast(tf.round(shape * ratio), "int32")
    rows_columns = tf.maximum(rows_columns, size)
    # Without shrinking the filter is plain interpolation, whose own kernel
    # is the fastest.
    image = tf.cond(
        ratio < 1,
        lambda: tf.image.resize(image, rows_columns, antialias=True),
        lambda: tf.image.resize(image, rows_columns),
    )
    y, x = tf.unstack((rows_columns - size) // 2)
    return _as_pixels(tf, image[y : y + size[0], x : x + size[1]], size)


def crop_random(
    image: Any,
    size: tuple[int, int],
    seed: Any,
    area: tuple[float, float] = AREA,
) -> Any:
    """A random part of one image, inside tf.data or not.

    Args:
        image: uint8 tensor of shape `(H, W, 3)`.
        size: `(height, width)`.
        seed: Integers of shape `(2,)`, of which the part is a function.
        area: Pair in (0, 1], the range of its share of the image.

    Returns:
        uint8 tensor of shape `(height, width, 3)`.
    """
    tf = tensorflow()
    boxes, _ = sample_boxes(seed, 1, tf.shape(image)[:2], area)
    return crop_and_resize(image, boxes, size)[0]


def random_view(image: Any, size: tuple[int, int], seed: Any) -> Any:
    """A random part of one image, mirrored half of the time.

    Args:
        image: uint8 tensor of shape `(H, W, 3)`.
        size: `(height, width)`.
        seed: Integers of shape `(2,)`.

    Returns:
        uint8 tensor of shape `(height, width, 3)`.
    """
    tf = tensorflow()
    own, flip = tf.unstack(tf.random.split(tf.cast(seed, "int32"), 2))
    return random_flip(crop_random(image, size, own), flip)


def crop_whole(image: Any, size: Sequence[int]) -> Any:
    """`whole` of one image, or of several of one size, inside tf.data or not.

    Args:
        image: uint8 tensor of shape `(H, W, 3)` or `(B, H, W, 3)`.
        size: `(height, width)`.

    Returns:
        uint8 tensor of shape `(height, width, 3)` or `(B, height, width, 3)`.
    """
    tf = tensorflow()
    return _as_pixels(tf, tf.image.resize(image, size, antialias=True), size)


CROPS = {"center": crop_center, "whole": crop_whole}
"""The crops by their names in results."""


def check_size(size: Size) -> tuple[int, int]:
    """A size as `(height, width)`."""
    height, width = (size, size) if isinstance(size, int) else size
    return height, width


def _as_pixels(tf, image, size):
    # Weights are positive and add up to 1, so nothing leaves [0, 255].
    shape = (*image.shape[:-3], *size, 3)
    return tf.ensure_shape(tf.cast(tf.round(image), "uint8"), shape)


def _each(images, size, crop):
    size = check_size(size)
    views = []
    for image in images:
        image = np.asarray(image)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] != 3:
            raise ValueError(
                "Images must be uint8 of shape (H, W, 3). Received: "
                f"{image.dtype} of shape {image.shape}"
            )
        views.append(np.asarray(crop(image, size)))
    return np.stack(views) if views else np.zeros((0, *size, 3), "uint8")
