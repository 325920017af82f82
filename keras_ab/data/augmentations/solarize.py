"""Solarisation."""

from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor


def solarize(image: Tensor, threshold: int = 128) -> Tensor:
    """Inverts the values at or above a threshold.

    Args:
        image: uint8 of shape `(H, W, 3)`.
        threshold: Int in [0, 256].

    Returns:
        uint8 of shape `(H, W, 3)`.
    """
    tf = tensorflow()
    image = tf.convert_to_tensor(image)
    bright = tf.cast(image, "int32") >= threshold
    return tf.where(bright, 255 - image, image)
