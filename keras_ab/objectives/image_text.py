"""Image-text contrast: CLIP's loss, and ABCLIP's reward."""

import math

import keras
import numpy as np
from keras import ops

from keras_ab.layers import ProjectionHead
from keras_ab.layers import SimilarityScale
from keras_ab.losses import info_nce
from keras_ab.objectives import checks
from keras_ab.objectives.objective import Reward
from keras_ab.ops import cosine_similarity
from keras_ab.ops import l2_normalize


@keras.saving.register_keras_serializable(package="keras_ab")
class ImageTextContrast(Reward):
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
        text_encoder,
        tokenizer=None,
        projection_dim=512,
        temperature=0.07,
        maximum_scale=100.0,
        weight=1.0,
        name="reward",
        **kwargs,
    ):
        super().__init__(weight=weight, name=name, **kwargs)
        _check_tokenizer(tokenizer)
        self.text_encoder = text_encoder
        self.tokenizer = tokenizer
        self.projection_dim = projection_dim
        self.temperature = temperature
        self.maximum_scale = maximum_scale
        policy = self.dtype_policy
        self.image_head = ProjectionHead(
            projection_dim, dtype=policy, name="image_head"
        )
        self.text_head = ProjectionHead(
            projection_dim, dtype=policy, name="text_head"
        )
        self.scale = SimilarityScale(
            1.0 / temperature, maximum=maximum_scale, name="scale"
        )

    @property
    def annotation_dim(self):
        return self.text_encoder.hidden_dim

    def build_on(self, network):
        text_encoder = self.text_encoder
        if not text_encoder.built:
            text_encoder.build((None, text_encoder.sequence_length))
        self.image_head.build((None, network.encoder.hidden_dim))
        self.text_head.build((None, self.annotation_dim))
        self.scale.build(())

    def check(self, batch):
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

    def num_annotations(self, batch):
        return len(checks.take(batch, "reward", "text"))

    def annotations(self, batch, network):
        return self._encode_ids(batch["reward"]["text"])

    def _encode_ids(self, ids, training=False):
        tokens = self.text_encoder(ids, training=training)
        return self.text_encoder.pool(tokens)

    def featurize(self, annotations, network):
        annotations = self._as_list_or_array(annotations)
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
        return self._encode_ids(ops.convert_to_tensor(ids, "int32"))

    @staticmethod
    def _as_list_or_array(annotations):
        """A list of strings, or an array of ids."""
        if isinstance(annotations, str):
            return [annotations]
        if (
            isinstance(annotations, np.ndarray)
            and annotations.dtype.kind in "OU"
        ):
            return [str(text) for text in annotations]
        if isinstance(annotations, (list, tuple)):
            if annotations and all(isinstance(t, str) for t in annotations):
                return list(annotations)
            return np.asarray(annotations)
        return annotations

    def embed_images(self, pooled):
        return l2_normalize(self.image_head(pooled))

    def embed_annotations(self, features):
        return l2_normalize(self.text_head(features))

    def reward_logits(self, pooled, features):
        cosines = cosine_similarity(
            self.image_head(pooled), self.text_head(features)
        )
        return self.scale(cosines)

    def call(self, batch, network=None, peers=None, training=False):
        tokens = network.encode(batch["reward"]["image"], training=training)
        annotations = self._encode_ids(batch["reward"]["text"], training)
        return {
            "annotations": annotations,
            "image_embeddings": self.image_head(network.encoder.pool(tokens)),
            "text_embeddings": self.text_head(annotations),
            # With a batch axis, as `predict` wants.
            "logit_scale": self.scale.value()[None],
        }

    def targets(self, batch, network, peers):
        return {"annotations": self.annotations(batch, network)}

    def chance_loss(self, batch):
        return math.log(self.num_annotations(batch))

    def compute_loss(self, outputs, targets, updates):
        return info_nce(
            outputs["image_embeddings"],
            outputs["text_embeddings"],
            outputs["logit_scale"][0],
        )

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "text_encoder": serialize(self.text_encoder),
            "tokenizer": serialize(self.tokenizer),
            "projection_dim": self.projection_dim,
            "temperature": self.temperature,
            "maximum_scale": self.maximum_scale,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for key in ("text_encoder", "tokenizer"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)


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
