"""Training a copy of the whole encoder on labels."""

import dataclasses
from typing import Any
from typing import ClassVar
from typing import Self

import keras
import numpy as np
from keras import ops

from keras_ab import optimizers
from keras_ab.probes.augmented_batches import AugmentedBatches
from keras_ab.probes.encoder_parts import take_apart
from keras_ab.probes.frozen_encoder import FrozenEncoder
from keras_ab.probes.layer_decay import ScaledAdamW
from keras_ab.probes.layer_decay import layer_shares
from keras_ab.probes.probe import Fitted
from keras_ab.probes.probe import Probe
from keras_ab.probes.probe import check_examples
from keras_ab.typing import Tensor


@dataclasses.dataclass(frozen=True)
class FineTune(Probe):
    """Fine-tuning of a copy; the given encoder stays as it is.

    MAE's recipe, with layer-wise decay of the learning rate, drop path, and
    the augmentations of `AugmentedBatches`. Crops are of images that were
    read for testing, of the encoder's size, and RandAugment, random erasing
    and CutMix are those of Keras, whose RandAugment turns and shifts images
    further than timm's.

    Args:
        base_rate: Float, the learning rate for 256 images a batch, to which
            it is proportional.
        layer_decay: Float in (0, 1], the factor of the rate from a block to
            the one before it.
        weight_decay: Float, of kernels.
        epochs: Int.
        warmup_epochs: Int, in which the rate rises.
        batch_size: Int, at most.
        drop_path: Float, where the encoder has stochastic depth; None for the
            encoder's own.
        crop: Bool, whether a random part of an image is shown.
        flip: Bool, whether images are mirrored half of the time.
        rand_augment: Float in [0, 1], the strength of RandAugment's two
            operations, 0 for none; 0.27 shears as timm's magnitude 9 does.
        erase: Float in [0, 1], how often a part of an image is erased.
        mixup: Float, the parameter of mixup's beta distribution, 0 for none.
        cutmix: Float in [0, 1], the parameter of CutMix's, 0 for none; where
            there is mixup too, each has about half of the batches.
        smoothing: Float, the share of a label that goes to all classes.
        seed: Int, the seed of order and augmentations.

    Raises:
        ValueError: If `layer_decay` or `base_rate` is out of range; from
            `fit`, if there is no encoder, it is no Keras layer or cannot be
            copied, or images fit neither it nor their labels.

    Example:

    >>> encoder = keras_ab.probes.FrozenEncoder(model)
    >>> probe = keras_ab.probes.FineTune(epochs=1, batch_size=4)
    >>> fitted = probe.fit(images, np.arange(4) % 2, encoder)
    >>> fitted.predict(images).shape
    # (4,)

    Reference:
        He et al. 2021, Section A.1.
    """

    base_rate: float = 5e-4
    layer_decay: float = 0.65
    weight_decay: float = 0.05
    epochs: int = 100
    warmup_epochs: int = 5
    batch_size: int = 256
    drop_path: float | None = 0.1
    crop: bool = True
    flip: bool = True
    rand_augment: float = 0.27
    erase: float = 0.25
    mixup: float = 0.8
    cutmix: float = 1.0
    smoothing: float = 0.1
    seed: int = 0

    name: ClassVar[str] = "fine_tune"
    needs: ClassVar[str] = "images"

    def __post_init__(self) -> None:
        if not 0 < self.layer_decay <= 1 or not self.base_rate > 0:
            raise ValueError(
                "`layer_decay` must lie in (0, 1], and `base_rate` be "
                f"positive. Received: layer_decay={self.layer_decay}, "
                f"base_rate={self.base_rate}"
            )

    def fit(self, features: Tensor, labels: Tensor, encoder: Any = None) -> Any:
        images, numbers, classes = check_examples(features, labels, rank=4)
        if encoder is None:
            raise ValueError(
                "Fine-tuning needs the encoder: `fit(images, labels, "
                "encoder)`. Received: encoder=None"
            )
        encoder = FrozenEncoder(encoder)
        images = encoder.check_images(images)
        model = _Tuned(encoder, len(classes), self.drop_path)
        batches = AugmentedBatches(self, encoder, images, numbers, len(classes))
        model.compile(
            self._optimizer(model, batches),
            jit_compile=keras.backend.backend() == "jax",
        )
        model.fit(batches, epochs=1, shuffle=False, verbose=0)
        return _Fitted(classes, {"steps": len(batches)}, encoder, model)

    def for_crop(self, crop: str) -> Self:
        if crop == "center":
            return self
        # What is cut off, covered or added would change the answer.
        return dataclasses.replace(
            self, crop=False, erase=0.0, mixup=0.0, cutmix=0.0
        )

    def _optimizer(self, model, batches):
        first = min(self.warmup_epochs * batches.per_epoch, len(batches) - 1)
        peak = self.base_rate * batches.size / 256
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if first else peak,
            len(batches) - first,
            warmup_target=peak if first else None,
            warmup_steps=first,
        )
        shares = layer_shares(model.encoder, self.layer_decay)
        rest = len(model.trainable_variables) - len(shares)
        optimizer = ScaledAdamW(
            rate, self.weight_decay, [*shares, *[1.0] * rest]
        )
        optimizers.decay_kernels_only(optimizer, model.trainable_variables)
        return optimizer


