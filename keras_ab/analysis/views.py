"""Views of an image, and the ways from one to another."""

from collections.abc import Sequence

import numpy as np
from keras import ops

from keras_ab.ops import relative_boxes
from keras_ab.probes.features import extract_views
from keras_ab.typing import Box

WHOLE = (0.0, 0.0, 1.0, 1.0)


def crop_view(image: np.ndarray, box: Box, size: tuple[int, int]) -> np.ndarray:
    """A part of an image, as a model sees it.

    Args:
        image: uint8 of shape `(H, W, 3)`.
        box: `(ymin, xmin, ymax, xmax)` in the frame of the image. The pixels
            are those from its nearest pixel edges, one at least.
        size: `(height, width)` of the view.

    Returns:
        uint8 of shape `(height, width, 3)`; antialiased bilinear.
    """
    image = np.asarray(image)
    box = check_boxes(box)
    sides = np.array(image.shape[:2])
    low = np.minimum(np.round(box[:2] * sides).astype(int), sides - 1)
    high = np.maximum(np.round(box[2:] * sides).astype(int), low + 1)
    part = image[low[0] : high[0], low[1] : high[1]]
    return extract_views(part[None], size)[0]


def actions_between(
    view: Box | np.ndarray, boxes: np.ndarray | Sequence[Box]
) -> np.ndarray:
    """The actions that lead from a view to boxes of the same image.

    Args:
        view: `(ymin, xmin, ymax, xmax)` in the frame of the image.
        boxes: Floats of shape `(A, 4)`, in the same frame.

    Returns:
        Float32 of shape `(A, 4)`: the boxes, in the frame of the view.
    """
    boxes = np.asarray(boxes, "float32")
    pairs = np.stack(
        np.broadcast_arrays(np.asarray(view, "float32"), boxes), axis=1
    )
    return ops.convert_to_numpy(relative_boxes(pairs))[:, 0, 1]


def check_boxes(boxes: Box | np.ndarray | Sequence[Box]) -> np.ndarray:
    """Boxes of an image as an array, or `ValueError` for what is none.

    Args:
        boxes: Floats of shape `(..., 4)`.

    Returns:
        Float64 of the same shape, cut at the image's edges.
    """
    found = np.asarray(boxes, "float64")
    if (
        not found.shape
        or found.shape[-1] != 4
        or not np.isfinite(found).all()
        or (found[..., :2] < -1e-5).any()
        or (found[..., 2:] > 1 + 1e-5).any()
        or (found[..., 2:] <= found[..., :2]).any()
    ):
        raise ValueError(
            "A box is (ymin, xmin, ymax, xmax) inside the image, with 0 <= "
            f"ymin < ymax <= 1 and the same of x. Received: {boxes}"
        )
    return np.clip(found, 0, 1)
