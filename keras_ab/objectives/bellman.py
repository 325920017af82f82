"""The Bellman value objective: annotation bootstrapping itself."""

import math
from typing import Any
from typing import Self

import keras
import numpy as np
from keras import ops

from keras_ab.actions import ActionSpace
from keras_ab.actions import RelativeCrops
from keras_ab.backbones import AnnotationDecoder
from keras_ab.layers import LearnedBias
from keras_ab.layers import ProjectionHead
from keras_ab.layers import SimilarityScale
from keras_ab.losses import chunked_bellman_value
from keras_ab.objectives import checks
from keras_ab.objectives.objective import Objective
from keras_ab.ops import chunked_bellman_target
from keras_ab.ops import cosine_similarity
from keras_ab.ops import l2_normalize
from keras_ab.ops.chunked_bellman import check_chunk
from keras_ab.ops.chunked_bellman import q_logits
from keras_ab.typing import Batch
from keras_ab.typing import Network
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors
from keras_ab.typing import is_real


@keras.saving.register_keras_serializable(package="keras_ab")
class BellmanValue(Objective):
    """Learns Q(view, action, annotation) on unlabelled views.

    `Q(x, a, l) = σ(t · φ(x, a)ᵀψ(l) + b)`: φ is a decoder over action tokens
    that attends to the view's tokens, ψ a head on the reward's annotation
    features. The targets are the Bellman backups of the target network on the
    same annotations:
    `y[j, l] = (1 - γ) p(l|x_j) + γ max_k Q(x_j, bb_{j→k}, l)`.

    Args:
        decoder: A `keras_ab.backbones.AnnotationDecoder`, by default four
            S-sized layers.
        actions: A `keras_ab.actions.ActionSpace`, by default relative crops.
        reward: Name of the reward objective in the same network; it must
            stand before this one.
        gamma: Float in [0, 1], the discount.
        projection_dim: Int, size of the space of φ and ψ.
        value_scale: Float, the starting value of t.
        value_bias: Float, the starting value of b. None sets it to `-ln L` at
            the first training batch, L being its number of annotations; until
            then it is -10.
        annotations_per_chunk: Int, how many annotations the loss looks at at
            a time, which bounds its memory. None chooses by size: all at once
            while the logits of all pairs are few.
        weight: Float, the factor of this loss in the total.
        name: Name of the objective.
        **kwargs: As in `keras.layers.Layer`.

    Reference:
        Equations 4 and 5, Algorithms 1 and 2, Section A.2 and Figure 6.
    """

    def __init__(
        self,
        decoder: keras.layers.Layer | None = None,
        actions: ActionSpace | None = None,
        reward: str = "reward",
        gamma: float = 0.5,
        projection_dim: int = 512,
        value_scale: float = 10.0,
        value_bias: float | None = None,
        annotations_per_chunk: int | None = None,
        weight: float = 1.0,
        name: str = "value",
        **kwargs: Any,
    ):
        super().__init__(weight=weight, name=name, **kwargs)
        if not (is_real(gamma) and 0.0 <= gamma <= 1.0):
            raise ValueError(
                "`gamma`, the discount, must be a number in [0, 1]. "
                f"Received: {gamma!r}"
            )
        if value_bias is not None and not (
            is_real(value_bias) and math.isfinite(value_bias)
        ):
            raise ValueError(
                "`value_bias` must be a finite number, or None for -ln L. "
                f"Received: {value_bias!r}"
            )
        check_chunk(annotations_per_chunk)
        policy = self.dtype_policy
        self.decoder = decoder or AnnotationDecoder(
            dtype=policy, name="decoder"
        )
        self.actions = actions or RelativeCrops()
        self.reward = reward
        self.gamma = float(gamma)
        self.projection_dim = projection_dim
        self.value_scale = value_scale
        self.value_bias = value_bias
        self.annotations_per_chunk = annotations_per_chunk
        self.action_tokens = self.actions.tokenizer(
            self.decoder.hidden_dim, dtype=policy, name="action_tokens"
        )
        self.action_head = ProjectionHead(
            projection_dim, dtype=policy, name="action_head"
        )
        self.scale = SimilarityScale(value_scale, name="scale")
        self.bias = LearnedBias(
            -10.0 if value_bias is None else value_bias, name="bias"
        )

    def build_on(self, network: Network) -> None:
        reward = network.objective(self.reward)
        hidden_dim = self.decoder.hidden_dim
        actions = self.actions
        self.annotation_head = reward.value_head(
            self.projection_dim, dtype=self.dtype_policy
        )
        self.action_tokens.build((None, None, actions.action_size))
        if not self.decoder.built:
            self.decoder.build(
                (None, None, actions.num_tokens, hidden_dim),
                (None, None, network.encoder.hidden_dim),
            )
        self.action_head.build((None, None, hidden_dim))
        self.annotation_head.build((None, reward.annotation_dim))
        self.scale.build(())
        self.bias.build(())

    def check(self, batch: Batch) -> None:
        views = checks.take(batch, "value", "image")
        states = checks.take(batch, "value", self.actions.state_key)
        where = f'batch["value"]["{self.actions.state_key}"]'
        checks.check_images(views, 'batch["value"]["image"]', rank=5)
        wanted = (*np.shape(views)[:2], self.actions.state_size)
        if np.shape(states) != wanted:
            raise ValueError(
                f"{where} must have shape {wanted}, one for each view. "
                f"Received: shape {np.shape(states)}"
            )
        if not len(views):
            raise ValueError(
                'batch["value"]["image"] must hold images. Received: none'
            )
        if np.shape(views)[1] < 2:
            raise ValueError(
                'batch["value"]["image"] must hold at least 2 views of each '
                "image, (B, N, H, W, 3) with N >= 2: values relate one view "
                f"to another. Received: shape {np.shape(views)}"
            )
        self.actions.check_states(states)

    def prepare(self, batch: Batch, network: Network) -> None:
        if self.value_bias is None:
            reward = network.objective(self.reward)
            annotations = reward.num_annotations(batch)
            self.bias.assign(-math.log(annotations))

    def value_logits(
        self, tokens: Tensor, actions: Tensor, features: Tensor
    ) -> Tensor:
        """Logits of Q for every action of every view.

        Args:
            tokens: Floats of shape `(B, T, hidden_dim)`: the views, encoded.
            actions: Float32 of shape `(B, A, 4)`.
            features: Floats of shape `(L, annotation_dim)`.

        Returns:
            Float32 of shape `(B, A, L)`.
        """
        embedded = self.decoder(self.action_tokens(actions), tokens)
        cosines = cosine_similarity(
            self.action_head(embedded), self.annotation_head(features)
        )
        return self.bias(self.scale(cosines))

    def _embed(self, tokens, states, features):
        """All that Q of all pairs of views is made of.

        Logits themselves, `(B, N, N, L)`, may be too many to hold.
        """
        views = states.shape[1]
        actions = self.actions.relative(states)
        actions = ops.reshape(actions, (-1, views, actions.shape[-1]))
        embedded = self.action_head(
            self.decoder(self.action_tokens(actions), tokens)
        )
        shape = (-1, views, views, embedded.shape[-1])
        return {
            "action_embeddings": ops.reshape(l2_normalize(embedded), shape),
            "annotation_embeddings": l2_normalize(
                self.annotation_head(features)
            ),
            # With a batch axis, as `predict` wants.
            "scale": self.scale.value()[None],
            "bias": self.bias.value()[None],
        }

    def call(
        self,
        batch: Batch,
        network: Network | Any = None,
        peers: dict[str, Tensors] | None = None,
        training: bool = False,
    ) -> Tensors:
        batch = batch["value"]
        tokens = network.encode(batch["image"], training=training)
        states = batch[self.actions.state_key]
        return self._embed(tokens, states, self._annotations(network, peers))

    def _annotations(self, network, peers):
        """Features of all annotations: Q is of those of the whole batch."""
        reward = network.objective(self.reward)
        return reward.all_annotations(peers[self.reward]["annotations"])

    def targets(
        self, batch: Batch, network: Network, peers: dict[str, Tensors]
    ) -> Tensors:
        batch = batch["value"]
        states = ops.convert_to_tensor(batch[self.actions.state_key])
        annotations = self._annotations(network, peers)
        tokens = network.encode(batch["image"])
        logits = network.objective(self.reward).image_logits(
            batch["image"], network.encoder.pool(tokens), annotations
        )
        reward = ops.softmax(logits, axis=-1)
        shape = (-1, states.shape[1], ops.shape(reward)[-1])
        return {
            **self._embed(tokens, states, annotations),
            "reward": ops.reshape(reward, shape),
        }

    def q_logits(self, outputs: Tensors) -> Tensor:
        """Logits of Q for all pairs of views and all annotations at once.

        Args:
            outputs: What `call` or `targets` returned.

        Returns:
            Float32 of shape `(B, N, N, L)`.

        Reference:
            Equation 4.
        """
        return q_logits(*_q_function(outputs))

    def target(self, targets: Tensors) -> Tensor:
        """The Bellman targets themselves, for analysis and monitors.

        The loss computes them a chunk at a time and does not keep them.

        Args:
            targets: What `targets` returned.

        Returns:
            Float32 of shape `(B, N, L)`, gradient stopped.

        Reference:
            Equation 5.
        """
        return chunked_bellman_target(
            _q_function(targets),
            targets["reward"],
            self.gamma,
            self.annotations_per_chunk,
        )

    def bellman_targets(self, batch: Batch, network: Network) -> Tensor:
        """The targets y of a batch, for those who look on.

        Args:
            batch: The nested dict that `fit` consumes.
            network: The `Network` that holds this objective; the target
                network where there is one.

        Returns:
            Float32 of shape `(B, N, L)`, in [0, 1].

        Reference:
            Equation 5.
        """
        return self.target(network.targets(batch)[self.name])

    def compute_loss(
        self, outputs: Tensors, targets: Tensors, updates: Tensor
    ) -> Tensor:
        return chunked_bellman_value(
            _q_function(outputs),
            _q_function(targets),
            targets["reward"],
            self.gamma,
            self.annotations_per_chunk,
        )

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "decoder": serialize(self.decoder),
            "actions": serialize(self.actions),
            "reward": self.reward,
            "gamma": self.gamma,
            "projection_dim": self.projection_dim,
            "value_scale": self.value_scale,
            "value_bias": self.value_bias,
            "annotations_per_chunk": self.annotations_per_chunk,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        config = dict(config)
        for key in ("decoder", "actions"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)


def _q_function(embedded):
    """Actions, annotations, scale and bias, as the losses take them."""
    return (
        embedded["action_embeddings"],
        embedded["annotation_embeddings"],
        embedded["scale"][0],
        embedded["bias"][0],
    )
