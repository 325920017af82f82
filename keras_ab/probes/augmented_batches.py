"""Batches of images for fine-tuning."""

import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.data.tf import tensorflow
from keras_ab.probes.batches import Batches
from keras_ab.probes.crops import crop_random
from keras_ab.probes.frozen_encoder import FrozenEncoder
from keras_ab.typing import Tensor

PIXELS = (0, 255)


class AugmentedBatches(Batches):
    """Batches of augmented images, with soft labels, to be taken in order.

    In this order: a random part, mirrored or not; RandAugment, whose two
    operations are drawn for a whole batch; random erasing; mixup or CutMix.
    Those of Keras draw from seeds that each batch moves on.

    Args:
        probe: A `keras_ab.probes.FineTune`, for its settings.
        encoder: The `FrozenEncoder` that is copied.
        images: uint8 of shape `(M, h, w, 3)`.
        numbers: Class numbers of shape `(M,)`.
        num_classes: Int.
    """

    def __init__(
        self,
        probe: Any,
        encoder: FrozenEncoder,
        images: np.ndarray,
        numbers: np.ndarray,
        num_classes: int,
    ):
        super().__init__(
            images, numbers, probe.epochs, probe.batch_size, probe.seed
        )
        self.probe, self.encoder = probe, encoder
        self.num_classes = num_classes
        self.alone = [
            layer
            for strength, layer in (
                (
                    probe.rand_augment,
                    keras.layers.RandAugment(
                        PIXELS, 2, probe.rand_augment, seed=probe.seed
                    ),
                ),
                (
                    probe.erase,
                    # A lone number would be the most, here and in CutMix.
                    keras.layers.RandomErasing(
                        (probe.erase, probe.erase),
                        value_range=PIXELS,
                        seed=probe.seed + 1,
                    ),
                ),
            )
            if strength
        ]
        self.mixing = []
        if probe.mixup:
            self.mixing.append(
                keras.layers.MixUp(probe.mixup, seed=probe.seed + 2)
            )
        if probe.cutmix:
            self.mixing.append(
                keras.layers.CutMix(
                    (probe.cutmix, probe.cutmix), seed=probe.seed + 3
                )
            )

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([self.seed, 1, index])
        rows = self.rows(index)
        images, numbers = self.features[rows], self.numbers[rows]
        targets = np.eye(self.num_classes, dtype="float32")[numbers]
        targets += self.probe.smoothing * (1 / self.num_classes - targets)
        if self.probe.crop:
            seeds = rng.integers(2**31, size=(len(images), 2), dtype="int32")
            images = random_parts(images, seeds)
        if self.probe.flip:
            turned = rng.random(len(images)) < 0.5
            images = np.where(
                turned[:, None, None, None], images[:, :, ::-1], images
            )
        images = images.astype("float32")
        for layer in self.alone:
            images = ops.convert_to_numpy(layer(images, training=True))
        if self.mixing:
            layer = self.mixing[int(rng.integers(len(self.mixing)))]
            mixed = layer({"images": images, "labels": targets}, training=True)
            images, targets = (
                ops.convert_to_numpy(mixed[key]) for key in ("images", "labels")
            )
        return self.encoder.scaled(images), targets


def random_parts(images: Tensor, seeds: Tensor) -> np.ndarray:
    """A random part of each image, resized to the image's size.

    Args:
        images: uint8 of shape `(B, h, w, 3)`.
        seeds: int32 of shape `(B, 2)`.

    Returns:
        uint8 of shape `(B, h, w, 3)`.
    """
    return _parts(tuple(images.shape[1:3]))(images, seeds).numpy()


@functools.cache
def _parts(size):
    tf = tensorflow()

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, *size, 3), "uint8"),
            tf.TensorSpec((None, 2), "int32"),
        ]
    )
    def parts(images, seeds):
        return tf.map_fn(
            lambda pair: crop_random(pair[0], size, pair[1]),
            (images, seeds),
            fn_output_signature=tf.uint8,
        )

    return parts
