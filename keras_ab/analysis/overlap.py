"""How much crops overlap, and what that does."""

import numpy as np


def box_iou(boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of all pairs of the boxes of an image.

    Args:
        boxes: Floats of shape `(..., N, 4)`: `(ymin, xmin, ymax, xmax)`.

    Returns:
        Float64 of shape `(..., N, N)`.

    Example:

    >>> boxes = np.array([[0, 0, 1, 1], [0, 0, 0.5, 1]])
    >>> keras_ab.analysis.box_iou(boxes)[0, 1]
    # 0.5
    """
    boxes = np.asarray(boxes, "float64")
    one, other = boxes[..., :, None, :], boxes[..., None, :, :]
    low = np.maximum(one[..., :2], other[..., :2])
    high = np.minimum(one[..., 2:], other[..., 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    area = np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1)
    return shared / (area[..., :, None] + area[..., None, :] - shared)


def mean_overlap(boxes: np.ndarray) -> float:
    """Mean intersection over union of different crops of the same image.

    The horizontal axis of accuracy against overlap, for crops that
    `keras_ab.data.OverlapSampler` drew.

    Args:
        boxes: Floats of shape `(B, N, 4)`, as in `batch["value"]["boxes"]`.

    Returns:
        Float.

    Reference:
        Figure 4, middle.
    """
    iou = box_iou(boxes)
    return float(iou[..., ~np.eye(iou.shape[-1], dtype=bool)].mean())
