"""What every reward over captions shares: the text tower and two heads."""

from collections.abc import Callable
from typing import Any
from typing import Self

import keras
import numpy as np
from keras import ops

from keras_ab.layers import ProjectionHead
from keras_ab.objectives import checks
from keras_ab.objectives.objective import Reward
from keras_ab.ops import cosine_similarity
from keras_ab.ops import l2_normalize
from keras_ab.typing import Batch
from keras_ab.typing import Network
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


class TextReward(Reward):
    """A reward whose annotations are captions.

    Batches are `{"reward": {"image", "text"}}`, row b of either belonging to
    row b of the other. A subclass says how cosines become logits, and what
    the loss of both embeddings is (`logits`, `compute_loss`).

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
        **kwargs: As in `keras_ab.objectives.Objective`.
    """

    def __init__(
        self,
        text_encoder: keras.layers.Layer,
        tokenizer: Callable[..., Any] | None = None,
        projection_dim: int = 512,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        _check_text_encoder(text_encoder)
        _check_tokenizer(tokenizer)
        self.text_encoder = text_encoder
        self.tokenizer = tokenizer
        self.projection_dim = projection_dim
        policy = self.dtype_policy
        self.image_head = ProjectionHead(
            projection_dim, dtype=policy, name="image_head"
        )
        self.text_head = ProjectionHead(
            projection_dim, dtype=policy, name="text_head"
        )

    def logits(self, cosines: Tensor) -> Tensor:
        """Logits whose softmax over captions is p(l|x).

        Args:
            cosines: Float32 of shape `(..., L)`.

        Returns:
            Float32 of the same shape.
        """
        raise NotImplementedError

    # The encoder says it, so that it need not be set.
    @property
    def annotation_dim(self) -> int:  # type: ignore[override]
        return self.text_encoder.hidden_dim

    def build_on(self, network: Network) -> None:
        text_encoder = self.text_encoder
        if not text_encoder.built:
            text_encoder.build((None, text_encoder.sequence_length))
        self.image_head.build((None, network.encoder.hidden_dim))
        self.text_head.build((None, self.annotation_dim))

    def check(self, batch: Batch) -> None:
        images = checks.take(batch, "reward", "image")
        ids = checks.take(batch, "reward", "text")
        checks.check_images(images, 'batch["reward"]["image"]')
        self._check_ids(ids, 'batch["reward"]["text"]')
        if len(images) != len(ids):
            raise ValueError(
                'batch["reward"]["image"] and batch["reward"]["text"] must '
                "have the same length, one caption an image. Received: "
                f"{len(images)} images and {len(ids)} texts"
            )
        if len(images) < 2:
            raise ValueError(
                'batch["reward"] must hold at least 2 examples, since each is '
                f"the other's negative. Received: {len(images)}"
            )

    def _check_ids(self, ids, where):
        checks.check_token_ids(
            ids,
            where,
            self.text_encoder.sequence_length,
            self.text_encoder.vocabulary_size,
        )

    def num_annotations(self, batch: Batch) -> int:
        return len(checks.take(batch, "reward", "text"))

    def annotations(self, batch: Batch, network: Network) -> Tensor:
        return self._encode_ids(batch["reward"]["text"], network)

    def _encode_ids(self, ids, network, training=False):
        tokens = network.run(self.text_encoder, ids, training=training)
        return self.text_encoder.pool(tokens)

    def featurize(self, annotations: Any, network: Network) -> Tensor:
        annotations = _as_list_or_array(annotations)
        if isinstance(annotations, list):
            if self.tokenizer is None:
                raise ValueError(
                    "This model has no tokenizer: pass token ids of shape "
                    f"(L, {self.text_encoder.sequence_length}), or build it "
                    f"with `tokenizer=`. Received: {annotations[:3]}"
                )
            annotations = self.tokenizer(annotations)
        ids = ops.convert_to_numpy(annotations)
        self._check_ids(ids, "`annotations`")
        return self._encode_ids(ops.convert_to_tensor(ids, "int32"), network)

    def embed_images(self, pooled: Tensor) -> Tensor:
        return l2_normalize(self.image_head(pooled))

    def embed_annotations(self, features: Tensor) -> Tensor:
        return l2_normalize(self.text_head(features))

    def reward_logits(self, pooled: Tensor, features: Tensor) -> Tensor:
        cosines = cosine_similarity(
            self.image_head(pooled), self.text_head(features)
        )
        return self.logits(cosines)

    def call(
        self,
        batch: Batch,
        network: Network | Any = None,
        peers: dict[str, Tensors] | None = None,
        training: bool = False,
    ) -> Tensors:
        tokens = network.encode(batch["reward"]["image"], training=training)
        annotations = self._encode_ids(
            batch["reward"]["text"], network, training
        )
        return {
            "annotations": annotations,
            "image_embeddings": self.image_head(network.encoder.pool(tokens)),
            "text_embeddings": self.text_head(annotations),
        }

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "text_encoder": serialize(self.text_encoder),
            "tokenizer": serialize(self.tokenizer),
            "projection_dim": self.projection_dim,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        config = dict(config)
        for key in ("text_encoder", "tokenizer"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)


def _as_list_or_array(annotations):
    """A list of strings, or an array of ids."""
    if isinstance(annotations, str):
        return [annotations]
    if isinstance(annotations, np.ndarray) and annotations.dtype.kind in "OU":
        return [str(text) for text in annotations]
    if isinstance(annotations, (list, tuple)):
        if annotations and all(isinstance(t, str) for t in annotations):
            return list(annotations)
        return np.asarray(annotations)
    return annotations


def _check_text_encoder(encoder):
    needed = ("pool", "hidden_dim", "sequence_length", "vocabulary_size")
    lacks = [name for name in needed if not hasattr(encoder, name)]
    if lacks:
        raise ValueError(
            "`text_encoder` must be a layer from token ids to tokens, such as "
            "`keras_ab.backbones.TextTransformer`. Received: "
            f"{encoder!r}, without {lacks}"
        )


def _check_tokenizer(tokenizer):
    if tokenizer is None:
        return
    if not callable(tokenizer) or not hasattr(tokenizer, "get_config"):
        raise ValueError(
            "`tokenizer` is saved with the model: it must be a callable "
            "object with `get_config`, of a class registered with "
            "`keras.saving.register_keras_serializable`. "
            f"Received: {tokenizer!r}"
        )
