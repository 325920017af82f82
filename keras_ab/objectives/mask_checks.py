"""Checks of masked batches and of what a masked objective builds on."""

import inspect

import keras
import numpy as np

from keras_ab.typing import Shape


def check_encoder(encoder: keras.layers.Layer, name: str) -> None:
    """Raises `ValueError` for an encoder that cannot leave patches out.

    Args:
        encoder: The network's image encoder.
        name: How the error names what asks.
    """
    parameters = inspect.signature(encoder.call).parameters
    lacks = [
        key for key in ("patch_ids", "patch_mask") if key not in parameters
    ]
    lacks += [
        key for key in ("patch_size", "grid_shape") if not hasattr(encoder, key)
    ]
    if lacks:
        raise ValueError(
            f"{name} needs an encoder that can encode some of the patches "
            "alone, such as `keras_ab.backbones.ViT`. Received: "
            f"{type(encoder).__name__}, without {lacks}"
        )


def check_grid(
    predictor: keras.layers.Layer, encoder: keras.layers.Layer, name: str
) -> None:
    """Raises `ValueError` unless both divide images into the same patches.

    Args:
        predictor: A layer with a `grid_shape`.
        encoder: The network's image encoder.
        name: How the error names the predictor.
    """
    if tuple(predictor.grid_shape) != tuple(encoder.grid_shape):
        raise ValueError(
            f"{name} must have the encoder's `grid_shape` "
            f"{tuple(encoder.grid_shape)}. Received: "
            f"{tuple(predictor.grid_shape)}"
        )


def check_size(
    images: np.ndarray, image_shape: tuple[int, int, int], where: str
) -> None:
    """Raises `ValueError` for images of another size than the encoder's.

    Args:
        images: Array `(B, H, W, 3)`.
        image_shape: `(height, width, channels)` of the encoder.
        where: How the error names them.
    """
    wanted, found = tuple(image_shape[:2]), np.shape(images)[1:3]
    if found != wanted:
        raise ValueError(
            f"{where} must hold images of the encoder's size, {wanted}, since "
            f"patches are counted there. Received: {found}"
        )
    if not len(images):
        raise ValueError(f"{where} must hold images. Received: none")


def check_ids(
    ids: np.ndarray, where: str, shape: Shape, num_patches: int
) -> None:
    """Raises `ValueError` for anything but ids of patches.

    Args:
        ids: Array.
        where: How the error names it.
        shape: Shape that it must have; None for sizes that it may choose,
            0 excepted.
        num_patches: Int; ids lie below it.
    """
    ids = np.asarray(ids)
    fits = ids.ndim == len(shape) and all(
        size == wanted or (wanted is None and size)
        for size, wanted in zip(ids.shape, shape)
    )
    if not fits or ids.dtype.kind not in "iu":
        sizes = ", ".join("any" if s is None else str(s) for s in shape)
        raise ValueError(
            f"{where} must hold integer ids of patches, one or more, of shape "
            f"({sizes}). Received: dtype {ids.dtype}, shape {ids.shape}"
        )
    if ids.min() < 0 or ids.max() >= num_patches:
        raise ValueError(
            f"{where} must hold ids in [0, {num_patches}), padding included: "
            "an image has that many patches. Received: ids from "
            f"{ids.min()} to {ids.max()}"
        )


def check_mask(mask: np.ndarray, ids: np.ndarray, where: str) -> None:
    """Raises `ValueError` unless each row means one patch or more.

    Args:
        mask: Array.
        ids: The ids that it belongs to.
        where: How the error names it.
    """
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != np.shape(ids):
        raise ValueError(
            f"{where} must be bool, of shape {np.shape(ids)}. Received: dtype "
            f"{mask.dtype}, shape {mask.shape}"
        )
    empty = np.argwhere(~mask.any(-1))
    if len(empty):
        raise ValueError(
            f"{where} must leave one patch or more in each row. Received: "
            f"none at {_place(empty[0])}"
        )


def check_unique(
    ids: np.ndarray, where: str, mask: np.ndarray | None = None
) -> None:
    """Raises `ValueError` where a patch is named twice in a row.

    Args:
        ids: Array of ids, `(..., K)`.
        where: How the error names it.
        mask: Which of them are meant, or None for all.
    """
    ids = np.asarray(ids).astype("int64")
    if mask is not None:
        # Padding gets numbers of its own, all different.
        ids = np.where(mask, ids, -1 - np.arange(ids.shape[-1]))
    ordered = np.sort(ids, axis=-1)
    twice = np.argwhere((ordered[..., 1:] == ordered[..., :-1]).any(-1))
    if len(twice):
        raise ValueError(
            f"{where} must name a patch once. Received: at "
            f"{_place(twice[0])} {ids[tuple(twice[0])].tolist()}"
        )


def check_partition(
    kept: np.ndarray, masked: np.ndarray, num_patches: int
) -> None:
    """Raises `ValueError` unless each patch is either kept or masked.

    Args:
        kept: Array of ids `(B, K)`, none twice in a row.
        masked: Array of ids `(B, M)`, none twice in a row.
        num_patches: Int.
    """
    both = np.concatenate([kept, masked], axis=1)
    if both.shape[1] != num_patches:
        raise ValueError(
            'batch["masked"]["kept"] and batch["masked"]["masked"] must have '
            f"{num_patches} ids of an image together, each patch once. "
            f"Received: {np.shape(kept)[1]} and {np.shape(masked)[1]}"
        )
    shared = np.argwhere(
        (np.sort(both, axis=1) != np.arange(num_patches)).any(1)
    )
    if len(shared):
        row = int(shared[0, 0])
        twice = sorted(set(kept[row].tolist()) & set(masked[row].tolist()))
        raise ValueError(
            'batch["masked"]["kept"] and batch["masked"]["masked"] must share '
            f"no patch of an image. Received: image {row} has {twice} in both"
        )


def _place(index):
    return "[" + ", ".join(map(str, index)) + "]"
