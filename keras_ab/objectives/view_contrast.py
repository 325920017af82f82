"""Contrast of two views of an image: SimCLR's loss, and ABSimCLR's reward."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.distribution import gather
from keras_ab.layers import ProjectionHead
from keras_ab.losses import nt_xent
from keras_ab.objectives import checks
from keras_ab.objectives.objective import Reward
from keras_ab.ops import cosine_similarity
from keras_ab.ops import l2_normalize
from keras_ab.typing import Batch
from keras_ab.typing import DType
from keras_ab.typing import Network
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors

VIEWS = 'batch["views"]["image"]'


@keras.saving.register_keras_serializable(package="keras_ab")
class ViewContrast(Reward):
    """NT-Xent between two views of each image.

    Batches are `{"views": {"image"}}` of shape `(B, 2, H, W, 3)`, as
    `keras_ab.data.simclr_batches` gives them. Annotations are the second
    views: `p(l|x)` is the softmax over them of cosines over the temperature.
    Both views alike would split an image's mass between twins.

    The head's batch normalisation takes its statistics from all 2B views of
    a training batch, and from the moving averages everywhere else: in
    targets, evaluation and use.

    Args:
        projection_dim: Int, size of the space in which views are compared.
        hidden_dims: Sizes of the head's hidden layers, each followed by
            batch normalisation and a ReLU.
        temperature: Positive float that divides the cosines.
        weight: Float, the factor of this loss in the total.
        name: Name of the objective.
        **kwargs: As in `keras.layers.Layer`.

    Example:

    >>> model = keras_ab.models.AnnotationBootstrapping(
    ...     keras_ab.backbones.ViT.from_size("test", image_shape=(32, 32, 3)),
    ...     reward=keras_ab.objectives.ViewContrast(8, hidden_dims=(32,)),
    ... )

    Reference:
        Section 3.2 (ABSimCLR); Chen et al. 2020; the head is SLIP's.
    """

    def __init__(
        self,
        projection_dim: int = 256,
        hidden_dims: Sequence[int] = (4096, 4096),
        temperature: float = 0.1,
        weight: float = 1.0,
        name: str = "reward",
        **kwargs: Any,
    ):
        super().__init__(weight=weight, name=name, **kwargs)
        checks.check_positive(temperature, "temperature")
        self.projection_dim = projection_dim
        self.hidden_dims = tuple(hidden_dims)
        self.temperature = temperature
        self.head = self._mlp(projection_dim, self.dtype_policy, "head")

    def _mlp(self, projection_dim, dtype, name):
        return ProjectionHead(
            projection_dim,
            hidden_dims=self.hidden_dims,
            batch_norm=True,
            use_bias=True,
            dtype=dtype,
            name=name,
        )

    def build_on(self, network: Network) -> None:
        self.annotation_dim = network.encoder.hidden_dim
        self.head.build((None, self.annotation_dim))

    def check(self, batch: Batch) -> None:
        views = checks.take(batch, "views", "image")
        checks.check_images(views, VIEWS, rank=5)
        if np.shape(views)[1] != 2:
            raise ValueError(
                f"{VIEWS} must hold two views of each image, "
                f"(B, 2, H, W, 3). Received: shape {np.shape(views)}"
            )
        if len(views) < 2:
            raise ValueError(
                f"{VIEWS} must hold at least 2 images, since each is the "
                f"other's negative. Received: {len(views)}"
            )

    def num_annotations(self, batch: Batch) -> int:
        return len(checks.take(batch, "views", "image"))

    def annotations(self, batch: Batch, network: Network) -> Tensor:
        second = batch["views"]["image"][:, 1]
        return network.encoder.pool(network.encode(second))

    def featurize(self, annotations: Any, network: Network) -> Tensor:
        if isinstance(annotations, (list, tuple)):
            annotations = np.stack([np.asarray(a) for a in annotations])
        images = ops.convert_to_numpy(annotations)
        if images.dtype == np.float64:
            images = images.astype("float32")
        checks.check_images(images, "`annotations`")
        return network.encoder.pool(network.encode(images))

    def _embed(self, pooled):
        """The head outside of training, for any number of axes."""
        dim = pooled.shape[-1]
        embedded = self.head(ops.reshape(pooled, (-1, dim)), training=False)
        return ops.reshape(
            embedded, (*ops.shape(pooled)[:-1], self.projection_dim)
        )

    def embed_images(self, pooled: Tensor) -> Tensor:
        return l2_normalize(self._embed(pooled))

    def embed_annotations(self, features: Tensor) -> Tensor:
        return l2_normalize(self._embed(features))

    def reward_logits(self, pooled: Tensor, features: Tensor) -> Tensor:
        cosines = cosine_similarity(self._embed(pooled), self._embed(features))
        return cosines / self.temperature

    def value_head(
        self, projection_dim: int, dtype: DType | None = None
    ) -> keras.layers.Layer:
        return self._mlp(projection_dim, dtype, "annotation_head")

    def call(
        self,
        batch: Batch,
        network: Network | Any = None,
        peers: dict[str, Tensors] | None = None,
        training: bool = False,
    ) -> Tensors:
        tokens = network.encode(batch["views"]["image"], training=training)
        pooled = network.encoder.pool(tokens)
        # Both views in one call, for statistics of the whole batch.
        embedded = self.head(pooled, training=training)
        pairs = ops.reshape(embedded, (-1, 2, self.projection_dim))
        pooled = ops.reshape(pooled, (-1, 2, self.annotation_dim))
        return {
            "annotations": pooled[:, 1],
            "first": pairs[:, 0],
            "second": pairs[:, 1],
        }

    def compute_loss(
        self, outputs: Tensors, targets: Tensors, updates: Tensor
    ) -> Tensor:
        return nt_xent(
            gather(outputs["first"]),
            gather(outputs["second"]),
            self.temperature,
        )

    def chance_loss(self, batch: Batch) -> float:
        return math.log(2 * self.num_annotations(batch) - 1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "projection_dim": self.projection_dim,
            "hidden_dims": self.hidden_dims,
            "temperature": self.temperature,
        }
