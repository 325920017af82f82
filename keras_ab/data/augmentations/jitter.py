"""Colour jitter."""

import functools
from collections.abc import Callable

from keras_ab.data.augmentations.chance import random_apply
from keras_ab.data.augmentations.color import adjust_brightness
from keras_ab.data.augmentations.color import adjust_contrast
from keras_ab.data.augmentations.color import adjust_hue
from keras_ab.data.augmentations.color import adjust_saturation
from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor


def color_jitter(
    image: Tensor,
    seed: Tensor,
    brightness: float = 0.8,
    contrast: float = 0.8,
    saturation: float = 0.8,
    hue: float = 0.2,
    probability: float = 0.8,
) -> Tensor:
    """Changes brightness, contrast, saturation and hue, in random order.

    Args:
        image: uint8 of shape `(H, W, 3)`.
        seed: Integer tensor of shape `(2,)`.
        brightness: Float, at least 0; the factor is uniform in
            [max(0, 1 - brightness), 1 + brightness].
        contrast: Float, likewise.
        saturation: Float, likewise.
        hue: Float in [0, 0.5]; the shift is uniform in [-hue, hue] turns.
        probability: Float in [0, 1], that of doing any of it.

    Returns:
        uint8 of shape `(H, W, 3)`.

    Reference:
        torchvision's `ColorJitter`.
    """
    tf = tensorflow()
    image = tf.convert_to_tensor(image)
    seeds = tf.random.split(seed, 3)
    draws = tf.unstack(tf.random.stateless_uniform((4,), seeds[1]))
    steps: list[tuple[Callable[..., Tensor], float, float]] = [
        (adjust_brightness, max(0.0, 1 - brightness), 1 + brightness),
        (adjust_contrast, max(0.0, 1 - contrast), 1 + contrast),
        (adjust_saturation, max(0.0, 1 - saturation), 1 + saturation),
        (adjust_hue, -hue, hue),
    ]
    # Those of no strength are left out.
    branches = [
        functools.partial(adjust, factor=low + (high - low) * draw)
        if adjust is not adjust_hue
        else functools.partial(adjust, shift=low + (high - low) * draw)
        for (adjust, low, high), draw in zip(steps, draws)
        if low < high
    ]
    if not branches:
        return image

    def jitter(image):
        # The ranks of independent draws are a uniform permutation.
        noise = tf.random.stateless_uniform((len(branches),), seeds[2])
        values = tf.cast(image, "float32")
        for step in tf.unstack(tf.argsort(noise)):
            values = tf.switch_case(
                step,
                [functools.partial(b, values) for b in branches],
            )
        return tf.cast(values, "uint8")

    return random_apply(jitter, image, seeds[0], probability)
