"""Augmentations: stateless functions from an image and a seed to an image.

Images are uint8 `(H, W, 3)` in and out, seeds integers `(2,)`. Any callable
of that kind can stand wherever one of these can.

Keras' own layers are not used here: their contrast turns about the mean of
each channel, their saturation scales HSV's, their jitter has one fixed order,
and they draw from state. `from_layer` brings them in where they are wanted.
"""

from keras_ab.data.augmentations.augmentation import Augmentation
from keras_ab.data.augmentations.blur import gaussian_blur
from keras_ab.data.augmentations.chance import random_apply
from keras_ab.data.augmentations.color import adjust_brightness
from keras_ab.data.augmentations.color import adjust_contrast
from keras_ab.data.augmentations.color import adjust_hue
from keras_ab.data.augmentations.color import adjust_saturation
from keras_ab.data.augmentations.compose import Compose
from keras_ab.data.augmentations.flip import random_flip
from keras_ab.data.augmentations.grayscale import grayscale
from keras_ab.data.augmentations.jitter import color_jitter
from keras_ab.data.augmentations.layer import from_layer
from keras_ab.data.augmentations.published import clip_aug
from keras_ab.data.augmentations.published import dino_global_1
from keras_ab.data.augmentations.published import dino_global_2
from keras_ab.data.augmentations.published import dino_local
from keras_ab.data.augmentations.published import simclr
from keras_ab.data.augmentations.published import slip
from keras_ab.data.augmentations.solarize import solarize

__all__ = [
    "Augmentation",
    "Compose",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_hue",
    "adjust_saturation",
    "clip_aug",
    "color_jitter",
    "dino_global_1",
    "dino_global_2",
    "dino_local",
    "from_layer",
    "gaussian_blur",
    "grayscale",
    "random_apply",
    "random_flip",
    "simclr",
    "slip",
    "solarize",
]
