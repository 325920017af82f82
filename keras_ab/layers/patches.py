"""Images to patch tokens."""

from typing import Any

import keras
from keras import ops

from keras_ab.layers.dense import Dense
from keras_ab.typing import Shape
from keras_ab.typing import Size
from keras_ab.typing import Tensor
from keras_ab.typing import is_integral


def as_pair(size: Size) -> tuple[int, int]:
    """`(height, width)` from an int or a pair."""
    pair: Any = (size, size) if is_integral(size) else size
    if (
        not isinstance(pair, (list, tuple))
        or len(pair) != 2
        or not all(is_integral(n) and n > 0 for n in pair)
    ):
        raise ValueError(
            "A patch size must be a positive int or a pair of them. "
            f"Received: {size!r}"
        )
    return pair[0], pair[1]


def patchify(images: Tensor, patch_size: tuple[int, int]) -> Tensor:
    """Cuts images into their patches.

    Args:
        images: Numbers of shape `(B, H, W, C)`.
        patch_size: `(height, width)`; divides H and W.

    Returns:
        The same numbers, `(B, T, height * width * C)`: patches in raster
        order, pixels in raster order within a patch, channels last.

    Raises:
        ValueError: If the sides are no multiples of the patch size.
    """
    height, width = patch_size
    _, rows, columns, channels = images.shape
    if rows % height or columns % width:
        raise ValueError(
            f"Image sides must be multiples of the patch size {patch_size}. "
            f"Received: {rows} x {columns} pixels"
        )
    rows, columns = rows // height, columns // width
    x = ops.reshape(images, (-1, rows, height, columns, width, channels))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, rows * columns, height * width * channels))


def take_patches(tokens: Tensor, ids: Tensor) -> Tensor:
    """The tokens of some patches of each image.

    Args:
        tokens: Numbers of shape `(B, T, D)`, in raster order.
        ids: Ints of shape `(B, K)` in [0, T).

    Returns:
        Numbers of shape `(B, K, D)`.
    """
    ids = ops.expand_dims(ops.convert_to_tensor(ids), -1)
    return ops.take_along_axis(tokens, ids, axis=1)


@keras.saving.register_keras_serializable(package="keras_ab")
class PatchEmbedding(keras.layers.Layer):
    """Projects non-overlapping patches to tokens.

    A convolution whose stride is its kernel, written as a reshape and one
    matrix product, which is faster on CPUs.

    Args:
        patch_size: Int or `(height, width)`, pixels to a patch.
        hidden_dim: Int, size of a token.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        images: Floats of shape `(B, H, W, C)`; H and W are multiples of the
            patch size.

    Returns:
        Floats of shape `(B, H/p * W/p, hidden_dim)`, in raster order.

    Example:

    >>> layer = keras_ab.layers.PatchEmbedding(patch_size=8, hidden_dim=16)
    >>> layer(np.zeros((1, 32, 16, 3))).shape
    # (1, 8, 16)
    """

    def __init__(self, patch_size: Size, hidden_dim: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.patch_size = as_pair(patch_size)
        self.hidden_dim = hidden_dim
        # Glorot over one patch, as for a convolution with stride = kernel.
        self.projection = Dense(
            hidden_dim, dtype=self.dtype_policy, name="projection"
        )

    def build(self, input_shape: Shape) -> None:
        height, width = self.patch_size
        self.projection.build((None, None, height * width * input_shape[-1]))

    def call(self, images: Tensor) -> Tensor:
        return self.projection(patchify(images, self.patch_size))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, rows, columns, _ = input_shape
        height, width = self.patch_size
        return (batch, rows // height * (columns // width), self.hidden_dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "patch_size": self.patch_size,
            "hidden_dim": self.hidden_dim,
        }
