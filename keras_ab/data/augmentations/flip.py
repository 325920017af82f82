"""Mirroring."""

from keras_ab.data.augmentations.chance import random_apply
from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor


def random_flip(
    image: Tensor, seed: Tensor, probability: float = 0.5
) -> Tensor:
    """Mirrors an image, left to right, with a probability.

    Args:
        image: uint8 of shape `(H, W, 3)`.
        seed: Integer tensor of shape `(2,)`.
        probability: Float in [0, 1].

    Returns:
        uint8 of shape `(H, W, 3)`.
    """
    tf = tensorflow()
    image = tf.convert_to_tensor(image)
    return random_apply(lambda x: tf.reverse(x, [1]), image, seed, probability)
