"""What self-supervised methods do to a crop."""

import dataclasses
import functools
from typing import Any
from typing import Self

import keras

from keras_ab.data.augmentations.blur import gaussian_blur
from keras_ab.data.augmentations.chance import random_apply
from keras_ab.data.augmentations.flip import random_flip
from keras_ab.data.augmentations.grayscale import grayscale
from keras_ab.data.augmentations.jitter import color_jitter
from keras_ab.data.augmentations.solarize import solarize
from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Flip, colour jitter, grey, blur and solarisation, in this order.

    The defaults are SimCLR's at full strength. `simclr`, `slip`,
    `dino_global_1`, `dino_global_2`, `dino_local` and `clip_aug` give the
    published settings; `dataclasses.replace` changes single numbers.

    Args:
        flip: Float in [0, 1], the probability of mirroring.
        jitter: Float in [0, 1], the probability of colour jitter.
        brightness: Float, at least 0, the jitter's strength.
        contrast: Float, at least 0, the jitter's strength.
        saturation: Float, at least 0, the jitter's strength.
        hue: Float in [0, 0.5], the jitter's strength, in turns.
        grayscale: Float in [0, 1], the probability of losing colour.
        blur: Float in [0, 1], the probability of blur.
        sigma: Pair of positive floats, the range of the blur's width, in
            pixels.
        kernel_size: Odd int, pixels that the blur's kernel spans. None for a
            tenth of the image's shorter side, made odd.
        solarize: Float in [0, 1], the probability of solarisation.
        threshold: Int in [0, 256], above which solarisation inverts.

    Example:

    >>> augment = keras_ab.data.augmentations.Augmentation(blur=0.0)
    >>> augment(image, seed=(0, 1))
    # uint8 (96, 96, 3)
    """

    flip: float = 0.5
    jitter: float = 0.8
    brightness: float = 0.8
    contrast: float = 0.8
    saturation: float = 0.8
    hue: float = 0.2
    grayscale: float = 0.2
    blur: float = 0.5
    sigma: tuple = (0.1, 2.0)
    kernel_size: int | None = None
    solarize: float = 0.0
    threshold: int = 128

    def __post_init__(self) -> None:
        object.__setattr__(self, "sigma", tuple(self.sigma))
        for name in ("flip", "jitter", "grayscale", "blur", "solarize"):
            _check(self, name, 0, 1)
        for name in ("brightness", "contrast", "saturation"):
            _check(self, name, 0, float("inf"))
        _check(self, "hue", 0, 0.5)
        if len(self.sigma) != 2 or not 0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(
                "`sigma` must be a pair with 0 < low <= high, in pixels. "
                f"Received: {self.sigma}"
            )

    def __call__(self, image: Tensor, seed: Tensor) -> Tensor:
        """Augments an image.

        Args:
            image: uint8 of shape `(H, W, 3)`.
            seed: Integer tensor of shape `(2,)`.

        Returns:
            uint8 of shape `(H, W, 3)`.
        """
        tf = tensorflow()
        image = tf.convert_to_tensor(image)
        seeds = tf.random.split(seed, 6)
        image = random_flip(image, seeds[0], self.flip)
        image = color_jitter(
            image,
            seeds[1],
            self.brightness,
            self.contrast,
            self.saturation,
            self.hue,
            probability=self.jitter,
        )
        image = random_apply(grayscale, image, seeds[2], self.grayscale)

        def blur(image):
            size = self.kernel_size or _tenth(image)
            return gaussian_blur(image, seeds[3], size, self.sigma)

        image = random_apply(blur, image, seeds[4], self.blur)
        invert = functools.partial(solarize, threshold=self.threshold)
        return random_apply(invert, image, seeds[5], self.solarize)

    def get_config(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


def _tenth(image):
    """A kernel of a tenth of the image, made odd."""
    rows, columns = image.shape[:2]
    if rows is None or columns is None:
        raise ValueError(
            "The blur's kernel is a tenth of the image, whose size must be "
            "known before the pipeline runs: augment after resizing, or pass "
            f"`kernel_size`. Received: an image of shape {image.shape}"
        )
    return min(rows, columns) // 10 // 2 * 2 + 1


def _check(augmentation, name, low, high):
    value = getattr(augmentation, name)
    if not low <= value <= high:
        raise ValueError(
            f"`{name}` must lie in [{low}, {high}]. Received: {value}"
        )
