"""The interface between a training signal and the network that it trains."""

from typing import Any

import keras

from keras_ab.distribution import gather
from keras_ab.layers import ProjectionHead
from keras_ab.objectives.checks import check_weight
from keras_ab.typing import Batch
from keras_ab.typing import DType
from keras_ab.typing import Network
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


class Objective(keras.layers.Layer):
    """One training signal: its heads, its state and its loss.

    A `Network` holds an encoder and a list of objectives; a target network is
    a copy of all of it. In one step, the online network's objectives run
    `call`, the target network's `targets`, and the online ones turn both into
    losses in `compute_loss`. Objectives run in the order of the list and see
    what earlier ones returned, so that shared work is done once.

    Args:
        weight: Float from 0 on, the factor of this loss in the total.
        **kwargs: As in `keras.layers.Layer`. The loss is logged as
            `{name}_loss`.
    """

    needs_target_network = False
    """Whether targets from the online network would make no sense."""

    def __init__(self, weight: float = 1.0, **kwargs: Any):
        # Boxes and token ids must reach the layers below as they are.
        super().__init__(**{**kwargs, "autocast": False})
        check_weight(weight)
        self.weight = float(weight)

    def build_on(self, network: Network) -> None:
        """Builds the heads for a network whose encoder is built.

        Args:
            network: The `keras_ab.models.Network` that holds this objective.
        """
        raise NotImplementedError

    def check(self, batch: Batch) -> None:
        """Raises `ValueError` for a batch that this objective cannot use.

        Args:
            batch: The nested dict that `fit` consumes, as NumPy arrays.
        """
        raise NotImplementedError

    def prepare(self, batch: Batch, network: Network) -> None:
        """Sets what depends on the data, once, before the first update.

        Args:
            batch: The first batch, as NumPy arrays.
            network: The `Network` that holds this objective.
        """

    def call(
        self,
        batch: Batch,
        network: Network | Any = None,
        peers: dict[str, Tensors] | None = None,
        training: bool = False,
    ) -> Tensors:
        """Everything online weights compute for the loss.

        Args:
            batch: The nested dict that `fit` consumes.
            network: The online `Network`.
            peers: Dict from the names of earlier objectives to their outputs.
            training: Bool.

        Returns:
            A dict of tensors.
        """
        raise NotImplementedError

    def targets(
        self, batch: Batch, network: Network, peers: dict[str, Tensors]
    ) -> Tensors:
        """Everything the target network's weights compute for the loss.

        It is called on the target network's own copy of the objective.

        Args:
            batch: The nested dict that `fit` consumes.
            network: The target `Network`.
            peers: Dict from the names of earlier objectives to their targets.

        Returns:
            A dict of tensors.
        """
        del batch, network, peers
        return {}

    def compute_loss(
        self, outputs: Tensors, targets: Tensors, updates: Tensor
    ) -> Tensor:
        """The loss of each example.

        Args:
            outputs: What `call` returned.
            targets: What `targets` returned.
            updates: int32 scalar, updates made so far, for schedules.

        Returns:
            Float32 of shape `(B,)`.
        """
        raise NotImplementedError

    def update_state(
        self, outputs: Tensors, targets: Tensors, updates: Tensor
    ) -> None:
        """Writes what follows from a training batch: centres, temperatures.

        It runs after the loss, on the online network's objective, inside the
        compiled step, and never in evaluation. Weights written here must be
        non-trainable; the target network copies them at the next update, and
        a step that is not finite leaves them as they were.

        Args:
            outputs: What `call` returned.
            targets: What `targets` returned.
            updates: int32 scalar, updates made so far.
        """

    def frozen(self) -> list[tuple[keras.Variable, int]]:
        """Weights that do not move at first, not even by weight decay.

        Returns:
            List of pairs of a trainable variable of this objective, whose
            gradient is zero until then, and the int number of updates for
            which it stays.
        """
        return []

    def chance_loss(self, batch: Batch) -> float | None:
        """The loss of a network that tells nothing from anything else.

        Args:
            batch: The nested dict that `fit` consumes, as NumPy arrays.

        Returns:
            Float, or None where there is no such number.
        """
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weight": self.weight}


