"""Value maps: where to look next for an annotation."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_ab.analysis.views import WHOLE
from keras_ab.analysis.views import actions_between
from keras_ab.analysis.views import crop_view
from keras_ab.models import AnnotationBootstrapping
from keras_ab.typing import Box
from keras_ab.typing import PathLike


@dataclasses.dataclass
class ValueMap:
    """Q over the places of a sliding box.

    Args:
        boxes: Float32 of shape `(rows, columns, 4)`: the boxes, in the frame
            of the image.
        values: Float32 of shape `(rows, columns, L)`: Q of looking there, for
            each annotation.
    """

    boxes: np.ndarray
    values: np.ndarray

    def best(self, annotation: int) -> np.ndarray:
        """The best box for an annotation.

        Args:
            annotation: Int, its index.

        Returns:
            `(ymin, xmin, ymax, xmax)` in the frame of the image.
        """
        flat = self.values[..., annotation].argmax()
        return self.boxes.reshape(-1, 4)[flat]


def value_map(
    model: AnnotationBootstrapping,
    image: np.ndarray,
    annotations: Any,
    size: float = 0.35,
    steps: int = 17,
    network: str | None = None,
    view: Box = WHOLE,
) -> ValueMap:
    """Values of looking at each place of an image.

    Args:
        model: A `keras_ab.models.AnnotationBootstrapping`.
        image: uint8 of shape `(H, W, 3)`.
        annotations: What the reward understands, L of them.
        size: Float, the side of the sliding box as a share of the image's.
        steps: Int, places along each axis.
        network: As in `model.encode`.
        view: The box of the image at which the agent stands, resized to the
            encoder's size; by default all of it.

    Returns:
        A `ValueMap`.

    Example:

    >>> values = keras_ab.analysis.value_map(model, image, ["a cup"])
    >>> values.best(0)
    # the box where a cup is likeliest

    Reference:
        Figure 1: predicting annotations of distant sub-crops.
    """
    boxes = sliding_boxes(size, steps)
    here = crop_view(image, view, model.encoder.image_shape[:2])
    actions = actions_between(view, boxes.reshape(-1, 4))
    values = model.value(here[None], actions[None], annotations, network)
    values = ops.convert_to_numpy(values).reshape(steps, steps, -1)
    return ValueMap(boxes, values)


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

    Args:
        image: uint8 of shape `(H, W, 3)`.
        values: A `ValueMap` of that image.
        captions: List of strings, one an annotation.
        path: Where to save the picture, or None.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    # Imported here: matplotlib comes with the extra `plot`.
    from matplotlib.figure import Figure

    rows, columns = image.shape[:2]
    width = 2.9 * (1 + len(captions))
    figure = Figure(figsize=(width, 3.4), layout="constrained")
    axes = figure.subplots(1, 1 + len(captions))
    axes[0].imshow(image, interpolation="bicubic")
    axes[0].set_title("the view", fontsize=10)
    centres = values.boxes.reshape(-1, 4)
    low, high = centres[0], centres[-1]
    extent = (
        (low[1] + low[3]) / 2 * columns,
        (high[1] + high[3]) / 2 * columns,
        (high[0] + high[2]) / 2 * rows,
        (low[0] + low[2]) / 2 * rows,
    )
    for index, (axis, caption) in enumerate(zip(axes[1:], captions)):
        grey = np.repeat(image.mean(-1, keepdims=True), 3, -1) / 255
        axis.imshow(0.35 + 0.65 * grey, interpolation="bicubic")
        heat = axis.imshow(
            values.values[..., index],
            extent=extent,
            cmap="inferno",
            alpha=0.6,
            interpolation="bicubic",
        )
        y0, x0, y1, x1 = values.best(index) * [rows, columns, rows, columns]
        axis.plot(
            [x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], color="cyan", lw=2
        )
        axis.set_title(f"“{caption}”", fontsize=10)
        figure.colorbar(heat, ax=axis, shrink=0.75, format="%.2g")
    for axis in axes:
        axis.set(xticks=[], yticks=[], xlim=(0, columns), ylim=(rows, 0))
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure
