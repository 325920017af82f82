"""I-JEPA: features of masked blocks from a context."""

from typing import Any

import keras

from keras_ab.backbones import MaskPredictor
from keras_ab.models.clip import image_tower
from keras_ab.models.pretrainer import Pretrainer
from keras_ab.objectives import MaskedLatents
from keras_ab.objectives.mask_checks import check_encoder
from keras_ab.typing import DType
from keras_ab.typing import Rate
from keras_ab.typing import Size

START = 0.02


@keras.saving.register_keras_serializable(package="keras_ab")
class IJEPA(Pretrainer):
    """Image-based joint-embedding predictive architecture.

    It learns no reward: there is no `reward`, and nothing to bootstrap on.

    Args:
        image_encoder: A `keras_ab.backbones.ViT`, or the name of a ViT's
            size (`"Ti"`, `"S"`, `"B"`, `"L"`, ...), which then has fixed
            sine-cosine positions, no class token, and kernels that start
            normal with a spread of 0.02.
        image_shape: `(height, width, 3)` of the ViT, where it is given by
            name.
        patch_size: Patch size of the ViT, where it is given by name.
        predictor_dim: Int, width of the predictor, whatever the encoder's.
        predictor_layers: Int, blocks of the predictor.
        predictor_heads: Int, attention heads of the predictor; None for as
            many as the encoder has.
        target_rate: τ of the target network, a float or a schedule. The
            published one falls from 0.004 to 0 (see
            `keras_ab.schedules.linear`).
        name: Name of the model.
        dtype: Dtype policy.

    Example:

    >>> model = keras_ab.models.IJEPA(
    ...     "test", image_shape=(96, 96, 3), patch_size=8, predictor_dim=32,
    ...     predictor_layers=1,
    ... )
    >>> model.compile("adamw")
    >>> batches = keras_ab.data.ijepa_batches(
    ...     keras_ab.data.Scenes(size=8), 96, 8, batch_size=2
    ... )
    >>> model.fit(batches, steps_per_epoch=1, verbose=0)
    >>> model.encode(np.zeros((1, 96, 96, 3), "uint8"))
    # shape (1, 144, 32)

    Reference:
        Section 4.1 and Table 7; Assran et al. 2023.
    """

    def __init__(
        self,
        image_encoder: str | keras.layers.Layer = "S",
        image_shape: tuple[int, int, int] = (224, 224, 3),
        patch_size: Size = 16,
        predictor_dim: int = 384,
        predictor_layers: int = 6,
        predictor_heads: int | None = None,
        target_rate: Rate | None = 0.004,
        name: str = "ijepa",
        dtype: DType | None = None,
    ):
        encoder = image_tower(
            image_encoder,
            image_shape,
            patch_size,
            dtype,
            positions="sincos",
            kernel_stddev=START,
        )
        check_encoder(encoder, "IJEPA")
        predictor = MaskPredictor(
            encoder.grid_shape,
            num_layers=predictor_layers,
            hidden_dim=predictor_dim,
            num_heads=predictor_heads or encoder.num_heads,
            intermediate_dim=4 * predictor_dim,
            kernel_stddev=START,
            dtype=dtype,
            name="predictor",
        )
        super().__init__(
            encoder,
            [MaskedLatents(predictor, dtype=dtype)],
            target_rate=target_rate,
            name=name,
            dtype=dtype,
        )

    def get_config(self) -> dict[str, Any]:
        (latents,) = self.online.objectives
        return {
            **self._base_config(),
            "image_encoder": keras.saving.serialize_keras_object(self.encoder),
            "predictor_dim": latents.predictor.hidden_dim,
            "predictor_layers": latents.predictor.num_layers,
            "predictor_heads": latents.predictor.num_heads,
        }
