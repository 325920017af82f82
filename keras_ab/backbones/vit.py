"""The image encoder: a vision transformer."""

from typing import Any
from typing import Self

import keras
from keras import ops

from keras_ab.backbones.padding import extended
from keras_ab.backbones.sizes import get_size
from keras_ab.backbones.start import start_kernels
from keras_ab.layers import LayerNorm
from keras_ab.layers import PatchEmbedding
from keras_ab.layers import PositionEmbedding
from keras_ab.layers import SinCosPositions
from keras_ab.layers import TokenPooling
from keras_ab.layers import TransformerBlock
from keras_ab.layers import rematerialized
from keras_ab.layers.patches import as_pair
from keras_ab.layers.patches import take_patches
from keras_ab.typing import Shape
from keras_ab.typing import Size
from keras_ab.typing import Tensor
from keras_ab.typing import is_integral

POSITIONS: dict[str, Any] = {
    "learned": PositionEmbedding,
    "sincos": SinCosPositions,
}


@keras.saving.register_keras_serializable(package="keras_ab")
class ViT(keras.layers.Layer):
    """A vision transformer that returns all of its tokens.

    Args:
        image_shape: `(height, width, channels)`; sides are multiples of the
            patch size. Images of another size are accepted by `call`, their
            positions interpolated.
        patch_size: Int or `(height, width)`.
        hidden_dim: Int, size of a token.
        num_layers: Int, number of blocks.
        num_heads: Int, attention heads.
        intermediate_dim: Int, width inside the MLPs.
        drop_path_rate: Float, stochastic depth of the last block; it grows
            linearly from 0 in the first.
        class_token: Bool, whether a learned token stands before the patches.
        pooling: How `pool` makes one vector: `"gap"`, `"cls"` or `"map"`.
        layer_norm_epsilon: Float.
        positions: `"learned"`, or `"sincos"` for fixed ones as in MAE and
            I-JEPA.
        kernel_stddev: Float, the spread of kernels that start normal, or
            None for Xavier-uniform ones. I-JEPA's is 0.02.
        rematerialize: Bool, whether blocks are computed a second time for
            their gradient, which needs the memory of one block instead of
            that of all, and about a third more time.
        activation: Inside the MLPs: `"gelu_tanh"`, `"gelu"` or
            `"quick_gelu"` (see `keras_ab.layers.MLP`).
        pre_norm: Bool, whether tokens are normalised before the first block,
            as in OpenAI's CLIP.
        num_registers: Int, learned tokens without a place, between the class
            token and the patches, as in DINOv2 with registers.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        images: Floats in [-1, 1] of shape `(B, H, W, channels)`.
        training: Bool.
        return_intermediates: Bool, whether to return the tokens after each
            block too.
        patch_ids: Ints of shape `(B, K)`: the patches to encode, by their
            places in raster order; None for all. The others are not seen.
        patch_mask: Bools of shape `(B, K)`, which of these are meant; the
            rest is padding, which no token sees. None where all are.

    Returns:
        Floats of shape `(B, T, hidden_dim)`, class token and registers first,
        then patches in raster order, or in that of `patch_ids`; with
        `return_intermediates`, these and a list of `num_layers` tensors of
        that shape. What stands at padding means nothing.

    Example:

    >>> vit = keras_ab.backbones.ViT.from_size(
    ...     "test", image_shape=(32, 32, 3), patch_size=8
    ... )
    >>> tokens = vit(np.zeros((2, 32, 32, 3)))
    >>> tokens.shape, vit.pool(tokens).shape
    # (2, 16, 32), (2, 32)

    Reference:
        Section 3.2 (φ); Dosovitskiy et al. 2020, with big_vision's start.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] = (224, 224, 3),
        patch_size: Size = 16,
        hidden_dim: int = 384,
        num_layers: int = 12,
        num_heads: int = 6,
        intermediate_dim: int = 1536,
        drop_path_rate: float = 0.0,
        class_token: bool = False,
        pooling: str = "gap",
        layer_norm_epsilon: float = 1e-6,
        positions: str = "learned",
        kernel_stddev: float | None = None,
        rematerialize: bool = False,
        activation: str = "gelu_tanh",
        pre_norm: bool = False,
        num_registers: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if positions not in POSITIONS:
            raise ValueError(
                f"`positions` must be one of {list(POSITIONS)}. Received: "
                f"{positions!r}"
            )
        _check_image_shape(image_shape)
        self.image_shape = tuple(image_shape)
        self.patch_size = as_pair(patch_size)
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.drop_path_rate = drop_path_rate
        self.class_token = class_token
        self.pooling = pooling
        self.layer_norm_epsilon = layer_norm_epsilon
        self.rematerialize = rematerialize
        self.kind_of_positions = positions
        self.kernel_stddev = kernel_stddev
        self.activation = activation
        self.pre_norm = pre_norm
        self.num_registers = num_registers
        self.grid_shape = self._grid(self.image_shape)
        policy = self.dtype_policy
        self.patches = PatchEmbedding(
            patch_size, hidden_dim, dtype=policy, name="patches"
        )
        self.positions = POSITIONS[positions](
            self.grid_shape, hidden_dim, dtype=policy, name="positions"
        )
        self.blocks = [
            TransformerBlock(
                num_heads,
                intermediate_dim,
                drop_path_rate=drop_path_rate * i / max(num_layers - 1, 1),
                layer_norm_epsilon=layer_norm_epsilon,
                activation=activation,
                dtype=policy,
                name=f"block_{i}",
            )
            for i in range(num_layers)
        ]
        self.embedding_norm: Any = None
        if pre_norm:
            self.embedding_norm = LayerNorm(
                epsilon=layer_norm_epsilon, dtype=policy, name="embedding_norm"
            )
        self.norm = LayerNorm(
            epsilon=layer_norm_epsilon, dtype=policy, name="norm"
        )
        self.pooling_layer = TokenPooling(
            pooling,
            num_heads=num_heads,
            num_prefix_tokens=self.num_prefix_tokens,
            layer_norm_epsilon=layer_norm_epsilon,
            intermediate_dim=intermediate_dim,
            activation=activation,
            dtype=policy,
            name="pooling",
        )

    @classmethod
    def from_size(cls, size: str, **kwargs: Any) -> Self:
        """A ViT of a named size.

        Args:
            size: `"Ti"`, `"S"`, `"B"`, `"L"`, or `"tiny"` and `"test"`.
            **kwargs: The other arguments of the constructor.

        Returns:
            A `ViT`.
        """
        return cls(**{**get_size(size), **kwargs})

    @property
    def num_prefix_tokens(self) -> int:
        """Tokens before the patches: the class token and registers."""
        return int(self.class_token) + self.num_registers

    def _grid(self, image_shape):
        if len(image_shape) != 3:
            raise ValueError(
                "`image_shape` must be (height, width, channels). Received: "
                f"{image_shape}"
            )
        (height, width), (rows, columns) = self.patch_size, image_shape[:2]
        if rows % height or columns % width:
            raise ValueError(
                "Image sides must be multiples of the patch size "
                f"{self.patch_size}. Received: {rows} x {columns} pixels"
            )
        return rows // height, columns // width

    def build(self, input_shape: Shape | None = None) -> None:
        shape = (None, None, self.hidden_dim)
        self.patches.build((None, *self.image_shape))
        self.positions.build(shape)
        if self.class_token:
            self.class_embedding = self.add_weight(
                shape=(1, 1, self.hidden_dim),
                initializer="zeros",
                name="class_embedding",
            )
        if self.num_registers:
            self.registers = self.add_weight(
                shape=(1, self.num_registers, self.hidden_dim),
                initializer=keras.initializers.RandomNormal(stddev=0.02),
                name="registers",
            )
        if self.pre_norm:
            self.embedding_norm.build(shape)
        for block in self.blocks:
            block.build(shape)
        self.norm.build(shape)
        self.pooling_layer.build(shape)
        if self.kernel_stddev is not None:
            start_kernels(self, self.kernel_stddev)

    def call(
        self,
        images: Tensor,
        training: bool = False,
        return_intermediates: bool = False,
        patch_ids: Tensor | None = None,
        patch_mask: Tensor | None = None,
    ) -> Tensor | tuple[Tensor, list[Tensor]]:
        tokens = self.embed(images, patch_ids)
        if patch_mask is not None:
            patch_mask = extended(patch_mask, self.num_prefix_tokens)
        intermediates = []
        for block in self.blocks:
            if self.rematerialize:
                tokens = rematerialized(
                    block,
                    {"tokens": tokens},
                    training=training,
                    key_mask=patch_mask,
                )
            else:
                tokens = block(tokens, training=training, key_mask=patch_mask)
            intermediates.append(tokens)
        tokens = self.norm(tokens)
        return (tokens, intermediates) if return_intermediates else tokens

    def embed(self, images: Tensor, patch_ids: Tensor | None = None) -> Tensor:
        """Tokens as the first block receives them.

        Args:
            images: As in `call`.
            patch_ids: As in `call`.

        Returns:
            Floats of shape `(B, T, hidden_dim)`: class token, registers and
            patches, with their positions.

        Raises:
            ValueError: If the images have another rank or channel count, or
                sides that are no multiples of the patches'.
        """
        channels = self.image_shape[-1]
        if len(images.shape) != 4 or images.shape[-1] != channels:
            raise ValueError(
                "This ViT takes images (batch, height, width, channels) with "
                f"{channels} channels. Received: shape {tuple(images.shape)}"
            )
        grid_shape = self._grid(tuple(images.shape[1:]))
        tokens = self.patches(images)
        tokens = self.positions(tokens, grid_shape=grid_shape)
        if patch_ids is not None:
            tokens = take_patches(tokens, patch_ids)
        if self.num_registers:
            tokens = _after(self.registers, tokens)
        if self.class_token:
            tokens = _after(self.class_embedding, tokens)
        return self.embedding_norm(tokens) if self.pre_norm else tokens

    def pool(self, tokens: Tensor) -> Tensor:
        """One vector for each image.

        Args:
            tokens: What `call` returned, `(B, T, hidden_dim)`.

        Returns:
            Floats of shape `(B, hidden_dim)`.
        """
        return self.pooling_layer(tokens)

    def patch_tokens(self, tokens: Tensor) -> Tensor:
        """The tokens without the class token and registers.

        Args:
            tokens: What `call` returned.

        Returns:
            Floats of shape `(B, rows * columns, hidden_dim)`.
        """
        return tokens[:, self.num_prefix_tokens :]

    def get_build_config(self) -> None:
        # Built by the model that holds it, so that paths nest after loading.
        return None

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "patch_size": self.patch_size,
            "hidden_dim": self.hidden_dim,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "drop_path_rate": self.drop_path_rate,
            "class_token": self.class_token,
            "pooling": self.pooling,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "rematerialize": self.rematerialize,
            "positions": self.kind_of_positions,
            "kernel_stddev": self.kernel_stddev,
            "activation": self.activation,
            "pre_norm": self.pre_norm,
            "num_registers": self.num_registers,
        }


def _after(prefix, tokens):
    """Tokens after learned ones, `(1, P, D)`, that all images share."""
    shape = (ops.shape(tokens)[0], *prefix.shape[1:])
    prefix = ops.broadcast_to(ops.cast(prefix, tokens.dtype), shape)
    return ops.concatenate([prefix, tokens], axis=1)


def _check_image_shape(shape):
    if (
        not isinstance(shape, (list, tuple))
        or len(shape) != 3
        or not all(is_integral(n) and n > 0 for n in shape)
    ):
        raise ValueError(
            "`image_shape` must be (height, width, channels), positive ints. "
            f"Received: {shape!r}"
        )
