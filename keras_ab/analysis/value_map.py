"""Value maps: where to look next for an annotation."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_ab.analysis.reach import within_reach
from keras_ab.analysis.views import WHOLE
from keras_ab.analysis.views import actions_between
from keras_ab.analysis.views import crop_view
from keras_ab.models import AnnotationBootstrapping
from keras_ab.models.annotation_bootstrapping import check_value_function
from keras_ab.typing import Box
from keras_ab.typing import PathLike


@dataclasses.dataclass
class ValueMap:
    """Q over the places of a sliding box.

    Args:
        boxes: Float32 of shape `(rows, columns, 4)`: the boxes, in the frame
            of the image; of several sizes `(sizes, rows, columns, 4)`.
        values: Float32 of shape `(rows, columns, L)`, or `(sizes, rows,
            columns, L)`: Q of looking there, for each annotation. NaN
            where no action leads (`within_reach`).
    """

    boxes: np.ndarray
    values: np.ndarray

    def best(self, annotation: int) -> np.ndarray:
        """The best box for an annotation, of any size.

        Args:
            annotation: Int, its index.

        Returns:
            `(ymin, xmin, ymax, xmax)` in the frame of the image; places
            without a value (NaN) are passed over.

        Raises:
            ValueError: If no place has a value.
        """
        if np.isnan(self.values[..., annotation]).all():
            raise ValueError(
                "No box of this map is within reach of the model's actions. "
                f"Received: boxes of sides from {self._sides()}"
            )
        flat = np.nanargmax(self.values[..., annotation])
        return self.boxes.reshape(-1, 4)[flat]

    def _sides(self):
        sides = self.boxes[..., 2:] - self.boxes[..., :2]
        return f"{sides.min():.2g} to {sides.max():.2g}"


def value_map(
    model: AnnotationBootstrapping,
    image: np.ndarray,
    annotations: Any,
    size: float | Sequence[float] = 0.35,
    steps: int = 17,
    network: str | None = None,
    view: Box = WHOLE,
) -> ValueMap:
    """Values of looking at each place of an image, at one scale or several.

    Args:
        model: A `keras_ab.models.AnnotationBootstrapping`.
        image: uint8 of shape `(H, W, 3)`.
        annotations: What the reward understands, L of them.
        size: Float, the side of the sliding box as a share of the image's; or
            several.
        steps: Int, places along each axis.
        network: As in `model.encode`.
        view: The box of the image at which the agent stands, resized to the
            encoder's size; by default all of it.

    Returns:
        A `ValueMap`.

    Raises:
        ValueError: If the model has no value function, or boxes are out of
            order or empty.

    Example:

    >>> values = keras_ab.analysis.value_map(model, image, ["a cup"])
    >>> values.best(0)
    # the box where a cup is likeliest
    >>> sizes = (0.2, 0.35, 0.5)
    >>> keras_ab.analysis.value_map(model, image, ["a cup"], sizes).values.shape
    # (3, 17, 17, 1)

    Reference:
        Figure 1: predicting annotations of distant sub-crops.
    """
    check_value_function(model)
    sizes = (size,) if isinstance(size, (int, float)) else tuple(size)
    boxes = np.stack([sliding_boxes(each, steps) for each in sizes])
    if isinstance(size, (int, float)):
        boxes = boxes[0]
    here = crop_view(image, view, model.encoder.image_shape[:2])
    actions = actions_between(view, boxes.reshape(-1, 4))
    values = model.value(here[None], actions[None], annotations, network)
    values = ops.convert_to_numpy(values).reshape(*boxes.shape[:-1], -1)
    reached = within_reach(model, view, boxes)[..., None]
    return ValueMap(boxes, np.where(reached, values, np.float32(np.nan)))


def sliding_boxes(size: float, steps: int) -> np.ndarray:
    """A box at evenly spaced places of an image.

    Args:
        size: Float in (0, 1], its side as a share of the image's.
        steps: Int, places along each axis.

    Returns:
        Float32 of shape `(steps, steps, 4)`, in raster order.
    """
    if not 0 < size <= 1 or steps < 1:
        raise ValueError(
            "`size` must lie in (0, 1] and `steps` be positive. Received: "
            f"{size} and {steps}"
        )
    starts = np.linspace(0, 1 - size, steps)
    y, x = np.meshgrid(starts, starts, indexing="ij")
    return np.stack([y, x, y + size, x + size], -1).astype("float32")


def draw_value_maps(
    image: np.ndarray,
    values: ValueMap,
    captions: Sequence[str],
    path: PathLike | None = None,
) -> Any:
    """Draws an image and a heat map over it for each annotation.

    Of several sizes, a row each; the box is the best of all, in its row.

    Args:
        image: uint8 of shape `(H, W, 3)`.
        values: A `ValueMap` of that image.
        captions: List of strings, one an annotation.
        path: Where to save the picture, or None.

    Returns:
        A `matplotlib.figure.Figure`.

    Example:

    >>> values = keras_ab.analysis.value_map(model, image, ["a cup"], steps=3)
    >>> figure = keras_ab.analysis.draw_value_maps(image, values, ["a cup"])
    >>> figure.savefig("a_cup.png")
    """
    # Imported here: matplotlib comes with the extra `plot`.
    from matplotlib.figure import Figure

    boxes, maps = values.boxes, values.values
    if boxes.ndim == 3:
        boxes, maps = boxes[None], maps[None]
    width = 2.9 * (1 + len(captions))
    figure = Figure(figsize=(width, 3.4 * len(boxes)), layout="constrained")
    axes = figure.subplots(len(boxes), 1 + len(captions), squeeze=False)
    grey = np.repeat(image.mean(-1, keepdims=True), 3, -1) / 255
    # Of places with a value; the row is that of `ValueMap.best`.
    rows = maps.reshape(len(maps), -1, len(captions))
    best = [
        np.nanargmax(rows[..., i]) // rows.shape[1]
        for i in range(len(captions))
    ]
    for row, places in enumerate(boxes):
        view, *others = axes[row]
        view.imshow(image, interpolation="bicubic")
        side = places[0, 0, 2] - places[0, 0, 0]
        view.set_title("the view" if len(boxes) == 1 else f"size {side:.2g}")
        for index, axis in enumerate(others):
            axis.imshow(0.35 + 0.65 * grey, interpolation="bicubic")
            heat = axis.imshow(
                maps[row, ..., index],
                extent=_extent(places, image.shape),
                cmap="inferno",
                alpha=0.6,
                interpolation="bicubic",
                vmin=np.nanmin(maps[..., index]),
                vmax=np.nanmax(maps[..., index]),
            )
            if row == best[index]:
                _outline(axis, values.best(index), image.shape)
            axis.set_title(f"“{captions[index]}”")
            figure.colorbar(heat, ax=axis, shrink=0.75, format="%.2g")
    for axis in axes.ravel():
        axis.title.set_fontsize(10)
        axis.set(xticks=[], yticks=[])
        axis.set(xlim=(0, image.shape[1]), ylim=(image.shape[0], 0))
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure


def _extent(boxes, shape):
    """Where a map's cells are: around the middles of their boxes."""
    low, high = boxes[0, 0], boxes[-1, -1]
    edges = []
    for axis, sides in ((1, shape[1]), (0, shape[0])):
        first, last = ((b[axis] + b[axis + 2]) / 2 for b in (low, high))
        half = (last - first) / max(boxes.shape[axis] - 1, 1) / 2
        half = half or (low[axis + 2] - low[axis]) / 2
        edges.append(((first - half) * sides, (last + half) * sides))
    (left, right), (top, bottom) = edges
    return left, right, bottom, top


def _outline(axis, box, shape):
    y0, x0, y1, x1 = box * [*shape[:2], *shape[:2]]
    axis.plot([x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], color="cyan", lw=2)
