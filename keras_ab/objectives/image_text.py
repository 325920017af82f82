"""Image-text contrast: CLIP's loss, and ABCLIP's reward."""

import math
from collections.abc import Callable
from typing import Any

import keras

from keras_ab.distribution import gather
from keras_ab.layers import SimilarityScale
from keras_ab.losses import info_nce
from keras_ab.objectives import checks
from keras_ab.objectives.text_reward import TextReward
from keras_ab.typing import Batch
from keras_ab.typing import Network
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


@keras.saving.register_keras_serializable(package="keras_ab")
class ImageTextContrast(TextReward):
    """Contrast of images and captions, with the text tower it needs.

    Annotations are captions; `p(l|x)` is the softmax of scaled cosines over
    the captions of the batch.

    Args:
        text_encoder: A `keras_ab.backbones.TextTransformer`, or any layer from
            `(B, T)` ids to tokens with `pool`, `hidden_dim`,
            `sequence_length` and `vocabulary_size`.
        tokenizer: A callable from a list of strings to `(L, T)` ids that
            Keras can save (a `keras_ab.data.WordTokenizer`, a KerasHub
            tokenizer, or a class registered with
            `keras.saving.register_keras_serializable` that has
            `get_config`), or None when captions always come as ids.
        projection_dim: Int, size of the shared space.
        temperature: Float, the starting temperature of the contrast.
        maximum_scale: Float, the inverse temperature's upper bound.
        weight: Float, the factor of this loss in the total.
        name: Name of the objective.
        **kwargs: As in `keras.layers.Layer`.

    Reference:
        Equation 3; Radford et al. 2021.
    """

    def __init__(
        self,
        text_encoder: keras.layers.Layer,
        tokenizer: Callable[..., Any] | None = None,
        projection_dim: int = 512,
        temperature: float = 0.07,
        maximum_scale: float = 100.0,
        weight: float = 1.0,
        name: str = "reward",
        **kwargs: Any,
    ):
        super().__init__(
            text_encoder,
            tokenizer,
            projection_dim,
            weight=weight,
            name=name,
            **kwargs,
        )
        checks.check_temperature(temperature, maximum_scale)
        self.temperature = temperature
        self.maximum_scale = maximum_scale
        self.scale = SimilarityScale(
            1.0 / temperature, maximum=maximum_scale, name="scale"
        )

    def build_on(self, network: Network) -> None:
        super().build_on(network)
        self.scale.build(())

    def logits(self, cosines: Tensor) -> Tensor:
        return self.scale(cosines)

    def call(
        self,
        batch: Batch,
        network: Network | Any = None,
        peers: dict[str, Tensors] | None = None,
        training: bool = False,
    ) -> Tensors:
        return {
            **super().call(batch, network, peers, training),
            # With a batch axis, as `predict` wants.
            "logit_scale": self.scale.value()[None],
        }

    def compute_loss(
        self, outputs: Tensors, targets: Tensors, updates: Tensor
    ) -> Tensor:
        return info_nce(
            gather(outputs["image_embeddings"]),
            gather(outputs["text_embeddings"]),
            outputs["logit_scale"][0],
        )

    def chance_loss(self, batch: Batch) -> float:
        return math.log(self.num_annotations(batch))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "maximum_scale": self.maximum_scale,
        }
