"""Silhouettes of the object classes, drawn once from a few primitives.

A shape is a list of parts, painted in order on the square [-1, 1]², x to the
right and y down. Each part has a tone: 1 is the object's own colour, less is
darker, more is lighter.
"""

import functools

import numpy as np

RESOLUTION = 128


def _ellipse(cx, cy, rx, ry, tone=1.0):
    return lambda x, y: ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1, tone


def _ring(cx, cy, rx, ry, width, tone=1.0):
    def inside(x, y):
        r = np.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2)
        return (r <= 1) & (r >= 1 - width)

    return inside, tone


def _box(x0, y0, x1, y1, tone=1.0):
    return lambda x, y: (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1), tone


def _polygon(*points, tone=1.0):
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


def _star(cx, cy, outer, inner, points, tone=1.0, turn=-0.25):
    angles = 2 * np.pi * (np.arange(2 * points) / (2 * points) + turn)
    radii = np.where(np.arange(2 * points) % 2, inner, outer)
    xs, ys = cx + radii * np.cos(angles), cy + radii * np.sin(angles)
    return _polygon(*zip(xs.tolist(), ys.tolist()), tone=tone)


def _wheel(cx, cy, r):
    return [_ellipse(cx, cy, r, r, 0.25), _ellipse(cx, cy, r / 2, r / 2, 1.3)]


