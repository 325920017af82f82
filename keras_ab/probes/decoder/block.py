"""A block of the decoder, over whole sequences or one token at a time."""

from typing import Any

import keras
from keras import ops

from keras_ab.layers.attention import attention
from keras_ab.layers.attention import split_heads
from keras_ab.layers.blocks import DecoderBlock
from keras_ab.probes.decoder.dropout import SeededDropout
from keras_ab.typing import Shape
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class CausalDecoderBlock(DecoderBlock):
    """A pre-norm block: causal self-attention, cross-attention and MLP.

    Args:
        num_heads: Int.
        intermediate_dim: Int, width inside the MLP.
        dropout: Float, dropout rate of each branch.
        **kwargs: As in `keras_ab.layers.DecoderBlock`.

    Call arguments:
        tokens: Floats of shape `(B, L, D)`.
        context: Floats of shape `(B, T, C)`, what is attended to.
        training: Bool.

    Returns:
        Floats of shape `(B, L, D)`, of which row i depends on the tokens 0 to
        i and on the context.

    Reference:
        Beyer et al. 2023, "A study of autoregressive decoders for multi-tasking
        in computer vision".
    """

    def __init__(
        self,
        num_heads: int,
        intermediate_dim: int,
        dropout: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(
            num_heads, intermediate_dim, causal=True, use_bias=True, **kwargs
        )
        self.dropout = dropout
        self.drops = [
            SeededDropout(dropout, dtype=self.dtype_policy, name=f"dropout_{i}")
            for i in range(3)
        ]

    def build(self, tokens_shape: Shape, context_shape: Shape) -> None:
        super().build(tokens_shape, context_shape)
        for drop in self.drops:
            drop.build(tokens_shape)

    def call(
        self, tokens: Tensor, context: Tensor, training: bool = False
    ) -> Tensor:
        x = self.self_attention(self.self_norm(tokens))
        tokens = tokens + self.drops[0](x, training=training)
        x = self.cross_attention(self.cross_norm(tokens), context)
        tokens = tokens + self.drops[1](x, training=training)
        x = self.mlp(self.mlp_norm(tokens), training=training)
        return tokens + self.drops[2](x, training=training)

    def memory(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of the context, computed once for all steps.

        Args:
            context: Floats of shape `(B, T, C)`.

        Returns:
            Two tensors of shape `(B, T, heads, head_dim)`.
        """
        parts = ops.split(self.cross_attention.key_value(context), 2, axis=-1)
        keys, values = (split_heads(part, self.num_heads) for part in parts)
        return keys, values

    def step(
        self,
        token: Tensor,
        here: Tensor,
        cache: tuple[Tensor, Tensor],
        memory: tuple[Tensor, Tensor],
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One token more, given the keys and values of those before it.

        Args:
            token: Floats of shape `(B, 1, D)`.
            here: int32 scalar, the place of the token.
            cache: Keys and values of shape `(B, L, heads, head_dim)`, right
                before this place.
            memory: What `memory` returns.

        Returns:
            Floats of shape `(B, 1, D)`, what `call` gives for this place, and
            the cache with this place filled in.
        """
        x = self.self_attention.qkv(self.self_norm(token))
        parts = ops.split(x, 3, axis=-1)
        query, *new = (split_heads(part, self.num_heads) for part in parts)
        places = ops.arange(cache[0].shape[1], dtype="int32")
        at = ops.reshape(places == here, (1, -1, 1, 1))
        cache = tuple(ops.where(at, n, old) for n, old in zip(new, cache))
        seen = ops.broadcast_to(
            ops.expand_dims(places <= here, 0),
            (ops.shape(token)[0], cache[0].shape[1]),
        )
        x = attention(query, cache[0], cache[1], key_mask=seen)
        token = token + self.self_attention.output_projection(x)
        query = self.cross_attention.query(self.cross_norm(token))
        x = attention(split_heads(query, self.num_heads), *memory)
        token = token + self.cross_attention.output_projection(x)
        return token + self.mlp(self.mlp_norm(token)), cache

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "dropout": self.dropout}
        # What makes it this kind of block.
        for fixed in ("causal", "use_bias"):
            del config[fixed]
        return config
