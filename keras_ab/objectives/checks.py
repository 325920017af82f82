"""Checks of a batch before the first step, in the words of its keys."""

import math
from typing import Any

import numpy as np

from keras_ab.typing import Batch
from keras_ab.typing import is_integral
from keras_ab.typing import is_real


def take(batch: Batch, *keys: str) -> Any:
    """The leaf of a nested dict, or an error that says what is there.

    Args:
        batch: Nested dict.
        *keys: The path to the leaf, such as `"reward", "image"`.

    Returns:
        The leaf.
    """
    node = batch
    for depth, key in enumerate(keys):
        if not isinstance(node, dict) or key not in node:
            path = "".join(f'["{k}"]' for k in keys[: depth + 1])
            found = sorted(node) if isinstance(node, dict) else type(node)
            raise ValueError(
                f"The dataset must yield nested dicts with batch{path}. "
                f"Received: {found}"
            )
        node = node[key]
    return node


def check_images(images: np.ndarray, where: str, rank: int = 4) -> None:
    """Raises `ValueError` for anything but RGB images of a known scale.

    Args:
        images: Array.
        where: How the error names it.
        rank: Number of axes: 4 for `(B, H, W, 3)`, 5 for `(B, N, H, W, 3)`.
    """
    shape, dtype = tuple(np.shape(images)), np.asarray(images).dtype
    wanted = "(B, H, W, 3)" if rank == 4 else "(B, N, H, W, 3)"
    if len(shape) != rank or shape[-1] != 3:
        raise ValueError(
            f"{where} must hold RGB images of shape {wanted}. "
            f"Received: shape {shape}"
        )
    if dtype == np.uint8:
        return
    # bfloat16 is no NumPy float, but its name says so.
    if "float" not in dtype.name:
        raise ValueError(
            f"{where} must be uint8 in [0, 255] or float in [-1, 1]. "
            f"Received: dtype {dtype}"
        )
    values = np.asarray(images, "float32")
    low, high = (values.min(), values.max()) if values.size else (0.0, 0.0)
    # Written so that NaN fails.
    if not (low >= -1.001 and high <= 1.001):
        raise ValueError(
            f"{where} are float and must lie in [-1, 1]; pass uint8 for "
            f"[0, 255]. Received: values from {low:.4g} to {high:.4g}"
        )


def check_token_ids(
    ids: np.ndarray, where: str, sequence_length: int, vocabulary_size: int
) -> None:
    """Raises `ValueError` for anything but padded token ids.

    Args:
        ids: Array.
        where: How the error names it.
        sequence_length: Int, the text encoder's length.
        vocabulary_size: Int; ids lie below it.
    """
    ids = np.asarray(ids)
    if (
        ids.ndim != 2
        or ids.shape[1] != sequence_length
        or ids.dtype.kind not in "iu"
    ):
        raise ValueError(
            f"{where} must hold integer token ids of shape "
            f"(B, {sequence_length}), the text encoder's `sequence_length`. "
            f"Received: dtype {ids.dtype}, shape {ids.shape}"
        )
    if ids.size and (ids.min() < 0 or ids.max() >= vocabulary_size):
        raise ValueError(
            f"{where} must hold ids in [0, {vocabulary_size}), the text "
            "encoder's vocabulary. Received: ids from "
            f"{ids.min()} to {ids.max()}"
        )


def check_positive(value: Any, name: str) -> None:
    """Raises `ValueError` for anything but a finite positive number.

    Args:
        value: What was given.
        name: The argument's name.
    """
    if not (is_real(value) and 0 < value < math.inf):
        raise ValueError(
            f"`{name}` must be a positive number. Received: {value!r}"
        )


def check_weight(value: Any) -> None:
    """Raises `ValueError` for anything but a finite number from 0 on.

    Args:
        value: The weight of a loss that was given.
    """
    if not (is_real(value) and 0 <= value < math.inf):
        raise ValueError(
            "`weight`, the factor of a loss in the total, must be a finite "
            f"number, 0 or more. Received: {value!r}"
        )


def check_temperature(value: Any, maximum_scale: float) -> None:
    """Raises `ValueError` for a starting temperature out of its bounds.

    Args:
        value: The temperature that was given.
        maximum_scale: Float, upper bound of the inverse temperature, whose
            lower bound is 1.
    """
    check_positive(value, "temperature")
    if not 1 <= 1 / value <= maximum_scale:
        raise ValueError(
            "`temperature`, which is learnt, must lie in "
            f"[{1 / maximum_scale:.4g}, 1], since its inverse is kept in "
            f"[1, {maximum_scale:.4g}]. Received: {value!r}"
        )


def check_count(value: Any, name: str, minimum: int = 1) -> None:
    """Raises `ValueError` for anything but an int from a minimum on.

    Args:
        value: What was given.
        name: The argument's name.
        minimum: Int.
    """
    if not (is_integral(value) and value >= minimum):
        raise ValueError(
            f"`{name}` must be an int, {minimum} or more. Received: {value!r}"
        )


def check_labels(labels: np.ndarray, where: str, num_classes: int) -> None:
    """Raises `ValueError` for anything but class indices.

    Args:
        labels: Array.
        where: How the error names it.
        num_classes: Int; indices lie below it.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{where} must hold integer indices of shape (B,). "
            f"Received: dtype {labels.dtype}, shape {labels.shape}"
        )
    if labels.size and (labels.min() < 0 or labels.max() >= num_classes):
        raise ValueError(
            f"{where} must lie in [0, {num_classes}). Received: from "
            f"{labels.min()} to {labels.max()}"
        )
