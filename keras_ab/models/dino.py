"""DINO: self-distillation alone."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_ab.models.clip import image_tower
from keras_ab.models.pretrainer import Pretrainer
from keras_ab.objectives import SelfDistillation
from keras_ab.typing import DType
from keras_ab.typing import Rate
from keras_ab.typing import Size


def distillation_config(objective: SelfDistillation) -> dict[str, Any]:
    """What the constructors of models say about self-distillation.

    Args:
        objective: A `keras_ab.objectives.SelfDistillation`.

    Returns:
        Dict.
    """
    config = objective.get_config()
    keys = (
        "num_prototypes",
        "bottleneck_dim",
        "student_temperature",
        "teacher_temperature",
        "centre_momentum",
        "freeze_last_layer_updates",
    )
    return {
        "head_dims": config["hidden_dims"],
        **{key: config[key] for key in keys},
    }


@keras.saving.register_keras_serializable(package="keras_ab")
class DINO(Pretrainer):
    """Self-distillation with no labels.

    The teacher is the target network. Annotations are the prototypes: where
    others take captions, pass their indices, or None for all.

    Args:
        image_encoder: An image encoder, or the name of a ViT's size
            (`"Ti"`, `"S"`, `"B"`, `"L"`, ...).
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
        reward_weight: Float, the factor of the loss.
        target_rate: τ of the teacher, a float or a schedule. Table 7 has
            `keras_ab.schedules.cosine(0.004, 0.0, steps)`.
        name: Name of the model.
        dtype: Dtype policy.

    Example:

    >>> model = keras_ab.models.DINO(
    ...     "test", image_shape=(32, 32, 3), patch_size=8, num_prototypes=16,
    ...     head_dims=(32,), bottleneck_dim=8,
    ... )
    >>> model.compile("adamw")
    >>> batches = keras_ab.data.dino_batches(
    ...     keras_ab.data.Scenes(size=8), 32, 16, batch_size=2, num_locals=2
    ... )
    >>> model.fit(batches, steps_per_epoch=1, verbose=0)
    >>> model.reward(np.zeros((1, 32, 32, 3), "uint8"), None)
    # shape (1, 16); the row sums to 1

    Reference:
        Section 4.1 and Table 7; Caron et al. 2021.
    """

    def __init__(
        self,
        image_encoder: str | keras.layers.Layer = "S",
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
        reward_weight: float = 1.0,
        target_rate: Rate | None = 0.004,
        name: str = "dino",
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
        super().__init__(
            encoder,
            [reward],
            target_rate=target_rate,
            name=name,
            dtype=dtype,
        )

    def get_config(self) -> dict[str, Any]:
        (reward,) = self.online.objectives
        return {
            **self._base_config(),
            **distillation_config(reward),
            "image_encoder": keras.saving.serialize_keras_object(self.encoder),
            "reward_weight": reward.weight,
        }