class _Tuned(keras.Model):
    """A copy of an encoder, pooled, and a linear layer."""

    def __init__(self, encoder, num_classes, drop_path):
        super().__init__(dtype="float32", autocast=False, name="tuned")
        self.encoder = copy_encoder(encoder, drop_path)
        self.parts = take_apart(
            self.encoder, None, encoder.layer, encoder.pooling
        )
        self.num_classes = num_classes
        self.head = keras.layers.Dense(
            num_classes, kernel_initializer="zeros", dtype="float32"
        )
        # Builds the head.
        self(np.zeros((1, *encoder.image_size, 3), "float32"))

    def call(self, inputs, training=False):
        outputs = self.parts.encode(inputs)
        if self.parts.pool is not None:
            pooled = self.parts.pool(outputs)
        else:
            pooled = ops.mean(self.parts.tokens(outputs), axis=1)
        return self.head(ops.cast(pooled, "float32"))

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        return -ops.mean(ops.sum(y * ops.log_softmax(y_pred), axis=-1))


class _Fitted(Fitted):
    def __init__(self, classes, details, encoder, model):
        super().__init__(classes, details)
        self.encoder, self.model = encoder, model

    def scores(self, features, batch_size=64):
        images = self.encoder.check_images(features)
        parts = []
        for start in range(0, len(images), batch_size):
            part = self.encoder.scaled(images[start : start + batch_size])
            parts.append(np.asarray(self.model.predict_on_batch(part)))
        return np.concatenate(parts)


def copy_encoder(
    encoder: FrozenEncoder, drop_path: float | None = None
) -> keras.layers.Layer:
    """A copy of an encoder's layer, which shares nothing with it.

    Args:
        encoder: A `keras_ab.probes.FrozenEncoder`.
        drop_path: Float, the copy's stochastic depth where it has any; None
            for the encoder's own.

    Returns:
        A Keras layer, built, with equal weights, all of them trainable.

    Raises:
        ValueError: If the encoder is no Keras layer, or cannot be copied.
    """
    origin = encoder.origin
    if origin is None:
        raise ValueError(
            "Only an encoder that is a Keras layer can be fine-tuned. "
            f"Received: {encoder.name!r}, a {encoder.kind}"
        )
    try:
        config = origin.get_config()
        if drop_path is not None and "drop_path_rate" in config:
            config["drop_path_rate"] = drop_path
        copy = type(origin).from_config(config)
    except Exception as error:
        raise ValueError(
            f"{encoder.name!r} cannot be copied: its `get_config` and "
            f"`from_config` do not make another. Received: {error}"
        ) from error
    if not copy.built:
        copy(np.zeros((1, *encoder.image_size, 3), "float32"))
    copy.set_weights(origin.get_weights())
    copy.trainable = True
    return copy
