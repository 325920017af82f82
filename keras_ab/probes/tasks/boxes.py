"""Boxes as tokens."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.probes.tasks.grammar import LAST
from keras_ab.probes.tasks.task import Record


def box_tokens(boxes: np.ndarray) -> np.ndarray:
    """The bins of boxes.

    Args:
        boxes: Floats of shape `(n, 4)`, `(ymin, xmin, ymax, xmax)` in [0, 1],
            each with an area.

    Returns:
        Ints of shape `(n, 4)`, the nearest of 1000 bins that divide [0, 1]; a
        box thinner than a bin is made one bin thick, so that each has an
        area.

    Reference:
        pix2seq (Chen et al. 2022), 1000 bins.
    """
    boxes = np.asarray(boxes, "float64").reshape(-1, 4)
    bins = np.clip(np.round(boxes * LAST), 0, LAST).astype(int)
    low = np.minimum(bins[:, :2], LAST - 1)
    return np.concatenate([low, np.maximum(bins[:, 2:], low + 1)], 1)


def token_boxes(tokens: Sequence[Sequence[int]]) -> np.ndarray:
    """The boxes of bins, floats of shape `(n, 4)`."""
    return np.asarray(tokens, "float64").reshape(-1, 4) / LAST


def usable(record: Record) -> tuple[np.ndarray, int]:
    """Which boxes of a record hold one thing, and have an area.

    Args:
        record: A record with `"boxes"`, and where known `"crowd"`.

    Returns:
        Indices of the boxes; and how many of the others have no area (or a
        coordinate that is no number), as opposed to those around a crowd.
    """
    boxes = np.asarray(record["boxes"], "float64").reshape(-1, 4)
    # NaN compares as False, so such a box has no area.
    with np.errstate(invalid="ignore"):
        area = (boxes[:, 2:] > boxes[:, :2]).all(1)
        area &= np.isfinite(boxes).all(1)
    crowd = np.asarray(record.get("crowd", np.zeros(len(boxes))), bool)
    return np.flatnonzero(area & ~crowd), int((~area & ~crowd).sum())


def things(record: Record) -> tuple[np.ndarray, list[Any]]:
    """The boxes and classes of a record's usable boxes.

    Args:
        record: A record with `"boxes"` and `"classes"`.

    Returns:
        Floats of shape `(n, 4)`, and a list of n classes.

    Raises:
        ValueError: If boxes and classes do not belong together.
    """
    check_boxes(record)
    chosen = usable(record)[0]
    boxes = np.asarray(record["boxes"], "float64").reshape(-1, 4)
    return boxes[chosen], np.asarray(record["classes"])[chosen].tolist()


def check_boxes(record: Record) -> None:
    """Raises `ValueError` if boxes and classes do not belong together."""
    boxes, classes = np.shape(record["boxes"]), np.shape(record["classes"])
    if len(boxes) != 2 or boxes[1] != 4 or classes != boxes[:1]:
        raise ValueError(
            "A record's `boxes` and `classes` must have shapes (n, 4) and "
            f"(n,). Received: {boxes} and {classes} in record "
            f"{record.get('id')!r}"
        )