class Reward(Objective):
    """An objective that learns p(annotation | view).

    Annotation bootstrapping works on top of any subclass: it needs the set of
    annotations of a batch, their logits for a view, and a head that embeds
    them for the value function.

    Reference:
        Section 3.2, equation 3: `p(l|x) ∝ exp(t · φ(x)ᵀψ(l))`.
    """

    annotation_dim: int | None = None
    """Int, size of an annotation's features."""

    annotations_of_batch = True
    """Whether annotations come with the rows of a batch, as captions do, and
    not as one set for all batches."""

    def num_annotations(self, batch: Batch) -> int:
        """L, how many annotations a batch brings along.

        Args:
            batch: The nested dict that `fit` consumes, as NumPy arrays.

        Returns:
            Int.
        """
        raise NotImplementedError

    def annotations(self, batch: Batch, network: Network) -> Tensor:
        """Features of the batch's annotations, before any head.

        Args:
            batch: The nested dict that `fit` consumes.
            network: The `Network` that holds this objective.

        Returns:
            Floats of shape `(L, annotation_dim)`.
        """
        raise NotImplementedError

    def targets(
        self, batch: Batch, network: Network, peers: dict[str, Tensors]
    ) -> Tensors:
        # Where nothing builds on this reward, nothing asks for them.
        if not network.bootstraps(self.name):
            return {}
        return {"annotations": self.annotations(batch, network)}

    def all_annotations(self, annotations: Tensor) -> Tensor:
        """The annotations of all devices that share a batch.

        Args:
            annotations: Floats of shape `(L, annotation_dim)`: what
                `annotations` returned here.

        Returns:
            Floats of shape `(L, annotation_dim)`, L that of the whole batch.
        """
        if not self.annotations_of_batch:
            return annotations
        return gather(annotations)

    def featurize(self, annotations: Any, network: Network) -> Tensor:
        """Features of annotations that a user names.

        Args:
            annotations: What the objective understands: strings, token ids,
                images, indices.
            network: The `Network` that holds this objective.

        Returns:
            Floats of shape `(L, annotation_dim)`.
        """
        raise NotImplementedError

    def embed_images(self, pooled: Tensor) -> Tensor:
        """φ(x): pooled encoder features in the space of annotations.

        Args:
            pooled: Floats of shape `(..., hidden_dim)`.

        Returns:
            Float32 of shape `(..., D)`, unit length.
        """
        raise NotImplementedError

    def embed_annotations(self, features: Tensor) -> Tensor:
        """ψ(l): annotation features in the space of images.

        Args:
            features: Floats of shape `(L, annotation_dim)`.

        Returns:
            Float32 of shape `(L, D)`, unit length.
        """
        raise NotImplementedError

    def reward_logits(self, pooled: Tensor, features: Tensor) -> Tensor:
        """Logits whose softmax over annotations is p(l|x).

        Args:
            pooled: Floats of shape `(..., hidden_dim)`.
            features: Floats of shape `(L, annotation_dim)`.

        Returns:
            Float32 of shape `(..., L)`.
        """
        raise NotImplementedError

    def image_logits(
        self, images: Tensor, pooled: Tensor, features: Tensor
    ) -> Tensor:
        """The same for views whose pixels are at hand too.

        This is what the value function's targets and `model.reward` call.
        Override it where p does not come from the encoder that is trained.

        Args:
            images: uint8, or float in [-1, 1], of shape `(B, H, W, 3)` or
                `(B, N, H, W, 3)`.
            pooled: Floats of shape `(B, hidden_dim)` or
                `(B * N, hidden_dim)`: the same images, encoded.
            features: Floats of shape `(L, annotation_dim)`.

        Returns:
            Float32 of shape `(B, L)` or `(B * N, L)`.
        """
        del images
        return self.reward_logits(pooled, features)

    def value_head(
        self, projection_dim: int, dtype: DType | None = None
    ) -> keras.layers.Layer:
        """ψ_AB: a head of the value function's own for annotation features.

        Args:
            projection_dim: Int, size of the result.
            dtype: Dtype policy.

        Returns:
            A layer from `(L, annotation_dim)` to `(L, projection_dim)`.
        """
        return ProjectionHead(
            projection_dim, dtype=dtype, name="annotation_head"
        )
