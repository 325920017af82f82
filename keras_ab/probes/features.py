"""Frozen features of many images."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.probes.crops import crop_whole
from keras_ab.probes.frozen_encoder import FrozenEncoder
from keras_ab.typing import Tensor

OUTPUTS = ("pooled", "tokens")


def extract_features(
    model: Any,
    images: Tensor,
    network: str | None = None,
    output: str = "pooled",
    batch_size: int = 256,
) -> np.ndarray:
    """Encodes images with the weights frozen.

    Args:
        model: Any encoder (see `keras_ab.probes.FrozenEncoder`), such as a
            `keras_ab.models.Pretrainer`.
        images: uint8 of shape `(B, H, W, 3)`. Images of another size than
            the encoder's are resized to it, whole (`extract_views`).
        network: `"target"`, `"online"`, or None for the target network where
            there is one.
        output: `"pooled"` for one vector an image, `"tokens"` for its patch
            tokens.
        batch_size: Int, images to a call.

    Returns:
        Float32 of shape `(B, hidden_dim)` or `(B, T, hidden_dim)`.

    Raises:
        ValueError: If `output` is unknown, images are not uint8 of that
            shape, or `keras_ab.probes.FrozenEncoder` refuses the encoder.

    Example:

    >>> features = keras_ab.probes.extract_features(model, images)
    """
    check_output(output)
    encoder = FrozenEncoder(model, network)
    images = extract_views(images, encoder.image_size)
    return getattr(encoder, output)(images, batch_size=batch_size)


def extract_views(
    images: Tensor, size: Sequence[int], batch_size: int = 512
) -> np.ndarray:
    """Whole images, resized to what an encoder takes.

    Args:
        images: uint8 of shape `(B, H, W, 3)`.
        size: `(height, width)`.
        batch_size: Int, images to a call.

    Returns:
        uint8 of shape `(B, height, width, 3)`; antialiased bilinear.

    Raises:
        ValueError: If images are not uint8 of shape `(B, H, W, 3)`.
    """
    images = np.asarray(images)
    size = tuple(size)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(
            "`images` must be uint8 of shape (B, H, W, 3). Received: "
            f"{images.dtype} of shape {images.shape}"
        )
    if images.shape[1:3] == size:
        return images
    parts = []
    for start in range(0, len(images), batch_size):
        # Not by the backend, which may compile each size of images anew.
        part = crop_whole(images[start : start + batch_size], size)
        parts.append(part.numpy())
    return np.concatenate(parts)


def check_output(output: str) -> None:
    """Raises `ValueError` for a name that is not of `OUTPUTS`."""
    if output not in OUTPUTS:
        raise ValueError(
            f"`output` must be one of {list(OUTPUTS)}. Received: {output!r}"
        )
