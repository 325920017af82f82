"""ABSimCLR: annotation bootstrapping with views as annotations."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_ab.actions import ActionSpace
from keras_ab.models.annotation_bootstrapping import AnnotationBootstrapping
from keras_ab.models.annotation_bootstrapping import annotation_decoder
from keras_ab.models.annotation_bootstrapping import value_config
from keras_ab.models.clip import image_tower
from keras_ab.objectives import BellmanValue
from keras_ab.objectives import ViewContrast
from keras_ab.typing import DType
from keras_ab.typing import Rate
from keras_ab.typing import Size


@keras.saving.register_keras_serializable(package="keras_ab")
class ABSimCLR(AnnotationBootstrapping):
    """SimCLR as the reward, bootstrapped on crops.

    It trains on batches with `"views"` (`keras_ab.data.simclr_batches`) and
    `"value"` (`keras_ab.data.value_batches`), which may come from different
    sources. Annotations are images.

    Args:
        image_encoder: An image encoder, or the name of a ViT's size
            (`"Ti"`, `"S"`, `"B"`, `"L"`, ...).
        decoder: The annotation decoder, or the name of its size (four
            layers); S-sized in the paper whatever the encoder.
        actions: A `keras_ab.actions.ActionSpace`, by default relative crops.
        image_shape: `(height, width, 3)` of the ViT, where it is given by
            name.
        patch_size: Patch size of the ViT, where it is given by name.
        projection_dim: Int, size of the space in which views are compared.
        hidden_dims: Sizes of the hidden layers of the reward's head and of
            the value function's head on annotations.
        temperature: Float, the reward's temperature.
        value_projection_dim: Int, size of the value function's space.
        gamma: Float in [0, 1], the discount.
        reward_weight: Float, the factor of the reward's loss.
        value_weight: Float, the factor of the value loss.
        value_scale: Float, the starting scale of the value's cosines.
        value_bias: Float, the starting bias of the value's logits; None for
            `-ln L`, L being the images in pairs of a training batch.
        target_rate: τ of the target network, a float or a schedule (the
            paper's falls from 0.004 to 0); None computes targets with the
            online weights (an ablation).
        name: Name of the model.
        dtype: Dtype policy.

    Example:

    >>> model = keras_ab.models.ABSimCLR(
    ...     "test", decoder="test", image_shape=(32, 32, 3), patch_size=8,
    ...     hidden_dims=(64,),
    ... )
    >>> zoom_out = np.array([[[-0.5, -0.5, 1.5, 1.5]]])
    >>> images = np.zeros((1, 32, 32, 3), "uint8")
    >>> model.value(images, zoom_out, annotations=images)
    # shape (1, 1, 1)

    Reference:
        Section 3.2; Table 7 (column AB); Table 5 for the ablations.
    """

    def __init__(
        self,
        image_encoder: str | keras.layers.Layer = "S",
        decoder: str | keras.layers.Layer = "S",
        actions: ActionSpace | None = None,
        image_shape: tuple[int, int, int] = (224, 224, 3),
        patch_size: Size = 16,
        projection_dim: int = 256,
        hidden_dims: Sequence[int] = (4096, 4096),
        temperature: float = 0.1,
        value_projection_dim: int = 512,
        gamma: float = 0.5,
        reward_weight: float = 1.0,
        value_weight: float = 1.0,
        value_scale: float = 10.0,
        value_bias: float | None = None,
        target_rate: Rate | None = 0.004,
        name: str = "absimclr",
        dtype: DType | None = None,
    ):
        reward = ViewContrast(
            projection_dim,
            hidden_dims=hidden_dims,
            temperature=temperature,
            weight=reward_weight,
            dtype=dtype,
        )
        value = BellmanValue(
            decoder=annotation_decoder(decoder, dtype),
            actions=actions,
            gamma=gamma,
            projection_dim=value_projection_dim,
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
            "projection_dim": reward.projection_dim,
            "hidden_dims": reward.hidden_dims,
            "temperature": reward.temperature,
            "value_projection_dim": value.projection_dim,
            "reward_weight": reward.weight,
        }
