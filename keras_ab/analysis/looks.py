"""What a model expects somewhere, and what it finds when it looks there."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_ab.analysis.reach import within_reach
from keras_ab.analysis.value_map import sliding_boxes
from keras_ab.analysis.views import WHOLE
from keras_ab.analysis.views import actions_between
from keras_ab.analysis.views import check_boxes
from keras_ab.analysis.views import crop_view
from keras_ab.models import AnnotationBootstrapping
from keras_ab.models.annotation_bootstrapping import check_value_function
from keras_ab.typing import Box


@dataclasses.dataclass
class Look:
    """Q of boxes from a view, and the reward beside it.

    Args:
        boxes: Float64 of shape `(A, 4)`, in the frame of the image.
        values: Float32 of shape `(A, L)`: Q(view, box, l); NaN where no
            action leads (`within_reach`).
        rewards: Float32 of shape `(A, L)`: p(l | what the box shows), which
            the value function does not get to see.
        here: Float32 of shape `(L,)`: p(l | view).
    """

    boxes: np.ndarray
    values: np.ndarray
    rewards: np.ndarray
    here: np.ndarray


def look(
    model: AnnotationBootstrapping,
    image: np.ndarray,
    boxes: np.ndarray | Sequence[Box],
    annotations: Any,
    view: Box = WHOLE,
    network: str | None = None,
) -> Look:
    """Asks for the values of boxes, and looks what is there.

    Args:
        model: A `keras_ab.models.AnnotationBootstrapping`.
        image: uint8 of shape `(H, W, 3)`.
        boxes: Floats of shape `(A, 4)` in the frame of the image:
            `(ymin, xmin, ymax, xmax)`.
        annotations: What the reward understands, L of them. Rewards are
            shares among these.
        view: The box at which the agent stands; by default all of the image.
        network: As in `model.encode`.

    Returns:
        A `Look`.

    Raises:
        ValueError: If the model has no value function, or boxes are out of
            order or empty.

    Example:

    >>> seen = keras_ab.analysis.look(
    ...     model, image, [(0, 0, 0.5, 0.5)], ["w1", "w2"]
    ... )
    >>> seen.values.shape, seen.rewards.shape
    # (1, 2), (1, 2)
    """
    check_value_function(model)
    boxes = check_boxes(boxes).reshape(-1, 4)
    size = model.encoder.image_shape[:2]
    views = [crop_view(image, box, size) for box in (view, *boxes)]
    views = np.stack(views)
    p = ops.convert_to_numpy(model.reward(views, annotations, network))
    actions = actions_between(view, boxes)
    q = model.value(views[:1], actions[None], annotations, network)
    reached = within_reach(model, view, boxes)[:, None]
    q = np.where(reached, ops.convert_to_numpy(q)[0], np.float32(np.nan))
    return Look(boxes, q, p[1:], p[0])


def greedy_path(
    model: AnnotationBootstrapping,
    image: np.ndarray,
    annotations: Any,
    wanted: int = 0,
    view: Box = WHOLE,
    steps: int = 3,
    sizes: Sequence[float] = (0.35,),
    places: int = 17,
    network: str | None = None,
) -> Look:
    """The way of an agent that always looks where Q is largest.

    Args:
        model: A `keras_ab.models.AnnotationBootstrapping`.
        image: uint8 of shape `(H, W, 3)`.
        annotations: What the reward understands, L of them.
        wanted: Int, the place among them of what the agent looks for.
        view: Where it begins, a box of the image.
        steps: Int, looks.
        sizes: Sides of the boxes it may look at next, as shares of the
            image's.
        places: Int, places of each size along each axis.
        network: As in `model.encode`.

    Returns:
        A `Look` at the boxes in their order, `steps` of them, or fewer where
        no box is within reach any more: each box's value is that from the view
        before, `here` is p at the beginning.

    Raises:
        ValueError: If the model has no value function, `steps` is below 1, or
            no box is within reach of the first view.

    Example:

    >>> path = keras_ab.analysis.greedy_path(model, image, ["w1"], steps=2)
    >>> path.boxes.shape, path.values.shape
    # (2, 4), (2, 1)

    Reference:
        Figure 1.
    """
    check_value_function(model)
    if steps < 1:
        raise ValueError(f"`steps` must be at least 1. Received: {steps}")
    looks = []
    candidates = np.concatenate(
        [sliding_boxes(size, places).reshape(-1, 4) for size in sizes]
    )
    size = model.encoder.image_shape[:2]
    for _ in range(steps):
        here = crop_view(image, view, size)[None]
        actions = actions_between(view, candidates)[None]
        reached = within_reach(model, view, candidates)
        if not reached.any():
            break
        q = model.value(here, actions, annotations, network)
        q = ops.convert_to_numpy(q)[0, :, wanted]
        best = np.where(reached, q, -np.inf).argmax()
        looks.append(
            look(model, image, candidates[best], annotations, view, network)
        )
        view = tuple(looks[-1].boxes[0])
    if not looks:
        raise ValueError(
            "No box is within reach of the model's actions. Received: "
            f"view={view}, sizes={tuple(sizes)}"
        )
    return Look(
        np.concatenate([one.boxes for one in looks]),
        np.concatenate([one.values for one in looks]),
        np.concatenate([one.rewards for one in looks]),
        looks[0].here,
    )
