"""Annotation bootstrapping over any reward."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.backbones import AnnotationDecoder
from keras_ab.models.inference import no_gradients
from keras_ab.models.inputs import as_images
from keras_ab.models.pretrainer import Pretrainer
from keras_ab.objectives import BellmanValue
from keras_ab.objectives import Reward
from keras_ab.typing import DType
from keras_ab.typing import Rate
from keras_ab.typing import Tensor


def annotation_decoder(
    decoder: str | keras.layers.Layer, dtype: DType | None = None
) -> keras.layers.Layer:
    """An annotation decoder from the name of its size; layers pass through."""
    if not isinstance(decoder, str):
        return decoder
    return AnnotationDecoder.from_size(decoder, dtype=dtype, name="decoder")


def value_config(value: BellmanValue) -> dict[str, Any]:
    """The arguments of a model that say how its value function is made."""
    serialize = keras.saving.serialize_keras_object
    return {
        "decoder": serialize(value.decoder),
        "actions": serialize(value.actions),
        "gamma": value.gamma,
        "value_weight": value.weight,
        "value_scale": value.value_scale,
        "value_bias": value.value_bias,
    }


def check_value_function(model: keras.Model) -> None:
    """Raises `ValueError` for a model that has no value function."""
    if not hasattr(model, "value"):
        raise ValueError(
            "Only AnnotationBootstrapping models, such as ABCLIP, have a "
            f"value function. Received: {type(model).__name__}"
        )


@keras.saving.register_keras_serializable(package="keras_ab")
class AnnotationBootstrapping(Pretrainer):
    """A reward learnt on annotated images, a value on unlabelled crops.

    Args:
        encoder: The image encoder, shared by reward and value.
        reward: A `keras_ab.objectives.Reward`.
        value: A `keras_ab.objectives.BellmanValue`, by default one with the
            paper's settings.
        target_rate: τ of the target network, a float or a schedule. None
            computes targets with the online weights (an ablation).
        name: Name of the model.
        dtype: Dtype policy.

    Example:

    >>> model = keras_ab.models.AnnotationBootstrapping(
    ...     keras_ab.backbones.ViT.from_size("test", image_shape=(32, 32, 3)),
    ...     reward=keras_ab.objectives.ImageTextContrast(text_encoder),
    ... )

    Reference:
        Section 3 and Algorithm 1; Table 5 for the ablations.
    """

    def __init__(
        self,
        encoder: keras.layers.Layer,
        reward: Reward,
        value: BellmanValue | None = None,
        target_rate: Rate | None = 0.004,
        name: str | None = None,
        dtype: DType | None = None,
    ):
        if not isinstance(reward, Reward):
            raise ValueError(
                "`reward` must be a `keras_ab.objectives.Reward`, such as "
                f"`ImageTextContrast`. Received: {reward!r}"
            )
        if value is None:
            value = BellmanValue(reward=reward.name, dtype=dtype)
        super().__init__(
            encoder,
            [reward, value],
            target_rate=target_rate,
            name=name,
            dtype=dtype,
        )
        self.value_name = value.name

    def value(
        self,
        images: Tensor,
        actions: Tensor,
        annotations: Any,
        network: str | None = None,
    ) -> Tensor:
        """Q: how likely each annotation becomes when the view is changed.

        Args:
            images: uint8, or float in [-1, 1], of shape `(B, H, W, 3)`: the
                views to start from.
            actions: Float32 of shape `(B, A, 4)`: boxes relative to each
                view, `(ymin, xmin, ymax, xmax)`. `(0, 0, 1, 1)` stays,
                `(-0.5, -0.5, 1.5, 1.5)` zooms out by two.
            annotations: As in `embed_annotations`, L of them.
            network: As in `encode`.

        Returns:
            Float32 of shape `(B, A, L)`, in (0, 1).

        Raises:
            ValueError: If the actions have another shape or are out of
                order, or the images are not images.

        Reference:
            Equation 4.
        """
        images = as_images(images)
        network = self.network(network)
        value = network.objective(self.value_name)
        actions = np.asarray(ops.convert_to_numpy(actions), "float32")
        size = value.actions.action_size
        shape = actions.shape
        if (
            len(shape) != 3
            or shape[::2] != (images.shape[0], size)
            or not (shape[1])
        ):
            raise ValueError(
                f"`actions` must have shape ({images.shape[0]}, A, {size}), A "
                f"actions for each image. Received: shape {actions.shape}"
            )
        value.actions.check_actions(actions)
        reward = network.objective(value.reward)
        with no_gradients():
            logits = value.value_logits(
                network.encode(images),
                ops.convert_to_tensor(actions),
                reward.featurize(annotations, network),
            )
            return ops.sigmoid(logits)

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        reward, value = self.online.objectives
        return {
            **self._base_config(),
            "encoder": serialize(self.encoder),
            "reward": serialize(reward),
            "value": serialize(value),
        }
