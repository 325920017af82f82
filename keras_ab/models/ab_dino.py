"""ABDINO: annotation bootstrapping with prototypes as annotations."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_ab.actions import ActionSpace
from keras_ab.models.annotation_bootstrapping import AnnotationBootstrapping
from keras_ab.models.annotation_bootstrapping import annotation_decoder
from keras_ab.models.annotation_bootstrapping import value_config
from keras_ab.models.clip import image_tower
from keras_ab.models.dino import distillation_config
from keras_ab.objectives import BellmanValue
from keras_ab.objectives import SelfDistillation
from keras_ab.typing import DType
from keras_ab.typing import Rate
from keras_ab.typing import Size


@keras.saving.register_keras_serializable(package="keras_ab")
class ABDINO(AnnotationBootstrapping):
    """DINO as the reward, bootstrapped on unlabelled crops.

    One target network is DINO's teacher and gives the values' targets. Where
    ABCLIP takes captions, pass indices of prototypes, or None for all.

    Args:
        image_encoder: An image encoder, or the name of a ViT's size
            (`"Ti"`, `"S"`, `"B"`, `"L"`, ...).
        decoder: The annotation decoder, or the name of its size (four
            layers); S-sized in the paper whatever the encoder.
        actions: A `keras_ab.actions.ActionSpace`, by default relative crops.
        image_shape: `(height, width, 3)` of the ViT, where it is given by
            name; local crops may be smaller.
        patch_size: Patch size of the ViT, where it is given by name.
        drop_path_rate: Float, stochastic depth of the ViT, where it is given
            by name. The student alone has it.
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
        projection_dim: Int, size of the space of the values' embeddings; a
            prototype has one of its own there.
        gamma: Float in [0, 1], the discount.
        reward_weight: Float, the factor of DINO's loss.
        value_weight: Float, the factor of the value loss.
        value_scale: Float, the starting scale of the value's cosines.
        value_bias: Float, the starting bias of the value's logits; None for
            `-ln K`.
        target_rate: τ of the target network, a float or a schedule. Table 7
            has `keras_ab.schedules.cosine(0.004, 0.0, steps)`.
        name: Name of the model.
        dtype: Dtype policy.

    Example:

    >>> model = keras_ab.models.ABDINO(
    ...     "test", decoder="test", image_shape=(32, 32, 3), patch_size=8,
    ...     num_prototypes=16, head_dims=(32,), bottleneck_dim=8,
    ... )
    >>> zoom_out = np.array([[[-0.5, -0.5, 1.5, 1.5]]])
    >>> model.value(np.zeros((1, 32, 32, 3), "uint8"), zoom_out, None)
    # shape (1, 1, 16)

    Reference:
        Section 3.2; Table 7 (column AB).
    """

    def __init__(
        self,
        image_encoder: str | keras.layers.Layer = "S",
        decoder: str | keras.layers.Layer = "S",
        actions: ActionSpace | None = None,
        image_shape: tuple[int, int, int] = (224, 224, 3),
        patch_size: Size = 16,
        drop_path_rate: float = 0.1,
        num_prototypes: int = 65536,
        head_dims: Sequence[int] = (2048, 2048),
        bottleneck_dim: int = 256,
        student_temperature: float = 0.1,
        teacher_temperature: Rate = 0.04,
        centre_momentum: float | None = 0.9,
        freeze_last_layer_updates: int = 0,
        projection_dim: int = 256,
        gamma: float = 0.5,
        reward_weight: float = 1.0,
        value_weight: float = 1.0,
        value_scale: float = 10.0,
        value_bias: float | None = None,
        target_rate: Rate | None = 0.004,
        name: str = "abdino",
        dtype: DType | None = None,
    ):
        encoder = image_tower(
            image_encoder,
            image_shape,
            patch_size,
            dtype,
            drop_path_rate=drop_path_rate,
        )
        reward = SelfDistillation(
            num_prototypes,
            head_dims,
            bottleneck_dim,
            student_temperature=student_temperature,
            teacher_temperature=teacher_temperature,
            centre_momentum=centre_momentum,
            freeze_last_layer_updates=freeze_last_layer_updates,
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
            encoder,
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
            **distillation_config(reward),
            "image_encoder": serialize(self.encoder),
            "projection_dim": value.projection_dim,
            "reward_weight": reward.weight,
        }
