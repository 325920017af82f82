"""The decoder: from frozen tokens and a prompt to an answer."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.layers.norm import LayerNorm
from keras_ab.probes.decoder.block import CausalDecoderBlock
from keras_ab.typing import Shape
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


@keras.saving.register_keras_serializable(package="keras_ab")
class MultiTaskDecoder(keras.Model):
    """A causal decoder that attends to the tokens of a frozen encoder.

    The frozen tokens are standardised by the training set (`standardise`),
    and projected; positions are added to them and to the ids.

    Args:
        vocabulary_size: Int, number of ids.
        length: Int, the most ids of a sequence.
        num_layers: Int.
        hidden_dim: Int.
        num_heads: Int.
        intermediate_dim: Int, width inside the MLPs.
        dropout: Float.
        label_smoothing: Float in [0, 1), the share of a target that is spread
            over all ids.
        **kwargs: As in `keras.Model`.

    Call arguments:
        inputs: Dict of `"tokens"`, floats of shape `(B, T, C)`, and `"ids"`,
            int32 of shape `(B, L)` with L at most `length`.
        training: Bool.

    Returns:
        Float32 logits of shape `(B, L, vocabulary_size)`: row i says which id
        follows the ids 0 to i.
    """

    def __init__(
        self,
        vocabulary_size: int,
        length: int,
        num_layers: int = 4,
        hidden_dim: int = 384,
        num_heads: int = 6,
        intermediate_dim: int = 1536,
        dropout: float = 0.1,
        label_smoothing: float = 0.1,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.length = length
        self.num_layers = num_layers
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.dropout = dropout
        self.label_smoothing = label_smoothing
        small = keras.initializers.RandomNormal(stddev=0.02)
        self.embedding = keras.layers.Embedding(
            vocabulary_size,
            hidden_dim,
            embeddings_initializer=small,
            name="embedding",
        )
        self.places = keras.layers.Embedding(
            length, hidden_dim, embeddings_initializer=small, name="places"
        )
        self.projection = keras.layers.Dense(hidden_dim, name="projection")
        self.blocks = [
            CausalDecoderBlock(
                num_heads, intermediate_dim, dropout, name=f"block_{i}"
            )
            for i in range(num_layers)
        ]
        self.norm = LayerNorm(name="norm")
        self.head = keras.layers.Dense(
            vocabulary_size, dtype="float32", name="head"
        )

    def build(self, input_shape: dict[str, Shape]) -> None:
        _, count, size = input_shape["tokens"]
        self.shift = self.add_weight(
            shape=(size,), initializer="zeros", trainable=False, name="shift"
        )
        self.scale = self.add_weight(
            shape=(size,), initializer="ones", trainable=False, name="scale"
        )
        self.context_places = self.add_weight(
            shape=(count, self.hidden_dim),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="context_places",
        )
        self.embedding.build((None, None))
        self.places.build((None,))
        self.projection.build((None, count, size))
        sequence = (None, None, self.hidden_dim)
        for block in self.blocks:
            block.build(sequence, (None, count, self.hidden_dim))
        self.norm.build(sequence)
        self.head.build(sequence)

    def standardise(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        """Sets what the frozen tokens are standardised by.

        Args:
            mean: Floats of shape `(C,)`.
            deviation: Floats of shape `(C,)`; channels where it is 0 stay at
                0.
        """
        deviation = np.asarray(deviation, "float64")
        varies = deviation > 1e-6 * max(float(deviation.max()), 1e-12)
        self.shift.assign(mean)
        self.scale.assign(
            np.where(varies, 1.0 / np.where(varies, deviation, 1), 0)
        )

    def context(self, tokens: Tensor) -> Tensor:
        """What is attended to.

        Args:
            tokens: Floats of shape `(B, T, C)`.

        Returns:
            Floats of shape `(B, T, hidden_dim)`.
        """
        tokens = (ops.cast(tokens, "float32") - self.shift) * self.scale
        x = self.projection(tokens)
        return x + ops.cast(self.context_places, x.dtype)

    def call(self, inputs: Tensors, training: bool = False) -> Tensor:
        context = self.context(inputs["tokens"])
        ids = inputs["ids"]
        x = self.embedding(ids) + self.places(ops.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x, context, training=training)
        return self.head(self.norm(x))

    def compute_loss(
        self,
        x: Tensors | None = None,
        y: Any = None,
        y_pred: Tensor | None = None,
        sample_weight: Tensor | None = None,
        training: bool = True,
    ) -> Tensor:
        """The mean cross-entropy of what the weights of answers point at."""
        return ops.mean(
            answer_loss(
                y_pred, y["targets"], y["weights"], self.label_smoothing
            )
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "length": self.length,
            "num_layers": self.num_layers,
            "hidden_dim": self.hidden_dim,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "dropout": self.dropout,
            "label_smoothing": self.label_smoothing,
        }


def answer_loss(
    logits: Tensor,
    targets: Tensor,
    weights: Tensor,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy of answers.

    Args:
        logits: Float32 of shape `(B, L, V)`.
        targets: Ints of shape `(B, L)`.
        weights: Float32 of shape `(B, L)`; 0 where nothing is asked.
        label_smoothing: Float in [0, 1).

    Returns:
        Float32 of shape `(B,)`: the weighted mean over each answer, so that
        long answers do not count more than short ones; 0 where nothing is
        asked.
    """
    logarithms = ops.log_softmax(logits, axis=-1)
    picked = ops.take_along_axis(
        logarithms, ops.expand_dims(ops.cast(targets, "int32"), -1), axis=-1
    )
    losses = -(1.0 - label_smoothing) * ops.squeeze(picked, -1)
    if label_smoothing:
        losses = losses - label_smoothing * ops.mean(logarithms, axis=-1)
    total = ops.sum(losses * weights, axis=-1)
    return total / ops.maximum(ops.sum(weights, axis=-1), 1e-6)
