"""Brightness, contrast, saturation and hue, by torchvision's definitions.

Each takes uint8, or float32 with whole values in [0, 255], and gives back the
same; fractions are cut off, as PIL and torchvision do.
"""

from keras_ab.data.augmentations.grayscale import luma
from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor


def adjust_brightness(image: Tensor, factor: Tensor) -> Tensor:
    """Blends with black.

    Args:
        image: uint8 of shape `(H, W, 3)`, or float32 with the same values.
        factor: Scalar, at least 0: 0 gives black, 1 the image.

    Returns:
        The same shape and dtype.
    """
    return _blend(image, lambda x: 0.0, factor)


def adjust_contrast(image: Tensor, factor: Tensor) -> Tensor:
    """Blends with the mean of the image's grey levels.

    Args:
        image: uint8 of shape `(H, W, 3)`, or float32 with the same values.
        factor: Scalar, at least 0: 0 gives plain grey, 1 the image.

    Returns:
        The same shape and dtype.
    """
    tf = tensorflow()
    return _blend(image, lambda x: tf.reduce_mean(luma(x)), factor)


def adjust_saturation(image: Tensor, factor: Tensor) -> Tensor:
    """Blends with the image in grey.

    Args:
        image: uint8 of shape `(H, W, 3)`, or float32 with the same values.
        factor: Scalar, at least 0: 0 gives grey, 1 the image.

    Returns:
        The same shape and dtype.
    """
    return _blend(image, luma, factor)


def adjust_hue(image: Tensor, shift: Tensor) -> Tensor:
    """Turns the hue of HSV.

    Args:
        image: uint8 of shape `(H, W, 3)`, or float32 with the same values.
        shift: Scalar in [-0.5, 0.5], in turns.

    Returns:
        The same shape and dtype.
    """
    tf = tensorflow()
    image = tf.convert_to_tensor(image)
    # The kernel keeps the largest and the smallest channel, whatever their
    # scale.
    turned = tf.image.adjust_hue(tf.cast(image, "float32"), shift)
    # torchvision's way back from [0, 1]: 256 equal bins.
    turned = tf.floor(turned * (255.999 / 255))
    return tf.cast(tf.clip_by_value(turned, 0, 255), image.dtype)


def _blend(image, other, factor):
    tf = tensorflow()
    image = tf.convert_to_tensor(image)
    values = tf.cast(image, "float32")
    factor = tf.cast(factor, "float32")
    mixed = factor * values + (1 - factor) * other(values)
    return tf.cast(tf.floor(tf.clip_by_value(mixed, 0, 255)), image.dtype)