SHAPES = {
    "cup": [
        _ring(0.55, 0.0, 0.42, 0.45, 0.35, 0.8),
        _polygon((-0.75, -0.8), (0.55, -0.8), (0.4, 0.85), (-0.6, 0.85)),
        _ellipse(-0.1, -0.75, 0.63, 0.2, 0.55),
    ],
    "bottle": [
        _box(-0.18, -0.98, 0.18, -0.3, 0.85),
        _box(-0.24, -1.0, 0.24, -0.82, 0.45),
        _ellipse(0, -0.15, 0.48, 0.4),
        _box(-0.48, -0.15, 0.48, 0.98),
        _box(-0.48, 0.15, 0.48, 0.6, 1.45),
    ],
    "table": [
        _box(-0.85, -0.3, -0.65, 0.95, 0.65),
        _box(0.65, -0.3, 0.85, 0.95, 0.65),
        _box(-0.65, -0.15, 0.65, 0.1, 0.75),
        _box(-1.0, -0.5, 1.0, -0.15),
    ],
    "lamp": [
        _box(-0.08, -0.1, 0.08, 0.85, 0.6),
        _ellipse(0, 0.88, 0.5, 0.12, 0.6),
        _polygon((-0.4, -0.95), (0.4, -0.95), (0.85, 0.1), (-0.85, 0.1)),
        _box(-0.85, 0.0, 0.85, 0.1, 1.4),
    ],
    "chair": [
        _box(-0.7, -1.0, -0.45, 0.98, 0.8),
        _box(0.5, 0.2, 0.72, 0.98, 0.65),
        _box(-0.7, 0.02, 0.75, 0.3),
        _box(-0.5, -0.95, 0.0, -0.7),
        _box(-0.5, -0.5, 0.0, -0.28),
    ],
    "clock": [
        _ellipse(0, 0, 0.95, 0.95),
        _ellipse(0, 0, 0.75, 0.75, 1.6),
        _box(-0.07, -0.6, 0.07, 0.07, 0.2),
        _box(-0.07, -0.07, 0.5, 0.07, 0.2),
    ],
    "book": [
        _polygon((-1, -0.55), (0, -0.35), (0, 0.75), (-1, 0.55), tone=1.0),
        _polygon((1, -0.55), (0, -0.35), (0, 0.75), (1, 0.55), tone=0.75),
        _polygon(
            (-0.85, -0.62),
            (-0.05, -0.45),
            (-0.05, 0.55),
            (-0.85, 0.4),
            tone=1.6,
        ),
        _polygon(
            (0.85, -0.62), (0.05, -0.45), (0.05, 0.55), (0.85, 0.4), tone=1.5
        ),
    ],
    "computer": [
        _box(-0.95, -0.8, 0.95, 0.4),
        _box(-0.78, -0.65, 0.78, 0.25, 0.3),
        _box(-0.65, -0.5, 0.2, -0.35, 1.6),
        _box(-0.65, -0.2, 0.5, -0.05, 1.6),
        _box(-0.2, 0.4, 0.2, 0.7, 0.7),
        _box(-0.6, 0.68, 0.6, 0.85, 0.8),
    ],
    "car": [
        _polygon((-0.55, -0.15), (-0.3, -0.6), (0.35, -0.6), (0.65, -0.15)),
        _polygon(
            (-0.4, -0.15), (-0.22, -0.48), (0.0, -0.48), (0.0, -0.15), tone=0.35
        ),
        _polygon(
            (0.08, -0.15), (0.08, -0.48), (0.3, -0.48), (0.5, -0.15), tone=0.35
        ),
        _box(-1.0, -0.15, 1.0, 0.35),
        _box(0.85, -0.05, 1.0, 0.1, 1.7),
        *_wheel(-0.55, 0.38, 0.27),
        *_wheel(0.55, 0.38, 0.27),
    ],
    "bus": [
        _box(-1.0, -0.75, 1.0, 0.6),
        _box(-0.88, -0.55, -0.48, -0.05, 0.35),
        _box(-0.38, -0.55, 0.02, -0.05, 0.35),
        _box(0.12, -0.55, 0.52, -0.05, 0.35),
        _box(0.64, -0.55, 0.92, 0.6, 0.5),
        _box(-1.0, 0.15, 0.6, 0.28, 1.5),
        *_wheel(-0.55, 0.65, 0.25),
        *_wheel(0.45, 0.65, 0.25),
    ],
    "tree": [
        _box(-0.14, 0.2, 0.14, 1.0, 0.45),
        _ellipse(0, -0.55, 0.5, 0.42, 1.1),
        _ellipse(-0.45, -0.1, 0.48, 0.42, 0.95),
        _ellipse(0.45, -0.1, 0.48, 0.42, 0.9),
        _ellipse(0, 0.05, 0.5, 0.4, 1.0),
    ],
    "house": [
        _box(0.35, -0.85, 0.6, -0.2, 0.5),
        _box(-0.8, -0.15, 0.8, 0.95),
        _polygon((0, -0.98), (1.0, -0.1), (-1.0, -0.1), tone=0.6),
        _box(-0.18, 0.35, 0.18, 0.95, 0.4),
        _box(-0.65, 0.1, -0.32, 0.42, 1.6),
        _box(0.32, 0.1, 0.65, 0.42, 1.6),
    ],
    "sign": [
        _box(-0.09, 0.1, 0.09, 1.0, 0.5),
        _polygon(
            (-0.35, -1),
            (0.35, -1),
            (0.8, -0.6),
            (0.8, -0.1),
            (0.35, 0.3),
            (-0.35, 0.3),
            (-0.8, -0.1),
            (-0.8, -0.6),
        ),
        _box(-0.55, -0.48, 0.55, -0.2, 1.7),
    ],
    "bench": [
        _box(-1.0, -0.5, 1.0, -0.3),
        _box(-1.0, -0.18, 1.0, 0.0),
        _box(-1.0, 0.15, 1.0, 0.38, 1.15),
        _box(-0.8, -0.55, -0.66, 0.85, 0.55),
        _box(0.66, -0.55, 0.8, 0.85, 0.55),
    ],
    "flower": [
        _box(-0.06, 0.0, 0.06, 1.0, 0.45),
        _ellipse(0.3, 0.6, 0.28, 0.12, 0.5),
        *[
            _ellipse(0.42 * np.cos(a), -0.42 + 0.42 * np.sin(a), 0.27, 0.27)
            for a in np.arange(6) * np.pi / 3
        ],
        _ellipse(0, -0.42, 0.24, 0.24, 0.4),
    ],
    "bird": [
        _polygon((-1.0, -0.15), (-0.4, 0.0), (-0.6, 0.3), tone=0.7),
        _ellipse(-0.05, 0.15, 0.6, 0.38),
        _ellipse(0.5, -0.25, 0.3, 0.3),
        _polygon((0.72, -0.38), (1.0, -0.22), (0.72, -0.1), tone=0.4),
        _polygon((-0.3, 0.05), (0.3, 0.05), (-0.35, -0.75), tone=0.65),
        _ellipse(0.56, -0.32, 0.07, 0.07, 0.1),
    ],
    "butterfly": [
        _ellipse(-0.5, -0.4, 0.48, 0.45),
        _ellipse(0.5, -0.4, 0.48, 0.45),
        _ellipse(-0.4, 0.45, 0.36, 0.38, 0.75),
        _ellipse(0.4, 0.45, 0.36, 0.38, 0.75),
        _ellipse(-0.52, -0.42, 0.2, 0.2, 1.6),
        _ellipse(0.52, -0.42, 0.2, 0.2, 1.6),
        _ellipse(0, 0, 0.1, 0.75, 0.25),
    ],
    "boat": [
        _box(-0.06, -1.0, 0.06, 0.4, 0.45),
        _polygon((0.1, -0.95), (0.8, 0.25), (0.1, 0.25), tone=1.6),
        _polygon((-0.1, -0.7), (-0.1, 0.25), (-0.6, 0.25), tone=1.35),
        _polygon((-1.0, 0.35), (1.0, 0.35), (0.65, 0.9), (-0.65, 0.9)),
    ],
    "fish": [
        _polygon((-0.35, 0), (-1.0, -0.55), (-1.0, 0.55), tone=0.7),
        _polygon((-0.1, -0.3), (0.4, -0.35), (0.0, -0.75), tone=0.7),
        _ellipse(0.22, 0, 0.75, 0.48),
        _ellipse(0.62, -0.1, 0.12, 0.12, 1.8),
        _ellipse(0.64, -0.1, 0.06, 0.06, 0.1),
    ],
    "star": [
        _star(0, 0.05, 1.0, 0.42, 5),
        _star(0, 0.05, 0.5, 0.2, 5, tone=1.35),
    ],
    "umbrella": [
        _box(-0.06, -0.2, 0.06, 1.0, 0.45),
        _polygon(
            *[
                (np.cos(a), -0.05 - 0.9 * np.sin(a))
                for a in np.linspace(0, np.pi, 24)
            ]
        ),
        _polygon((0, -0.95), (-0.33, -0.05), (0.33, -0.05), tone=1.5),
    ],
    "palm": [
        _polygon((-0.1, -0.3), (0.12, -0.3), (0.3, 1.0), (0.02, 1.0), tone=0.5),
        _polygon((0, -0.4), (-0.95, -0.25), (-0.6, -0.65)),
        _polygon((0, -0.4), (0.95, -0.25), (0.6, -0.65)),
        _polygon((0, -0.4), (-0.6, -1.0), (-0.15, -0.95), tone=1.2),
        _polygon((0, -0.4), (0.6, -1.0), (0.15, -0.95), tone=1.2),
        _polygon((0, -0.45), (-0.75, 0.25), (-0.45, -0.25), tone=0.8),
        _polygon((0, -0.45), (0.75, 0.25), (0.45, -0.25), tone=0.8),
    ],
    "lighthouse": [
        _polygon((-0.28, -0.5), (0.28, -0.5), (0.48, 0.98), (-0.48, 0.98)),
        _polygon(
            (-0.33, -0.1), (0.33, -0.1), (0.38, 0.25), (-0.38, 0.25), tone=1.7
        ),
        _polygon(
            (-0.41, 0.55), (0.41, 0.55), (0.45, 0.85), (-0.45, 0.85), tone=1.7
        ),
        _box(-0.42, -0.6, 0.42, -0.48, 0.4),
        _box(-0.22, -0.85, 0.22, -0.6, 1.9),
        _polygon((-0.32, -0.82), (0.32, -0.82), (0, -1.0), tone=0.4),
    ],
    "anchor": [
        _ring(0, -0.75, 0.25, 0.25, 0.45),
        _box(-0.1, -0.6, 0.1, 0.8),
        _box(-0.5, -0.42, 0.5, -0.22),
        _polygon(
            *[
                (0.85 * np.cos(a), 0.2 + 0.75 * np.sin(a))
                for a in np.linspace(0, np.pi, 20)
            ],
            *[
                (0.6 * np.cos(a), 0.2 + 0.48 * np.sin(a))
                for a in np.linspace(np.pi, 0, 20)
            ],
        ),
        _polygon((-1.0, 0.3), (-0.72, -0.1), (-0.48, 0.3)),
        _polygon((1.0, 0.3), (0.72, -0.1), (0.48, 0.3)),
    ],
    "guitar": [
        _box(-0.09, -1.0, 0.09, 0.2, 0.5),
        _box(-0.17, -1.0, 0.17, -0.78, 0.35),
        _ellipse(0, 0.12, 0.38, 0.32),
        _ellipse(0, 0.58, 0.55, 0.4),
        _ellipse(0, 0.35, 0.17, 0.17, 0.2),
    ],
    "drum": [
        _box(-0.85, -0.35, 0.85, 0.55),
        _ellipse(0, 0.55, 0.85, 0.3),
        _polygon(
            (-0.85, -0.3), (-0.55, -0.3), (-0.2, 0.75), (-0.4, 0.75), tone=1.5
        ),
        _polygon((0.1, -0.1), (0.4, -0.1), (0.75, 0.6), (0.55, 0.7), tone=1.5),
        _ellipse(0, -0.35, 0.85, 0.3, 1.65),
        _ring(0, -0.35, 0.85, 0.3, 0.15, 0.5),
    ],
    "bed": [
        _box(-1.0, -0.75, -0.82, 0.75, 0.5),
        _box(0.85, -0.2, 1.0, 0.75, 0.5),
        _box(-0.85, 0.0, 0.9, 0.5),
        _ellipse(-0.52, -0.08, 0.32, 0.2, 1.7),
        _box(-0.1, -0.08, 0.9, 0.3, 1.25),
    ],
    "rocket": [
        _polygon((-0.3, 0.35), (-0.7, 0.85), (-0.25, 0.7), tone=0.6),
        _polygon((0.3, 0.35), (0.7, 0.85), (0.25, 0.7), tone=0.6),
        _polygon((-0.2, 0.7), (0.2, 0.7), (0, 1.0), tone=1.8),
        _ellipse(0, 0.0, 0.36, 0.98),
        _box(-0.36, 0.6, 0.36, 0.72, 0.5),
        _ellipse(0, -0.25, 0.19, 0.19, 1.8),
        _ellipse(0, -0.25, 0.12, 0.12, 0.3),
    ],
    "moon": [
        _polygon(
            *[
                (0.15 + 0.95 * np.cos(a), 0.95 * np.sin(a))
                for a in np.linspace(0.36 * np.pi, 1.64 * np.pi, 30)
            ],
            *[
                (0.52 + 0.68 * np.cos(a), 0.85 * np.sin(a))
                for a in np.linspace(1.5 * np.pi, 0.5 * np.pi, 24)
            ],
        ),
        _ellipse(-0.52, -0.1, 0.12, 0.12, 0.7),
        _ellipse(-0.4, 0.4, 0.1, 0.1, 0.7),
    ],
    "planet": [
        _ring(0, 0, 1.0, 0.34, 0.3, 0.6),
        _ellipse(0, 0, 0.62, 0.62),
        _polygon(
            (-0.55, -0.28),
            (0.55, -0.28),
            (0.62, -0.05),
            (-0.62, -0.05),
            tone=1.4,
        ),
        _polygon(
            (-1.0, 0.02),
            (-0.62, 0.1),
            (0.62, 0.1),
            (1.0, 0.02),
            (0.6, 0.32),
            (-0.6, 0.32),
            tone=0.6,
        ),
    ],
}
"""Parts of each class, back to front."""

CLASSES = tuple(SHAPES)
"""Names of the object classes; their order gives the class indices."""


@functools.cache
def template(index):
    """A class's picture at a high resolution.

    Args:
        index: Int, the class.

    Returns:
        Two float32 arrays of shape `(RESOLUTION + 2, RESOLUTION + 2)`:
        opacity, 0 or 1, and tone, with an empty border of one; and `(ymin,
        xmin, ymax, xmax)` of what is opaque, in [-1, 1].
    """
    axis = (np.arange(RESOLUTION) + 0.5) / RESOLUTION * 2 - 1
    x, y = np.meshgrid(axis, axis)
    alpha = np.zeros(x.shape, "float32")
    tone = np.ones(x.shape, "float32")
    for inside, value in SHAPES[CLASSES[index]]:
        mask = inside(x, y)
        alpha[mask] = 1.0
        tone[mask] = value
    rows, columns = np.nonzero(alpha.any(1))[0], np.nonzero(alpha.any(0))[0]
    step = 1.0 / RESOLUTION
    box = (
        axis[rows[0]] - step,
        axis[columns[0]] - step,
        axis[rows[-1]] + step,
        axis[columns[-1]] + step,
    )
    return np.pad(alpha, 1), np.pad(tone, 1), box
