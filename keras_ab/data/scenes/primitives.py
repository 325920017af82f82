"""Parts that silhouettes are put together from.

A part is painted on the square [-1, 1]², x to the right and y down. It has a
tone: 1 is the object's own colour, less is darker, more is lighter.
"""

from collections.abc import Callable
from collections.abc import Iterable

import numpy as np

from keras_ab.typing import Box

RESOLUTION = 128
Part = tuple[Callable[..., np.ndarray], float]
"""A function of x and y that tells what is inside, and a tone."""


def ellipse(
    cx: float, cy: float, rx: float, ry: float, tone: float = 1.0
) -> Part:
    """A filled ellipse: its centre and its radii."""
    return lambda x, y: ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1, tone


def ring(
    cx: float, cy: float, rx: float, ry: float, width: float, tone: float = 1.0
) -> Part:
    """An elliptic ring; `width` is a share of its radii."""

    def inside(x, y):
        r = np.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2)
        return (r <= 1) & (r >= 1 - width)

    return inside, tone


def box(x0: float, y0: float, x1: float, y1: float, tone: float = 1.0) -> Part:
    """A rectangle: two opposite corners."""
    return lambda x, y: (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1), tone


def polygon(*points: tuple[float, float], tone: float = 1.0) -> Part:
    """A polygon of `(x, y)` points."""

    def inside(x, y):
        # Even-odd rule over the edges.
        result = np.zeros(x.shape, bool)
        for (xa, ya), (xb, yb) in zip(points, points[1:] + points[:1]):
            if ya == yb:
                continue
            crosses = (ya > y) != (yb > y)
            result ^= crosses & (x < (xb - xa) * (y - ya) / (yb - ya) + xa)
        return result

    return inside, tone


def star(
    cx: float,
    cy: float,
    outer: float,
    inner: float,
    points: int,
    tone: float = 1.0,
    turn: float = -0.25,
) -> Part:
    """A star of so many points; `turn` is a share of a full turn."""
    angles = 2 * np.pi * (np.arange(2 * points) / (2 * points) + turn)
    radii = np.where(np.arange(2 * points) % 2, inner, outer)
    xs, ys = cx + radii * np.cos(angles), cy + radii * np.sin(angles)
    return polygon(*zip(xs.tolist(), ys.tolist()), tone=tone)


def wheel(cx: float, cy: float, r: float) -> list[Part]:
    """The parts of a wheel."""
    return [ellipse(cx, cy, r, r, 0.25), ellipse(cx, cy, r / 2, r / 2, 1.3)]


def rasterise(
    parts: Iterable[Part],
) -> tuple[np.ndarray, np.ndarray, Box]:
    """Paints parts in order, at a high resolution.

    Args:
        parts: List of pairs: a function of x and y that tells what is
            inside, and a tone.

    Returns:
        Two float32 arrays of shape `(RESOLUTION + 2, RESOLUTION + 2)`:
        opacity, 0 or 1, and tone, with an empty border of one; and `(ymin,
        xmin, ymax, xmax)` of what is opaque, in [-1, 1].
    """
    axis = (np.arange(RESOLUTION) + 0.5) / RESOLUTION * 2 - 1
    x, y = np.meshgrid(axis, axis)
    alpha = np.zeros(x.shape, "float32")
    tone = np.ones(x.shape, "float32")
    for inside, value in parts:
        mask = inside(x, y)
        alpha[mask] = 1.0
        tone[mask] = value
    rows, columns = np.nonzero(alpha.any(1))[0], np.nonzero(alpha.any(0))[0]
    step = 1.0 / RESOLUTION
    extent = (
        axis[rows[0]] - step,
        axis[columns[0]] - step,
        axis[rows[-1]] + step,
        axis[columns[-1]] + step,
    )
    return np.pad(alpha, 1), np.pad(tone, 1), extent
