"""Masked latents: the objective of I-JEPA."""

import math
from typing import Any
from typing import Self

import keras
from keras import ops

from keras_ab.backbones import MaskPredictor
from keras_ab.backbones.start import start_kernels
from keras_ab.layers import Dense
from keras_ab.layers.patches import take_patches
from keras_ab.losses import masked_latents
from keras_ab.objectives import checks
from keras_ab.objectives import mask_checks
from keras_ab.objectives.objective import Objective
from keras_ab.typing import Batch
from keras_ab.typing import Network
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


@keras.saving.register_keras_serializable(package="keras_ab")
class MaskedLatents(Objective):
    """Predicts the target network's features of blocks from a context.

    The online encoder sees the context's patches alone. A predictor gives
    features for each target block, every block by itself; they are to be the
    target network's features of the whole image there, normalised to mean 0
    and variance 1 (a layer normalisation without weights).

    Args:
        predictor: A `keras_ab.backbones.MaskPredictor` for the encoder's
            grid. The dense layer on top of it starts like the predictor's
            own kernels.
        weight: Float, the factor of this loss in the total.
        name: Name of the objective.
        **kwargs: As in `keras.layers.Layer`.

    Reference:
        Assran et al. 2023.
    """

    needs_target_network = True

    def __init__(
        self,
        predictor: MaskPredictor,
        weight: float = 1.0,
        name: str = "latents",
        **kwargs: Any,
    ):
        super().__init__(weight=weight, name=name, **kwargs)
        self.predictor = predictor

    def build_on(self, network: Network) -> None:
        encoder = network.encoder
        mask_checks.check_encoder(encoder, f"Objective {self.name!r}")
        mask_checks.check_grid(self.predictor, encoder, "`predictor`")
        self._image_shape = tuple(encoder.image_shape)
        self._num_patches = math.prod(encoder.grid_shape)
        self.projection = Dense(
            encoder.hidden_dim, dtype=self.dtype_policy, name="projection"
        )
        if not self.predictor.built:
            self.predictor.build((None, None, encoder.hidden_dim))
        self.projection.build((None, None, self.predictor.hidden_dim))
        if self.predictor.kernel_stddev is not None:
            start_kernels(self.projection, self.predictor.kernel_stddev)

    def check(self, batch: Batch) -> None:
        images, context, context_mask, targets, target_mask = (
            checks.take(batch, "masked", key)
            for key in (
                "image",
                "context",
                "context_mask",
                "targets",
                "target_mask",
            )
        )
        where = 'batch["masked"]["{}"]'.format
        checks.check_images(images, where("image"))
        mask_checks.check_size(images, self._image_shape, where("image"))
        for key, ids, mask, shape in (
            ("context", context, context_mask, (len(images), None)),
            ("targets", targets, target_mask, (len(images), None, None)),
        ):
            name = key.removesuffix("s") + "_mask"
            mask_checks.check_ids(ids, where(key), shape, self._num_patches)
            mask_checks.check_mask(mask, ids, where(name))
            mask_checks.check_unique(ids, where(key), mask)

    def call(
        self,
        batch: Batch,
        network: Network | Any = None,
        peers: dict[str, Tensors] | None = None,
        training: bool = False,
    ) -> Tensors:
        batch = _tensors(batch["masked"])
        tokens = network.encode(
            batch["image"],
            training=training,
            patch_ids=batch["context"],
            patch_mask=batch["context_mask"],
        )
        predicted = self.predictor(
            tokens,
            batch["context"],
            batch["targets"],
            patch_mask=batch["context_mask"],
            target_mask=batch["target_mask"],
            training=training,
        )
        return {"predictions": self.projection(predicted)}

    def targets(
        self, batch: Batch, network: Network, peers: dict[str, Tensors]
    ) -> Tensors:
        batch = _tensors(batch["masked"])
        ids = batch["targets"]
        tokens = network.encode(batch["image"])
        tokens = ops.cast(network.encoder.patch_tokens(tokens), "float32")
        _, count, length = ids.shape
        chosen = take_patches(tokens, ops.reshape(ids, (-1, count * length)))
        chosen = ops.reshape(chosen, (-1, count, length, tokens.shape[-1]))
        return {
            "features": _normalized(chosen),
            "mask": batch["target_mask"],
        }

    def compute_loss(
        self, outputs: Tensors, targets: Tensors, updates: Tensor
    ) -> Tensor:
        return masked_latents(
            outputs["predictions"], targets["features"], targets["mask"]
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "predictor": keras.saving.serialize_keras_object(self.predictor),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        predictor = keras.saving.deserialize_keras_object(config["predictor"])
        return cls(**{**config, "predictor": predictor})


def _tensors(part):
    """A part of a batch; its masks may come as numbers."""
    part = {key: ops.convert_to_tensor(value) for key, value in part.items()}
    for key in ("context_mask", "target_mask"):
        part[key] = ops.cast(part[key], "bool")
    return part


def _normalized(tokens):
    """Each token with mean 0 and variance 1; epsilon as in PyTorch."""
    mean = ops.mean(tokens, axis=-1, keepdims=True)
    tokens = tokens - mean
    variance = ops.mean(ops.square(tokens), axis=-1, keepdims=True)
    return tokens * ops.rsqrt(variance + 1e-5)
