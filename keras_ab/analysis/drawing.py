"""What the figures of this room share."""

from typing import Any

import numpy as np

from keras_ab.typing import PathLike

GREY = "0.45"


def figure_of(rows: int, columns: int, width: float, height: float) -> Any:
    """A figure with a grid of axes.

    Args:
        rows: Int.
        columns: Int.
        width: Float, inches to an axis.
        height: Float, inches to an axis.

    Returns:
        A `matplotlib.figure.Figure`, and an array of axes `(rows, columns)`.
    """
    # Imported here: matplotlib comes with the extra `plot`.
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(width * columns, height * rows), layout="constrained"
    )
    return figure, figure.subplots(rows, columns, squeeze=False)


def plain(axis: Any, **labels: Any) -> None:
    """Takes the box off a plot, and names its axes.

    Args:
        axis: A `matplotlib.axes.Axes`.
        **labels: As in `Axes.set`.
    """
    axis.set(**labels)
    if labels.get("xlabel") == "step":
        axis.xaxis.get_major_locator().set_params(integer=True)
    axis.spines[["top", "right"]].set_visible(False)


def show(axis: Any, picture: np.ndarray, title: str = "") -> None:
    """Shows a picture without ticks.

    Args:
        axis: A `matplotlib.axes.Axes`.
        picture: uint8, or floats in [0, 1], of shape `(H, W, 3)`.
        title: String.
    """
    axis.imshow(picture, interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    axis.set_title(title, fontsize=9)


def finish(figure: Any, path: PathLike | None) -> Any:
    """Saves a figure where a path is given.

    Args:
        figure: A `matplotlib.figure.Figure`.
        path: Where to save the picture, or None.

    Returns:
        The figure.
    """
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure
