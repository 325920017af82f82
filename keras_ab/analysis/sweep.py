"""Results over a setting: sizes, discounts, overlaps."""

from typing import Any

import numpy as np

from keras_ab.analysis import drawing
from keras_ab.typing import PathLike


def draw_sweep(
    series: dict[str, dict[float, Any]],
    xlabel: str,
    ylabel: str,
    log: bool = False,
    path: PathLike | None = None,
) -> Any:
    """Draws a figure over a setting, a line a method.

    Where a method has several runs at a setting, the line goes through their
    means, and each run is a dot.

    Args:
        series: Dict from methods to dicts from a setting (FLOPs, a discount,
            a mean overlap) to a float, or a list of those of several runs.
        xlabel: String, the setting.
        ylabel: String, the figure.
        log: Bool, whether the setting's axis is logarithmic.
        path: Where to save the picture, or None.

    Returns:
        A `matplotlib.figure.Figure`.

    Example:

    >>> figure = keras_ab.analysis.draw_sweep(
    ...     {"ABCLIP": {0.0: [0.2, 0.22], 0.5: 0.25}}, "discount", "accuracy"
    ... )

    Reference:
        Figure 4, left (sizes) and middle (overlap); Figure 5 (discount).
    """
    figure, ((axis,),) = drawing.figure_of(1, 1, 4.6, 3.2)
    for number, (method, points) in enumerate(series.items()):
        settings = sorted(points)
        runs = [np.atleast_1d(points[x]) for x in settings]
        colour = f"C{number}"
        axis.plot(
            settings, [r.mean() for r in runs], color=colour, label=method
        )
        for x, values in zip(settings, runs):
            axis.plot([x] * len(values), values, "o", color=colour, ms=4)
    drawing.plain(axis, xlabel=xlabel, ylabel=ylabel)
    if log:
        axis.set_xscale("log")
    axis.legend(frameon=False)
    return drawing.finish(figure, path)
