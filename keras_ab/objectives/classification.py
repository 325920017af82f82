"""Classification: supervised classes as a reward."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_ab.layers import Dense
from keras_ab.layers import SimilarityScale
from keras_ab.objectives import checks
from keras_ab.objectives.indexed_reward import IndexedReward
from keras_ab.ops import cosine_similarity
from keras_ab.ops import l2_normalize
from keras_ab.typing import Batch
from keras_ab.typing import Network
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors

HEADS = ("linear", "cosine")


@keras.saving.register_keras_serializable(package="keras_ab")
class Classification(IndexedReward):
    """Supervised classes: annotations are the K classes.

    Batches are `{"reward": {"image", "label"}}`, as
    `keras_ab.data.labelled_batches` gives them; `p(l|x)` is the softmax of
    the classifier's logits.

    Args:
        num_annotations: Int, K, the number of classes.
        annotation_names: List of the K names of the classes, by which users
            may then call them, or None.
        head: `"linear"` for a dense layer on pooled features, or `"cosine"`
            for scaled cosines with one learnt vector a class.
        temperature: Float in [0.01, 1], the starting temperature of the
            cosines; a linear head has none.
        weight: Float, the factor of this loss in the total.
        name: Name of the objective.
        **kwargs: As in `keras.layers.Layer`.

    Example:

    >>> model = keras_ab.models.AnnotationBootstrapping(
    ...     keras_ab.backbones.ViT.from_size("test", image_shape=(32, 32, 3)),
    ...     reward=keras_ab.objectives.Classification(2, ["cup", "car"]),
    ... )
    >>> model.reward(np.zeros((1, 32, 32, 3), "uint8"), ["cup", "car"])
    # shape (1, 2); the row sums to 1
    """

    def __init__(
        self,
        num_annotations: int,
        annotation_names: Sequence[str] | None = None,
        head: str = "linear",
        temperature: float = 0.07,
        weight: float = 1.0,
        name: str = "reward",
        **kwargs: Any,
    ):
        super().__init__(
            num_annotations,
            annotation_names,
            weight=weight,
            name=name,
            **kwargs,
        )
        if head not in HEADS:
            raise ValueError(
                f"`head` must be one of {HEADS}. Received: {head!r}"
            )
        checks.check_temperature(temperature, 100.0)
        self.head = head
        self.temperature = temperature
        self.classifier = Dense(
            num_annotations,
            use_bias=head == "linear",
            dtype=self.dtype_policy,
            name="classifier",
        )
        self.scale = None
        if head == "cosine":
            self.scale = SimilarityScale(
                1.0 / temperature, maximum=100.0, name="scale"
            )

    def build_on(self, network: Network) -> None:
        self.classifier.build((None, network.encoder.hidden_dim))
        if self.scale is not None:
            self.scale.build(())

    def check(self, batch: Batch) -> None:
        images = checks.take(batch, "reward", "image")
        labels = checks.take(batch, "reward", "label")
        where = 'batch["reward"]["label"]'
        checks.check_images(images, 'batch["reward"]["image"]')
        checks.check_labels(labels, where, self.size)
        if len(images) != len(labels) or not len(images):
            raise ValueError(
                f'batch["reward"]["image"] and {where} must have the same '
                "length, one label an image, and not be empty. Received: "
                f"{len(images)} images and {len(labels)} labels"
            )

    def embed_images(self, pooled: Tensor) -> Tensor:
        return l2_normalize(pooled)

    def embed_annotations(self, features: Tensor) -> Tensor:
        return l2_normalize(ops.take(self._rows(), features, axis=0))

    def _rows(self):
        """One vector for each class, `(K, hidden_dim)`."""
        return ops.transpose(ops.convert_to_tensor(self.classifier.kernel))

    def _logits(self, pooled):
        if self.scale is None:
            return ops.cast(self.classifier(pooled), "float32")
        return self.scale(cosine_similarity(pooled, self._rows()))

    def reward_logits(self, pooled: Tensor, features: Tensor) -> Tensor:
        return ops.take(self._logits(pooled), features, axis=-1)

    def call(
        self,
        batch: Batch,
        network: Network | Any = None,
        peers: dict[str, Tensors] | None = None,
        training: bool = False,
    ) -> Tensors:
        batch = batch["reward"]
        tokens = network.encode(batch["image"], training=training)
        return {
            "annotations": self.annotations(batch, network),
            "logits": self._logits(network.encoder.pool(tokens)),
            "labels": ops.cast(batch["label"], "int32"),
        }

    def compute_loss(
        self, outputs: Tensors, targets: Tensors, updates: Tensor
    ) -> Tensor:
        return keras.losses.sparse_categorical_crossentropy(
            outputs["labels"], outputs["logits"], from_logits=True
        )

    def chance_loss(self, batch: Batch) -> float:
        return math.log(self.size)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "head": self.head,
            "temperature": self.temperature,
        }
