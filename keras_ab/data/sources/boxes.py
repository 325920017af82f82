"""Boxes in pixels to normalised ones, with what can be wrong with them."""

from collections.abc import Sequence

import numpy as np

TOLERANCE = 1.0
"""Pixels by which annotators' rounding may lead out of an image."""


def normalise(
    boxes: np.ndarray | Sequence[Sequence[float]], height: float, width: float
) -> tuple[np.ndarray | None, str | None]:
    """Boxes in the image's own frame.

    Args:
        boxes: `(n, 4)`, `(ymin, xmin, ymax, xmax)` in pixels.
        height: Number, the image's height in pixels.
        width: Number, its width.

    Returns:
        `(boxes, None)`, float32 `(n, 4)` clipped to `[0, 1]`; or
        `(None, reason)` if one cannot be used.
    """
    boxes = np.reshape(np.asarray(boxes, "float64"), (-1, 4))
    scale = np.array([height, width, height, width], "float64")
    if not np.isfinite(boxes).all():
        return None, "empty box"
    if (boxes[:, 2:] <= boxes[:, :2]).any():
        return None, "empty box"
    if (boxes < -TOLERANCE).any() or (boxes > scale + TOLERANCE).any():
        return None, "box outside image"
    boxes = np.clip(boxes, 0, scale)
    if (boxes[:, 2:] <= boxes[:, :2]).any():
        return None, "empty box"
    return (boxes / scale).astype("float32"), None


def empty() -> np.ndarray:
    """No box: float32 `(0, 4)`."""
    return np.zeros((0, 4), "float32")
