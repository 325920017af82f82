"""CLIP: image-text contrast alone."""

from collections.abc import Callable
from typing import Any

import keras

from keras_ab.backbones import TextTransformer
from keras_ab.backbones import ViT
from keras_ab.models.pretrainer import Pretrainer
from keras_ab.objectives import ImageTextContrast
from keras_ab.typing import DType
from keras_ab.typing import Rate
from keras_ab.typing import Size


def image_tower(
    encoder: str | keras.layers.Layer,
    image_shape: tuple[int, int, int],
    patch_size: Size,
    dtype: DType | None = None,
    **kwargs: Any,
) -> keras.layers.Layer:
    """A ViT from the name of its size; layers pass through."""
    if not isinstance(encoder, str):
        return encoder
    return ViT.from_size(
        encoder,
        image_shape=image_shape,
        patch_size=patch_size,
        dtype=dtype,
        name="image_encoder",
        **kwargs,
    )


def text_tower(
    encoder: str | keras.layers.Layer,
    tokenizer: Any,
    dtype: DType | None = None,
) -> keras.layers.Layer:
    """A text transformer from the name of its size; layers pass through."""
    if not isinstance(encoder, str):
        return encoder
    if tokenizer is None:
        raise ValueError(
            "A text encoder given by its size takes its vocabulary and length "
            "from `tokenizer`. Received: tokenizer=None"
        )
    return TextTransformer.from_size(
        encoder,
        vocabulary_size=tokenizer.vocabulary_size(),
        sequence_length=tokenizer.sequence_length,
        dtype=dtype,
        name="text_encoder",
    )


@keras.saving.register_keras_serializable(package="keras_ab")
class CLIP(Pretrainer):
    """Contrastive language-image pre-training.

    Args:
        image_encoder: An image encoder, or the name of a ViT's size
            (`"Ti"`, `"S"`, `"B"`, `"L"`, ...).
        text_encoder: A text encoder, or the name of a text transformer's
            size, which takes vocabulary and length from `tokenizer`.
        tokenizer: A `keras_ab.data.WordTokenizer` or another callable from
            strings to token ids that Keras can save (see
            `keras_ab.objectives.ImageTextContrast`); kept with the model.
            None when texts come as ids.
        image_shape: `(height, width, 3)` of the ViT, where it is given by
            name.
        patch_size: Patch size of the ViT, where it is given by name.
        projection_dim: Int, size of the space of images and texts.
        temperature: Float, the starting temperature.
        reward_weight: Float, the factor of the contrast. 1 is the average of
            the two directions.
        target_rate: As in `keras_ab.models.Pretrainer`; CLIP has no target
            network by default.
        name: Name of the model.
        dtype: Dtype policy.

    Example:

    >>> tokenizer = keras_ab.data.WordTokenizer.from_texts(["a cup", "a car"])
    >>> model = keras_ab.models.CLIP(
    ...     "test", "test", tokenizer, image_shape=(32, 32, 3), patch_size=8
    ... )
    >>> model.reward(np.zeros((1, 32, 32, 3), "uint8"), ["a cup", "a car"])
    # shape (1, 2); the row sums to 1

    Reference:
        Section 4.1 and Table 7; Radford et al. 2021.
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
        target_rate: Rate | None = None,
        name: str = "clip",
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
        super().__init__(
            image_tower(image_encoder, image_shape, patch_size, dtype),
            [reward],
            target_rate=target_rate,
            name=name,
            dtype=dtype,
        )

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        reward = self.online.objective("reward")
        return {
            **self._base_config(),
            "image_encoder": serialize(self.encoder),
            "text_encoder": serialize(reward.text_encoder),
            "tokenizer": serialize(reward.tokenizer),
            "projection_dim": reward.projection_dim,
            "temperature": reward.temperature,
            "reward_weight": reward.weight,
        }
