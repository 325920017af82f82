"""What the tokens of a ViT look at."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_ab.analysis import drawing
from keras_ab.backbones import ViT
from keras_ab.layers.attention import split_heads
from keras_ab.models import Pretrainer
from keras_ab.models.inference import no_gradients
from keras_ab.ops import scale_images
from keras_ab.probes.features import extract_views
from keras_ab.typing import PathLike


def attention_maps(
    model: Pretrainer | ViT,
    images: np.ndarray,
    layer: int = -1,
    network: str | None = None,
) -> np.ndarray:
    """Attention weights of one block, of every token to every token.

    Args:
        model: A `keras_ab.models.Pretrainer` whose encoder is a
            `keras_ab.backbones.ViT`, or a ViT.
        images: uint8 of shape `(B, H, W, 3)`, resized to the encoder's size.
        layer: Int, the block; negative ones count from the last.
        network: As in `model.encode`; None for a ViT.

    Returns:
        Float32 of shape `(B, heads, T, T)`, the class token and registers (if
        any) first; each row sums to 1.

    Raises:
        ValueError: If the encoder is no ViT or has no such block, the model
            no such network, or images are not uint8 of shape `(B, H, W, 3)`.

    Example:

    >>> keras_ab.analysis.attention_maps(model, images).shape
    # (4, heads, 4, 4)
    """
    vit = model
    if isinstance(model, Pretrainer):
        vit = model.network(network).encoder
    if not isinstance(vit, ViT):
        raise ValueError(
            "Attention is read from a `keras_ab.backbones.ViT`. Received: "
            f"{type(vit).__name__}"
        )
    if not -vit.num_layers <= layer < vit.num_layers:
        raise ValueError(
            f"`layer` must lie in [{-vit.num_layers}, {vit.num_layers}). "
            f"Received: {layer}"
        )
    layer %= vit.num_layers
    block = vit.blocks[layer]
    views = extract_views(np.asarray(images), vit.image_shape[:2])
    with no_gradients():
        pixels = scale_images(views, vit.compute_dtype)
        tokens = vit.embed(pixels)
        if layer:
            _, blocks = vit(pixels, return_intermediates=True)
            tokens = blocks[layer - 1]
        mixed = block.attention.qkv(block.attention_norm(tokens))
        queries, keys, _ = ops.split(mixed, 3, axis=-1)
        queries, keys = (
            ops.transpose(split_heads(part, block.num_heads), (0, 2, 1, 3))
            for part in (queries, keys)
        )
        scores = ops.matmul(queries, ops.transpose(keys, (0, 1, 3, 2)))
        scores = ops.cast(scores, "float32") * queries.shape[-1] ** -0.5
        return ops.convert_to_numpy(ops.softmax(scores, axis=-1))


def draw_attention_maps(
    images: np.ndarray,
    attention: np.ndarray,
    grid_shape: tuple[int, int] | None = None,
    titles: Sequence[str] | None = None,
    path: PathLike | None = None,
) -> Any:
    """Draws how much each patch is looked at, a column a head.

    Args:
        images: uint8 of shape `(B, H, W, 3)`.
        attention: What `attention_maps` returned, `(B, heads, T, T)`. Where
            there are more tokens than patches, the first one's row is drawn,
            the class token's; else the mean of all rows.
        grid_shape: `(rows, columns)` of the patches; None for a square of
            them, with or without a class token before it. With registers, or
            a grid that is no square, say which.
        titles: A title for each head, or None for their numbers.
        path: Where to save the picture, or None.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: If `grid_shape` has more patches than there are tokens, or
            is not given and the patches are no square.

    Example:

    >>> attention = keras_ab.analysis.attention_maps(model, images)
    >>> figure = keras_ab.analysis.draw_attention_maps(images, attention)
    """
    heads, length = attention.shape[1:3]
    side = math.isqrt(length)
    rows, columns = grid_shape or (side, side)
    prefix = length - rows * columns
    if grid_shape is None and prefix > 1:
        raise ValueError(
            "`grid_shape` must be given for anything but a square of patches "
            f"and a class token. Received: {length} tokens"
        )
    if prefix < 0:
        raise ValueError(
            "`grid_shape` must be (rows, columns) of the patches among "
            f"{length} tokens. Received: {grid_shape}"
        )
    received = attention[:, :, 0] if prefix else attention.mean(axis=2)
    received = received[..., prefix:].reshape(-1, heads, rows, columns)
    figure, axes = drawing.figure_of(len(images), heads + 1, 1.5, 1.55)
    height, width = images.shape[1:3]
    for line, image, maps in zip(axes, images, received):
        drawing.show(line[0], image)
        for axis, heat in zip(line[1:], maps):
            grey = np.repeat(image.mean(-1, keepdims=True), 3, -1) / 255
            drawing.show(axis, 0.35 + 0.65 * grey)
            axis.imshow(
                heat, extent=(0, width, height, 0), cmap="inferno", alpha=0.65
            )
    titles = titles or [f"head {i}" for i in range(heads)]
    for axis, title in zip(axes[0], ["image", *titles]):
        axis.set_title(title, fontsize=9)
    return drawing.finish(figure, path)
