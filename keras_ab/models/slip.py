"""SLIP: image-text contrast and contrast of views on one encoder."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from keras_ab.models.clip import image_tower
from keras_ab.models.clip import text_tower
from keras_ab.models.pretrainer import Pretrainer
from keras_ab.objectives import ImageTextContrast
from keras_ab.objectives import ViewContrast
from keras_ab.typing import DType
from keras_ab.typing import Rate
from keras_ab.typing import Size


@keras.saving.register_keras_serializable(package="keras_ab")
class SLIP(Pretrainer):
    """CLIP plus SimCLR, each with a head of its own.

    It trains on batches of `keras_ab.data.slip_batches`. The contrast of
    views is logged as `ssl_loss`.

    Args:
        image_encoder: An image encoder, or the name of a ViT's size
            (`"Ti"`, `"S"`, `"B"`, `"L"`, ...).
        text_encoder: A text encoder, or the name of a text transformer's
            size, which takes vocabulary and length from `tokenizer`.
        tokenizer: As in `keras_ab.models.CLIP`.
        image_shape: `(height, width, 3)` of the ViT, where it is given by
            name.
        patch_size: Patch size of the ViT, where it is given by name.
        projection_dim: Int, size of the space of images and texts.
        temperature: Float, the starting temperature of images and texts.
        reward_weight: Float, the factor of the image-text contrast.
        ssl_projection_dim: Int, size of the space of views.
        ssl_hidden_dims: Sizes of the hidden layers of the views' head.
        ssl_temperature: Float, the temperature of views.
        ssl_weight: Float, the factor of the contrast of views.
        target_rate: As in `keras_ab.models.Pretrainer`; SLIP has no target
            network by default.
        name: Name of the model.
        dtype: Dtype policy.

    Example:

    >>> tokenizer = keras_ab.data.WordTokenizer.from_texts(["a cup", "a car"])
    >>> model = keras_ab.models.SLIP(
    ...     "test", "test", tokenizer, image_shape=(32, 32, 3), patch_size=8,
    ...     ssl_hidden_dims=(64,),
    ... )
    >>> model.reward(np.zeros((1, 32, 32, 3), "uint8"), ["a cup", "a car"])
    # shape (1, 2); the row sums to 1

    Reference:
        Section 4.1 and Table 7; Mu et al. 2021.
    """

    def __init__(
        self,
        image_encoder: str | keras.layers.Layer = "S",
        text_encoder: str | keras.layers.Layer = "S",
        tokenizer: Callable[..., Any] | None = None,
        image_shape: tuple[int, int, int] = (224, 224, 3),
        patch_size: Size = 16,
        projection_dim: int = 512,
        temperature: float = 0.07,
        reward_weight: float = 1.0,
        ssl_projection_dim: int = 256,
        ssl_hidden_dims: Sequence[int] = (4096, 4096),
        ssl_temperature: float = 0.1,
        ssl_weight: float = 1.0,
        target_rate: Rate | None = None,
        name: str = "slip",
        dtype: DType | None = None,
    ):
        reward = ImageTextContrast(
            text_tower(text_encoder, tokenizer, dtype),
            tokenizer=tokenizer,
            projection_dim=projection_dim,
            temperature=temperature,
            weight=reward_weight,
            dtype=dtype,
        )
        views = ViewContrast(
            ssl_projection_dim,
            hidden_dims=ssl_hidden_dims,
            temperature=ssl_temperature,
            weight=ssl_weight,
            name="ssl",
            dtype=dtype,
        )
        super().__init__(
            image_tower(image_encoder, image_shape, patch_size, dtype),
            [reward, views],
            target_rate=target_rate,
            name=name,
            dtype=dtype,
        )

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        reward, views = self.online.objectives
        return {
            **self._base_config(),
            "image_encoder": serialize(self.encoder),
            "text_encoder": serialize(reward.text_encoder),
            "tokenizer": serialize(reward.tokenizer),
            "projection_dim": reward.projection_dim,
            "temperature": reward.temperature,
            "reward_weight": reward.weight,
            "ssl_projection_dim": views.projection_dim,
            "ssl_hidden_dims": views.hidden_dims,
            "ssl_temperature": views.temperature,
            "ssl_weight": views.weight,
        }
