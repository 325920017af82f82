"""Which boxes a model's actions can name from where the agent stands."""

from collections.abc import Sequence

import numpy as np

from keras_ab.analysis.views import actions_between
from keras_ab.models import AnnotationBootstrapping
from keras_ab.typing import Box

TOLERANCE = 1e-4
"""Rounding of relative coordinates, far below the width of a bin."""


def within_reach(
    model: AnnotationBootstrapping,
    view: Box,
    boxes: np.ndarray | Sequence[Box],
) -> np.ndarray:
    """Whether boxes, seen from a view, lie in the range of actions' bins.

    Coordinates beyond it clip to its ends: Q would be that of another box,
    the same for all of them.

    Args:
        model: A `keras_ab.models.AnnotationBootstrapping`.
        view: Where the agent stands, `(ymin, xmin, ymax, xmax)`.
        boxes: Floats of shape `(..., 4)`, in the same frame.

    Returns:
        Bool of shape `(...)`; all True where actions have no such range.

    Example:

    >>> corner, far = (0, 0, 0.1, 0.1), (0.8, 0.8, 1, 1)
    >>> keras_ab.analysis.within_reach(model, corner, [corner, far])
    # [True, False]
    """
    boxes = np.asarray(boxes)
    actions = model.online.objective(model.value_name).actions
    low = getattr(actions, "minimum", -np.inf)
    high = getattr(actions, "maximum", np.inf)
    ways = actions_between(view, boxes.reshape(-1, 4))
    inside = (ways >= low - TOLERANCE) & (ways <= high + TOLERANCE)
    return np.reshape(inside.all(axis=-1), boxes.shape[:-1])
