"""Sigmoid contrast of images and captions: SigLIP's loss, as a reward."""

import math
from collections.abc import Callable
from typing import Any

import keras

from keras_ab.distribution import gather
from keras_ab.layers import LearnedBias
from keras_ab.layers import SimilarityScale
from keras_ab.losses import sigmoid_contrast
from keras_ab.objectives.text_reward import TextReward
from keras_ab.typing import Batch
from keras_ab.typing import Network
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


@keras.saving.register_keras_serializable(package="keras_ab")
class ImageTextSigmoid(TextReward):
    """Each pair of image and caption told true or false on its own.

    `p(l|x)` is the softmax of the logits over the captions given. A sigmoid
    says how likely one caption is to be true, whatever else is. If exactly
    one of L captions belongs to the image, caption l is that one with a
    probability proportional to `σ(z_l) Π_{k≠l} (1 - σ(z_k))`, and so to
    `σ(z_l) / (1 - σ(z_l)) = exp(z_l)`: that is the softmax. Sigmoids divided
    by their sum would give captions that are nearly certain equal shares,
    whatever their odds. The bias cancels in p, not in the loss.

    Args:
        text_encoder: As in `keras_ab.objectives.ImageTextContrast`.
        tokenizer: As in `keras_ab.objectives.ImageTextContrast`.
        projection_dim: Int, size of the shared space.
        initial_scale: Float, the starting factor on the cosines.
        initial_bias: Float, the starting bias of the logits.
        weight: Float, the factor of this loss in the total.
        name: Name of the objective.
        **kwargs: As in `keras.layers.Layer`.

    Example:

    >>> model = keras_ab.models.AnnotationBootstrapping(
    ...     keras_ab.backbones.ViT.from_size("test", image_shape=(32, 32, 3)),
    ...     reward=keras_ab.objectives.ImageTextSigmoid(text_encoder),
    ... )

    Reference:
        Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training".
    """

    def __init__(
        self,
        text_encoder: keras.layers.Layer,
        tokenizer: Callable[..., Any] | None = None,
        projection_dim: int = 512,
        initial_scale: float = 10.0,
        initial_bias: float = -10.0,
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
        self.initial_scale = initial_scale
        self.initial_bias = initial_bias
        self.scale = SimilarityScale(initial_scale, name="scale")
        self.bias = LearnedBias(initial_bias, name="bias")

    def build_on(self, network: Network) -> None:
        super().build_on(network)
        self.scale.build(())
        self.bias.build(())

    def logits(self, cosines: Tensor) -> Tensor:
        return self.bias(self.scale(cosines))

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
            "logit_bias": self.bias.value()[None],
        }

    def compute_loss(
        self, outputs: Tensors, targets: Tensors, updates: Tensor
    ) -> Tensor:
        return sigmoid_contrast(
            gather(outputs["image_embeddings"]),
            gather(outputs["text_embeddings"]),
            outputs["logit_scale"][0],
            outputs["logit_bias"][0],
        )

    def chance_loss(self, batch: Batch) -> float:
        """What is left if all pairs have the one best probability, 1 / B."""
        count = self.num_annotations(batch)
        return math.log(count) + (count - 1) * math.log(count / (count - 1))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "initial_scale": self.initial_scale,
            "initial_bias": self.initial_bias,
        }
