"""The decoder that turns a view and actions into φ(x, a)."""

from typing import Any
from typing import Self

import keras
from keras import ops

from keras_ab.backbones.sizes import get_size
from keras_ab.layers import DecoderBlock
from keras_ab.layers import LayerNorm
from keras_ab.layers import rematerialized
from keras_ab.typing import Shape
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class AnnotationDecoder(keras.layers.Layer):
    """Decodes many actions of a view in one call.

    Each action is a few tokens that attend to each other and to the view. No
    action sees another, so the value of one does not depend on which others
    are asked.

    Args:
        num_layers: Int, number of blocks.
        hidden_dim: Int, size of an action token.
        num_heads: Int, attention heads.
        intermediate_dim: Int, width inside the MLPs.
        layer_norm_epsilon: Float.
        rematerialize: Bool, whether blocks are computed a second time for
            their gradient, which needs the memory of one block instead of
            that of all, and about a third more time.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        tokens: Floats of shape `(B, A, K, hidden_dim)`: K tokens for each of
            A actions.
        context: Floats of shape `(B, T, C)`: the tokens of the view.

    Returns:
        Floats of shape `(B, A, hidden_dim)`: the mean of each action's
        outputs.

    Example:

    >>> decoder = keras_ab.backbones.AnnotationDecoder.from_size("test")
    >>> decoder(np.zeros((1, 3, 4, 32)), np.zeros((1, 9, 48))).shape
    # (1, 3, 32)

    Reference:
        Section A.2, "Model": four S-sized layers; Figure 6.
    """

    def __init__(
        self,
        num_layers: int = 4,
        hidden_dim: int = 384,
        num_heads: int = 6,
        intermediate_dim: int = 1536,
        layer_norm_epsilon: float = 1e-6,
        rematerialize: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_layers = num_layers
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.layer_norm_epsilon = layer_norm_epsilon
        self.rematerialize = rematerialize
        policy = self.dtype_policy
        self.blocks = [
            DecoderBlock(
                num_heads,
                intermediate_dim,
                layer_norm_epsilon=layer_norm_epsilon,
                dtype=policy,
                name=f"block_{i}",
            )
            for i in range(num_layers)
        ]
        self.norm = LayerNorm(
            epsilon=layer_norm_epsilon, dtype=policy, name="norm"
        )

    @classmethod
    def from_size(cls, size: str, num_layers: int = 4, **kwargs: Any) -> Self:
        """A decoder of a named width.

        Args:
            size: `"Ti"`, `"S"`, `"B"`, `"L"`, or `"tiny"` and `"test"`.
            num_layers: Int, number of blocks, whatever the size says.
            **kwargs: The other arguments of the constructor.

        Returns:
            An `AnnotationDecoder`.
        """
        return cls(**{**get_size(size), "num_layers": num_layers, **kwargs})

    def build(self, tokens_shape: Shape, context_shape: Shape) -> None:
        if len(tokens_shape) != 4 or tokens_shape[-1] != self.hidden_dim:
            raise ValueError(
                "Action tokens must have shape (batch, actions, tokens, "
                f"hidden_dim={self.hidden_dim}). Received: shape "
                f"{tuple(tokens_shape)}"
            )
        for block in self.blocks:
            block.build(tokens_shape, context_shape)
        self.norm.build((None, None, None, self.hidden_dim))

    def call(self, tokens: Tensor, context: Tensor) -> Tensor:
        for block in self.blocks:
            if self.rematerialize:
                inputs = {"tokens": tokens, "context": context}
                tokens = rematerialized(block, inputs)
            else:
                tokens = block(tokens, context)
        return ops.mean(self.norm(tokens), axis=2)

    def compute_output_shape(
        self, tokens_shape: Shape, context_shape: Shape
    ) -> Shape:
        return (*tokens_shape[:2], self.hidden_dim)

    def get_build_config(self) -> None:
        # Built by the model that holds it, so that paths nest after loading.
        return None

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_layers": self.num_layers,
            "hidden_dim": self.hidden_dim,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "rematerialize": self.rematerialize,
        }
