"""ABCLIP: annotation bootstrapping with captions as annotations."""

from collections.abc import Callable
from typing import Any

import keras

from keras_ab.actions import ActionSpace
from keras_ab.models.annotation_bootstrapping import AnnotationBootstrapping
from keras_ab.models.annotation_bootstrapping import annotation_decoder
from keras_ab.models.annotation_bootstrapping import value_config
from keras_ab.models.clip import image_tower
from keras_ab.models.clip import text_tower
from keras_ab.objectives import BellmanValue
from keras_ab.objectives import ImageTextContrast
from keras_ab.typing import DType
from keras_ab.typing import Rate
from keras_ab.typing import Size


@keras.saving.register_keras_serializable(package="keras_ab")
class ABCLIP(AnnotationBootstrapping):
    """CLIP as the reward, bootstrapped on unlabelled crops.

    Args:
        image_encoder: An image encoder, or the name of a ViT's size
            (`"Ti"`, `"S"`, `"B"`, `"L"`, ...).
        text_encoder: A text encoder, or the name of a text transformer's
            size, which takes vocabulary and length from `tokenizer`.
        tokenizer: A `keras_ab.data.WordTokenizer` or another callable from
            strings to token ids that Keras can save (see
            `keras_ab.objectives.ImageTextContrast`); kept with the model.
            None when texts come as ids.
        decoder: The annotation decoder, or the name of its size (four
            layers); S-sized in the paper whatever the encoder.
        actions: A `keras_ab.actions.ActionSpace`, by default relative crops.
        image_shape: `(height, width, 3)` of the ViT, where it is given by
            name.
        patch_size: Patch size of the ViT, where it is given by name.
        projection_dim: Int, size of the spaces of reward and value.
        temperature: Float, the reward's starting temperature.
        gamma: Float in [0, 1], the discount.
        reward_weight: Float. 2 makes the reward term the sum of the two
            directions, as in the paper's pseudocode.
        value_weight: Float, the factor of the value loss.
        value_scale: Float, the starting scale of the value's cosines.
        value_bias: Float, the starting bias of the value's logits; None for
            `-ln L`, L being the annotations of a training batch.
        target_rate: τ of the target network, a float or a schedule; None
            computes targets with the online weights (an ablation).
        name: Name of the model.
        dtype: Dtype policy.

    Example:

    >>> tokenizer = keras_ab.data.WordTokenizer.from_texts(["a cup", "a car"])
    >>> model = keras_ab.models.ABCLIP(
    ...     "test", "test", tokenizer, decoder="test",
    ...     image_shape=(32, 32, 3), patch_size=8,
    ... )
    >>> zoom_out = np.array([[[-0.5, -0.5, 1.5, 1.5]]])
    >>> images = np.zeros((1, 32, 32, 3), "uint8")
    >>> model.value(images, zoom_out, ["a cup", "a car"])
    # shape (1, 1, 2)

    Reference:
        Section 3.2, Algorithm 2, Table 7 (column AB).
    """

    def __init__(
        self,
        image_encoder: str | keras.layers.Layer = "S",
        text_encoder: str | keras.layers.Layer = "S",
        tokenizer: Callable[..., Any] | None = None,
        decoder: str | keras.layers.Layer = "S",
        actions: ActionSpace | None = None,
        image_shape: tuple[int, int, int] = (224, 224, 3),
        patch_size: Size = 16,
        projection_dim: int = 512,
        temperature: float = 0.07,
        gamma: float = 0.5,
        reward_weight: float = 2.0,
        value_weight: float = 1.0,
        value_scale: float = 10.0,
        value_bias: float | None = None,
        target_rate: Rate | None = 0.004,
        name: str = "abclip",
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
        value = BellmanValue(
            decoder=annotation_decoder(decoder, dtype),
            actions=actions,
            gamma=gamma,
            projection_dim=projection_dim,
            value_scale=value_scale,
            value_bias=value_bias,
            weight=value_weight,
            dtype=dtype,
        )
        super().__init__(
            image_tower(image_encoder, image_shape, patch_size, dtype),
            reward,
            value,
            target_rate=target_rate,
            name=name,
            dtype=dtype,
        )

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        reward, value = self.online.objectives
        return {
            **self._base_config(),
            **value_config(value),
            "image_encoder": serialize(self.encoder),
            "text_encoder": serialize(reward.text_encoder),
            "tokenizer": serialize(reward.tokenizer),
            "projection_dim": reward.projection_dim,
            "temperature": reward.temperature,
            "reward_weight": reward.weight,
        }
