"""MAE: pixels of masked patches from those of others."""

from typing import Any

import keras

from keras_ab.backbones import MaskPredictor
from keras_ab.models.clip import image_tower
from keras_ab.models.pretrainer import Pretrainer
from keras_ab.objectives import MaskedPixels
from keras_ab.objectives.mask_checks import check_encoder
from keras_ab.typing import DType
from keras_ab.typing import Rate
from keras_ab.typing import Size


@keras.saving.register_keras_serializable(package="keras_ab")
class MAE(Pretrainer):
    """Masked autoencoder.

    It learns no reward: there is no `reward`, and nothing to bootstrap on.

    Args:
        image_encoder: A `keras_ab.backbones.ViT`, or the name of a ViT's
            size (`"Ti"`, `"S"`, `"B"`, `"L"`, ...), which then has a class
            token and fixed sine-cosine positions.
        image_shape: `(height, width, 3)` of the ViT, where it is given by
            name.
        patch_size: Patch size of the ViT, where it is given by name.
        decoder_dim: Int, width of the decoder, whatever the encoder's.
        decoder_layers: Int, blocks of the decoder.
        decoder_heads: Int, attention heads of the decoder.
        normalize: Bool, whether the pixels of each patch are normalised
            before they are compared.
        target_rate: As in `keras_ab.models.Pretrainer`; MAE has no target
            network by default.
        name: Name of the model.
        dtype: Dtype policy.

    Example:

    >>> model = keras_ab.models.MAE(
    ...     "test", image_shape=(32, 32, 3), patch_size=8, decoder_dim=32,
    ...     decoder_layers=1, decoder_heads=2,
    ... )
    >>> model.compile("adamw")
    >>> batches = keras_ab.data.mae_batches(
    ...     keras_ab.data.Scenes(size=8), 32, 8, batch_size=4
    ... )
    >>> model.fit(batches, steps_per_epoch=1, verbose=0)
    >>> model.encode(np.zeros((1, 32, 32, 3), "uint8"))
    # shape (1, 16, 32)

    Reference:
        Section 4.1 and Table 7; He et al. 2022.
    """

    def __init__(
        self,
        image_encoder: str | keras.layers.Layer = "S",
        image_shape: tuple[int, int, int] = (224, 224, 3),
        patch_size: Size = 16,
        decoder_dim: int = 512,
        decoder_layers: int = 8,
        decoder_heads: int = 16,
        normalize: bool = True,
        target_rate: Rate | None = None,
        name: str = "mae",
        dtype: DType | None = None,
    ):
        encoder = image_tower(
            image_encoder,
            image_shape,
            patch_size,
            dtype,
            class_token=True,
            positions="sincos",
        )
        check_encoder(encoder, "MAE")
        decoder = MaskPredictor(
            encoder.grid_shape,
            num_layers=decoder_layers,
            hidden_dim=decoder_dim,
            num_heads=decoder_heads,
            intermediate_dim=4 * decoder_dim,
            dtype=dtype,
            name="decoder",
        )
        super().__init__(
            encoder,
            [MaskedPixels(decoder, normalize=normalize, dtype=dtype)],
            target_rate=target_rate,
            name=name,
            dtype=dtype,
        )

    def get_config(self) -> dict[str, Any]:
        (pixels,) = self.online.objectives
        return {
            **self._base_config(),
            "image_encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder_dim": pixels.decoder.hidden_dim,
            "decoder_layers": pixels.decoder.num_layers,
            "decoder_heads": pixels.decoder.num_heads,
            "normalize": pixels.normalize,
        }
