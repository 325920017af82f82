"""Grey."""

from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor

WEIGHTS = (0.299, 0.587, 0.114)


def grayscale(image: Tensor) -> Tensor:
    """An image's luma by ITU-R 601, in three equal channels.

    Args:
        image: uint8 of shape `(H, W, 3)`, or float32 with the same values.

    Returns:
        The same shape and dtype, rounded as PIL does (torchvision cuts off,
        on tensors).
    """
    tf = tensorflow()
    image = tf.convert_to_tensor(image)
    grey = tf.repeat(luma(tf.cast(image, "float32")), 3, axis=-1)
    return tf.cast(grey, image.dtype)


def luma(image: Tensor) -> Tensor:
    """Whole grey levels, float32 `(H, W, 1)`, of float32 `(H, W, 3)`."""
    tf = tensorflow()
    return tf.round(tf.reduce_sum(image * WEIGHTS, -1, keepdims=True))
