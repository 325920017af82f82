"""SimCLR: contrast of views alone."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_ab.models.clip import image_tower
from keras_ab.models.pretrainer import Pretrainer
from keras_ab.objectives import ViewContrast
from keras_ab.typing import DType
from keras_ab.typing import Rate
from keras_ab.typing import Size


@keras.saving.register_keras_serializable(package="keras_ab")
class SimCLR(Pretrainer):
    """Contrastive learning of two augmented views of each image.

    It trains on batches of `keras_ab.data.simclr_batches`.

    Args:
        image_encoder: An image encoder, or the name of a ViT's size
            (`"Ti"`, `"S"`, `"B"`, `"L"`, ...).
        image_shape: `(height, width, 3)` of the ViT, where it is given by
            name.
        patch_size: Patch size of the ViT, where it is given by name.
        projection_dim: Int, size of the space in which views are compared.
        hidden_dims: Sizes of the head's hidden layers.
        temperature: Float, the temperature of the contrast.
        reward_weight: Float, the factor of the contrast.
        target_rate: As in `keras_ab.models.Pretrainer`; SimCLR has no target
            network by default.
        name: Name of the model.
        dtype: Dtype policy.

    Example:

    >>> model = keras_ab.models.SimCLR(
    ...     "test", image_shape=(32, 32, 3), patch_size=8, hidden_dims=(64,)
    ... )
    >>> images = np.zeros((2, 32, 32, 3), "uint8")
    >>> model.reward(images, annotations=images)
    # shape (2, 2); rows sum to 1

    Reference:
        Section 4 and Table 7; Chen et al. 2020.
    """

    def __init__(
        self,
        image_encoder: str | keras.layers.Layer = "S",
        image_shape: tuple[int, int, int] = (224, 224, 3),
        patch_size: Size = 16,
        projection_dim: int = 256,
        hidden_dims: Sequence[int] = (4096, 4096),
        temperature: float = 0.1,
        reward_weight: float = 1.0,
        target_rate: Rate | None = None,
        name: str = "simclr",
        dtype: DType | None = None,
    ):
        reward = ViewContrast(
            projection_dim,
            hidden_dims=hidden_dims,
            temperature=temperature,
            weight=reward_weight,
            dtype=dtype,
        )
        super().__init__(
            image_tower(image_encoder, image_shape, patch_size, dtype),
            [reward],
            target_rate=target_rate,
            name=name,
            dtype=dtype,
        )

    def get_config(self) -> dict[str, Any]:
        reward = self.online.objective("reward")
        return {
            **self._base_config(),
            "image_encoder": keras.saving.serialize_keras_object(self.encoder),
            "projection_dim": reward.projection_dim,
            "hidden_dims": reward.hidden_dims,
            "temperature": reward.temperature,
            "reward_weight": reward.weight,
        }
