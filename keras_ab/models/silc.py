"""SiLC: image-text contrast and self-distillation on one encoder."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from keras_ab.models.clip import image_tower
from keras_ab.models.clip import text_tower
from keras_ab.models.dino import distillation_config
from keras_ab.models.pretrainer import Pretrainer
from keras_ab.objectives import ImageTextContrast
from keras_ab.objectives import SelfDistillation
from keras_ab.typing import DType
from keras_ab.typing import Rate
from keras_ab.typing import Size


@keras.saving.register_keras_serializable(package="keras_ab")
class SiLC(Pretrainer):
    """CLIP, with DINO's loss on other images through the same encoder.

    Captions are the annotations. The loss of self-distillation is logged as
    `distillation_loss`.

    Args:
        image_encoder: An image encoder, or the name of a ViT's size
            (`"Ti"`, `"S"`, `"B"`, `"L"`, ...).
        text_encoder: A text encoder, or the name of a text transformer's
            size, which takes vocabulary and length from `tokenizer`.
        tokenizer: As in `keras_ab.models.CLIP`.
        image_shape: `(height, width, 3)` of the ViT, where it is given by
            name; local crops may be smaller.
        patch_size: Patch size of the ViT, where it is given by name.
        drop_path_rate: Float, stochastic depth of the ViT, where it is given
            by name. Images with captions have it too.
        projection_dim: Int, size of the space of images and texts.
        temperature: Float, the starting temperature of the contrast.
        num_prototypes: Int K, at least 2.
        head_dims: Sizes of the head's hidden layers.
        bottleneck_dim: Int, size of the space of images and prototypes.
        student_temperature: Positive float.
        teacher_temperature: Positive float or a schedule on the update
            count, such as the published warm-up
            `keras_ab.schedules.linear(0.04, 0.07, steps)`.
        centre_momentum: Float in [0, 1), or None for no centring (an
            ablation).
        freeze_last_layer_updates: Int, updates before the prototypes move;
            those of one epoch as published.
        reward_weight: Float, the factor of the contrast.
        distillation_weight: Float, the factor of self-distillation.
        target_rate: τ of the teacher, a float or a schedule. It is constant,
            so that the teacher never stops learning from texts.
        name: Name of the model.
        dtype: Dtype policy.

    Example:

    >>> tokenizer = keras_ab.data.WordTokenizer.from_texts(["a cup", "a car"])
    >>> model = keras_ab.models.SiLC(
    ...     "test", "test", tokenizer, image_shape=(32, 32, 3), patch_size=8,
    ...     num_prototypes=16, head_dims=(32,), bottleneck_dim=8,
    ... )
    >>> model.reward(np.zeros((1, 32, 32, 3), "uint8"), ["a cup", "a car"])
    # shape (1, 2); the row sums to 1

    Reference:
        Section 4.1 and Table 7; Naeem et al. 2023.
    """

    def __init__(
        self,
        image_encoder: str | keras.layers.Layer = "S",
        text_encoder: str | keras.layers.Layer = "S",
        tokenizer: Callable[..., Any] | None = None,
        image_shape: tuple[int, int, int] = (224, 224, 3),
        patch_size: Size = 16,
        drop_path_rate: float = 0.0,
        projection_dim: int = 512,
        temperature: float = 0.07,
        num_prototypes: int = 65536,
        head_dims: Sequence[int] = (2048, 2048),
        bottleneck_dim: int = 256,
        student_temperature: float = 0.1,
        teacher_temperature: Rate = 0.04,
        centre_momentum: float | None = 0.9,
        freeze_last_layer_updates: int = 0,
        reward_weight: float = 1.0,
        distillation_weight: float = 1.0,
        target_rate: Rate | None = 0.004,
        name: str = "silc",
        dtype: DType | None = None,
    ):
        encoder = image_tower(
            image_encoder,
            image_shape,
            patch_size,
            dtype,
            drop_path_rate=drop_path_rate,
        )
        reward = ImageTextContrast(
            text_tower(text_encoder, tokenizer, dtype),
            tokenizer=tokenizer,
            projection_dim=projection_dim,
            temperature=temperature,
            weight=reward_weight,
            dtype=dtype,
        )
        distillation = SelfDistillation(
            num_prototypes,
            head_dims,
            bottleneck_dim,
            student_temperature=student_temperature,
            teacher_temperature=teacher_temperature,
            centre_momentum=centre_momentum,
            freeze_last_layer_updates=freeze_last_layer_updates,
            weight=distillation_weight,
            name="distillation",
            dtype=dtype,
        )
        super().__init__(
            encoder,
            [reward, distillation],
            target_rate=target_rate,
            name=name,
            dtype=dtype,
        )

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        reward, distillation = self.online.objectives
        return {
            **self._base_config(),
            **distillation_config(distillation),
            "image_encoder": serialize(self.encoder),
            "text_encoder": serialize(reward.text_encoder),
            "tokenizer": serialize(reward.tokenizer),
            "projection_dim": reward.projection_dim,
            "temperature": reward.temperature,
            "reward_weight": reward.weight,
            "distillation_weight": distillation.weight,
        }
