"""Solarisation."""

from keras_ab.data.tf import tensorflow


def solarize(image, threshold=128):
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
