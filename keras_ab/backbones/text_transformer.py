"""The text encoder."""

from typing import Any
from typing import Self

import keras

from keras_ab.backbones.sizes import get_size
from keras_ab.layers import LayerNorm
from keras_ab.layers import PositionEmbedding
from keras_ab.layers import TokenPooling
from keras_ab.layers import TransformerBlock
from keras_ab.layers import rematerialized
from keras_ab.typing import Shape
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class TextTransformer(keras.layers.Layer):
    """A transformer over token ids that returns all of its tokens.

    Args:
        vocabulary_size: Int; ids lie in [0, vocabulary_size).
        sequence_length: Int, tokens to a text, padding included.
        hidden_dim: Int, size of a token.
        num_layers: Int, number of blocks.
        num_heads: Int, attention heads.
        intermediate_dim: Int, width inside the MLPs.
        causal: Bool, whether a token sees only itself and earlier ones.
        pooling: How `pool` makes one vector: `"last"`, `"gap"` or `"map"`.
            The default goes with texts that are padded with their end token.
        layer_norm_epsilon: Float.
        rematerialize: Bool, whether blocks are computed a second time for
            their gradient, which needs the memory of one block instead of
            that of all, and about a third more time.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        ids: Ints of shape `(B, sequence_length)`.
        training: Bool.

    Returns:
        Floats of shape `(B, sequence_length, hidden_dim)`.

    Example:

    >>> text = keras_ab.backbones.TextTransformer.from_size(
    ...     "test", vocabulary_size=100, sequence_length=8
    ... )
    >>> tokens = text(np.zeros((2, 8), "int32"))
    >>> tokens.shape, text.pool(tokens).shape
    # (2, 8, 32), (2, 32)

    Reference:
        Section 3.2 (ψ): "a symmetrically implemented text transformer";
        bidirectional, as in big_vision.
    """

    def __init__(
        self,
        vocabulary_size: int,
        sequence_length: int,
        hidden_dim: int = 384,
        num_layers: int = 12,
        num_heads: int = 6,
        intermediate_dim: int = 1536,
        causal: bool = False,
        pooling: str = "last",
        layer_norm_epsilon: float = 1e-6,
        rematerialize: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if vocabulary_size < 1 or sequence_length < 1:
            raise ValueError(
                "`vocabulary_size` and `sequence_length` must be positive. "
                f"Received: {vocabulary_size} and {sequence_length}"
            )
        self.vocabulary_size = vocabulary_size
        self.sequence_length = sequence_length
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.causal = causal
        self.pooling = pooling
        self.layer_norm_epsilon = layer_norm_epsilon
        self.rematerialize = rematerialize
        policy = self.dtype_policy
        self.token_embedding = keras.layers.Embedding(
            vocabulary_size,
            hidden_dim,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=0.02),
            dtype=policy,
            name="token_embedding",
        )
        self.positions = PositionEmbedding(
            (1, sequence_length), hidden_dim, dtype=policy, name="positions"
        )
        self.blocks = [
            TransformerBlock(
                num_heads,
                intermediate_dim,
                causal=causal,
                layer_norm_epsilon=layer_norm_epsilon,
                dtype=policy,
                name=f"block_{i}",
            )
            for i in range(num_layers)
        ]
        self.norm = LayerNorm(
            epsilon=layer_norm_epsilon, dtype=policy, name="norm"
        )
        self.pooling_layer = TokenPooling(
            pooling,
            num_heads=num_heads,
            layer_norm_epsilon=layer_norm_epsilon,
            dtype=policy,
            name="pooling",
        )

    @classmethod
    def from_size(cls, size: str, **kwargs: Any) -> Self:
        """A text transformer of a named size.

        Args:
            size: `"Ti"`, `"S"`, `"B"`, `"L"`, or `"tiny"` and `"test"`.
            **kwargs: The other arguments of the constructor.

        Returns:
            A `TextTransformer`.
        """
        return cls(**{**get_size(size), **kwargs})

    def build(self, input_shape: Shape | None = None) -> None:
        shape = (None, self.sequence_length, self.hidden_dim)
        self.token_embedding.build((None, self.sequence_length))
        self.positions.build(shape)
        for block in self.blocks:
            block.build(shape)
        self.norm.build(shape)
        self.pooling_layer.build(shape)

    def call(self, ids: Tensor, training: bool = False) -> Tensor:
        if tuple(ids.shape[1:]) != (self.sequence_length,):
            raise ValueError(
                "Texts must be ids of shape (batch, sequence_length="
                f"{self.sequence_length}). Received: shape {tuple(ids.shape)}"
            )
        tokens = self.positions(self.token_embedding(ids))
        for block in self.blocks:
            if self.rematerialize:
                inputs = {"tokens": tokens}
                tokens = rematerialized(block, inputs, training=training)
            else:
                tokens = block(tokens, training=training)
        return self.norm(tokens)

    def pool(self, tokens: Tensor) -> Tensor:
        """One vector for each text.

        Args:
            tokens: What `call` returned.

        Returns:
            Floats of shape `(B, hidden_dim)`.
        """
        return self.pooling_layer(tokens)

    def get_build_config(self) -> None:
        # Built by the model that holds it, so that paths nest after loading.
        return None

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "sequence_length": self.sequence_length,
            "hidden_dim": self.hidden_dim,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "causal": self.causal,
            "pooling": self.pooling,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "rematerialize": self.rematerialize,
        }
