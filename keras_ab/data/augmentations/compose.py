"""Augmentations one after another."""

from collections.abc import Sequence
from typing import Any
from typing import Self

import keras

from keras_ab.data.tf import tensorflow
from keras_ab.typing import ImageFunction
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class Compose:
    """Runs callables of an image and a seed one after another.

    Args:
        augmentations: List of callables from `(image, seed)` to an image.

    Example:

    >>> from keras_ab.data import augmentations
    >>> augment = augmentations.Compose([
    ...     augmentations.dino_local(),
    ...     augmentations.from_layer(keras.layers.RandomInvert(0.1)),
    ... ])
    >>> augment(image, seed=(0, 1))
    # uint8 (96, 96, 3)
    """

    def __init__(self, augmentations: Sequence[ImageFunction]):
        self.augmentations = list(augmentations)
        for augmentation in self.augmentations:
            if not callable(augmentation):
                raise ValueError(
                    "`augmentations` must hold callables from (image, seed) "
                    f"to an image. Received: {augmentation!r}"
                )

    def __call__(self, image: Tensor, seed: Tensor) -> Tensor:
        """Augments an image.

        Args:
            image: uint8 of shape `(H, W, 3)`.
            seed: Integer tensor of shape `(2,)`.

        Returns:
            What the last augmentation returns.
        """
        tf = tensorflow()
        # Split one by one, so that what is added at the end changes nothing
        # before it.
        for augmentation in self.augmentations:
            own, seed = tf.unstack(tf.random.split(seed, 2))
            image = augmentation(image, own)
        return image

    def get_config(self) -> dict[str, Any]:
        return {
            "augmentations": [
                keras.saving.serialize_keras_object(a)
                for a in self.augmentations
            ]
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(
            [
                keras.saving.deserialize_keras_object(a)
                for a in config["augmentations"]
            ]
        )
