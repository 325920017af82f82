"""Masked pixels: the objective of MAE."""

import math
from typing import Any
from typing import Self

import keras
from keras import ops

from keras_ab.backbones import MaskPredictor
from keras_ab.layers import Dense
from keras_ab.layers.patches import patchify
from keras_ab.layers.patches import take_patches
from keras_ab.losses import masked_pixels
from keras_ab.objectives import checks
from keras_ab.objectives import mask_checks
from keras_ab.objectives.objective import Objective
from keras_ab.ops import scale_images
from keras_ab.typing import Batch
from keras_ab.typing import Network
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


@keras.saving.register_keras_serializable(package="keras_ab")
class MaskedPixels(Objective):
    """Reconstructs the pixels of patches from those of others.

    The encoder sees the kept patches alone. A decoder fills in the rest, and
    one dense layer, Xavier-uniform at the start, turns its tokens to pixels.

    Args:
        decoder: A `keras_ab.backbones.MaskPredictor` for the encoder's grid.
        normalize: Bool, whether each patch's pixels are normalised before
            they are compared.
        weight: Float, the factor of this loss in the total.
        name: Name of the objective.
        **kwargs: As in `keras.layers.Layer`.

    Reference:
        He et al. 2022.
    """

    def __init__(
        self,
        decoder: MaskPredictor,
        normalize: bool = True,
        weight: float = 1.0,
        name: str = "pixels",
        **kwargs: Any,
    ):
        super().__init__(weight=weight, name=name, **kwargs)
        self.decoder = decoder
        self.normalize = normalize

    def build_on(self, network: Network) -> None:
        encoder = network.encoder
        mask_checks.check_encoder(encoder, f"Objective {self.name!r}")
        mask_checks.check_grid(self.decoder, encoder, "`decoder`")
        self._image_shape = tuple(encoder.image_shape)
        self._num_patches = math.prod(encoder.grid_shape)
        self.projection = Dense(
            math.prod(encoder.patch_size) * encoder.image_shape[-1],
            dtype=self.dtype_policy,
            name="projection",
        )
        if not self.decoder.built:
            self.decoder.build((None, None, encoder.hidden_dim))
        self.projection.build((None, None, self.decoder.hidden_dim))

    def check(self, batch: Batch) -> None:
        images, kept, masked = (
            checks.take(batch, "masked", key)
            for key in ("image", "kept", "masked")
        )
        where = 'batch["masked"]["{}"]'.format
        checks.check_images(images, where("image"))
        mask_checks.check_size(images, self._image_shape, where("image"))
        shape, count = (len(images), None), self._num_patches
        for key, ids in (("kept", kept), ("masked", masked)):
            mask_checks.check_ids(ids, where(key), shape, count)
            mask_checks.check_unique(ids, where(key))
        mask_checks.check_partition(kept, masked, count)

    def call(
        self,
        batch: Batch,
        network: Network | Any = None,
        peers: dict[str, Tensors] | None = None,
        training: bool = False,
    ) -> Tensors:
        batch = batch["masked"]
        kept = ops.convert_to_tensor(batch["kept"])
        masked = ops.convert_to_tensor(batch["masked"])
        tokens = network.encode(
            batch["image"], training=training, patch_ids=kept
        )
        filled = self.decoder(tokens, kept, masked[:, None], training=training)
        return {"predictions": self.projection(filled[:, 0])}

    def targets(
        self, batch: Batch, network: Network, peers: dict[str, Tensors]
    ) -> Tensors:
        batch = batch["masked"]
        images = scale_images(batch["image"], dtype="float32")
        patches = patchify(images, network.encoder.patch_size)
        return {"patches": take_patches(patches, batch["masked"])}

    def chance_loss(self, batch: Batch) -> float | None:
        # Of the mean of each patch; without normalisation that is data's.
        return 1.0 if self.normalize else None

    def compute_loss(
        self, outputs: Tensors, targets: Tensors, updates: Tensor
    ) -> Tensor:
        return masked_pixels(
            outputs["predictions"],
            targets["patches"],
            normalize=self.normalize,
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "normalize": self.normalize,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        decoder = keras.saving.deserialize_keras_object(config["decoder"])
        return cls(**{**config, "decoder": decoder})
