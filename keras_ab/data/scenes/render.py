"""Painting a layout."""

import dataclasses
import math
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from keras_ab.data.scenes.backdrop import backdrop
from keras_ab.data.scenes.layout import Layout
from keras_ab.data.scenes.layout import Thing
from keras_ab.data.scenes.primitives import RESOLUTION
from keras_ab.typing import Box


@dataclasses.dataclass(frozen=True)
class Look:
    """What the painter adds to a thing.

    Args:
        relief: Float, how much its parts stand out.
        period: Float, of its texture.
        shade: float32 `(3,)`, added to its colour.
    """

    relief: np.float32
    period: np.float32
    shade: np.ndarray


def sample_look(thing: Thing, rng: np.random.Generator) -> Look:
    """Draws the `Look` of a `Thing`."""
    return Look(
        relief=np.float32(rng.uniform(0.7, 1.2)),
        period=np.float32(rng.uniform(0.35, 0.6) if thing.texture else 1),
        shade=rng.uniform(-0.06, 0.06, 3).astype("float32"),
    )


def render(
    layout: Layout, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, list[tuple[float, Box | None]]]:
    """Paints a scene.

    Args:
        layout: A `Layout`.
        size: Int, side of the picture in pixels.
        rng: A `np.random.Generator`, for textures and noise.

    Returns:
        uint8 `(size, size, 3)`; and what `paint_things` returns.
    """
    canvas = backdrop(layout, size, rng)
    light = sample_light(rng)
    visible = paint_things(
        canvas, layout.things, light, lambda thing: sample_look(thing, rng)
    )
    return develop(canvas, rng, rng), visible


def sample_light(rng: np.random.Generator) -> np.float32:
    """Draws from which side, and how strongly, light falls on things."""
    return np.float32(rng.uniform(-1, 1))


def paint_things(
    canvas: np.ndarray,
    things: Sequence[Thing],
    light: float | np.floating,
    look: Callable[[Thing], Look],
) -> list[tuple[float, Box | None]]:
    """Paints things onto a canvas, far ones first.

    Args:
        canvas: float32 `(size, size, 3)`, painted upon.
        things: List of `Thing`s.
        light: Float, see `sample_light`.
        look: Function from a thing that is at least partly in the picture to
            its `Look`; called in the order of painting.

    Returns:
        One entry for each thing: the share of what is in the picture of it
        that is not hidden, and `(ymin, xmin, ymax, xmax)` of that in pixels,
        or None if nothing is.
    """
    size = len(canvas)
    owner = np.full((size, size), -1, "int16")
    areas = np.zeros(len(things))
    for i in sorted(range(len(things)), key=lambda i: -things[i].depth):
        window = _window(things[i], size)
        if window is None:
            continue
        opacity = _paint(canvas, things[i], window, light, look(things[i]))
        y0, y1, x0, x1 = window
        solid = opacity > 0.5
        owner[y0:y1, x0:x1][solid] = i
        areas[i] = solid.sum()
    return [_visible(owner, i, areas[i]) for i in range(len(areas))]


def develop(
    canvas: np.ndarray,
    noise: np.random.Generator,
    exposure: np.random.Generator,
) -> np.ndarray:
    """Turns a painted canvas into a picture.

    Brightness, a tint of the three channels, and contrast are drawn for
    every picture, so that colours alone say little.

    Args:
        canvas: float32 `(size, size, 3)`.
        noise: A `np.random.Generator`, for the noise of pixels.
        exposure: A `np.random.Generator`, for the light.

    Returns:
        uint8 `(size, size, 3)`.
    """
    grain = noise.standard_normal(canvas.shape, dtype="float32")
    gain = exposure.uniform(-0.3, 0.2) + exposure.uniform(-0.12, 0.12, 3)
    canvas = canvas * np.exp(gain).astype("float32")
    contrast = np.float32(exposure.uniform(-0.5, 0.8))
    canvas = canvas + contrast * canvas * (1 - canvas) * (canvas - 0.5)
    return (np.clip(canvas + 0.018 * grain, 0, 1) * 255 + 0.5).astype("uint8")


def _visible(owner, index, area):
    mask = owner == index
    if not mask.any():
        return 0.0, None
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    box = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
    return float(mask.sum() / area), box


def _window(thing, size):
    """`(y0, y1, x0, x1)` in pixels around a thing, or None off-picture."""
    half = thing.size * size / 2
    wide = half * thing.aspect
    cos, sin = abs(math.cos(thing.angle)), abs(math.sin(thing.angle))
    reach_y = max(half * (1 + 0.15), half * cos + wide * sin) + 1
    reach_x = max(wide * (1 + 0.15), wide * cos + half * sin) + 1
    cy, cx = thing.y * size, thing.x * size
    y0, y1 = max(0, int(cy - reach_y)), min(size, int(cy + reach_y) + 1)
    x0, x1 = max(0, int(cx - reach_x)), min(size, int(cx + reach_x) + 1)
    return (y0, y1, x0, x1) if y0 < y1 and x0 < x1 else None


def _paint(canvas, thing, window, light, look):
    """Paints a thing inside its window, whose opacity is returned."""
    alpha, tone, _ = thing.shape
    size = len(canvas)
    half = thing.size * size / 2
    wide = half * thing.aspect
    cy, cx = thing.y * size, thing.x * size
    y0, y1, x0, x1 = window
    # Four samples a pixel; averaging them antialiases the edges.
    ys = np.arange(2 * (y1 - y0), dtype="float32") / 2 + (0.25 + y0 - cy)
    xs = np.arange(2 * (x1 - x0), dtype="float32") / 2 + (0.25 + x0 - cx)
    cos, sin = math.cos(thing.angle), math.sin(thing.angle)
    u = (xs[None, :] * cos + ys[:, None] * sin) / wide
    v = (ys[:, None] * cos - xs[None, :] * sin) / half
    if thing.flip:
        u = -u
    # The templates have a border of one, where whatever lies outside ends.
    side = RESOLUTION + 2
    column = ((u + 1) * (RESOLUTION / 2) + 1).astype("int32")
    row = ((v + 1) * (RESOLUTION / 2) + 1).astype("int32")
    flat = np.clip(row, 0, side - 1) * side + np.clip(column, 0, side - 1)
    opacity = alpha.take(flat)
    # Parts stand out more or less, and colours have shades.
    value = 1 + look.relief * (tone.take(flat) - 1)
    value = value * _texture(thing.texture, u, v, look.period)
    value = value * (1 + 0.22 * light * u - 0.12 * v)
    value = _average(value * opacity)
    opacity = _average(opacity)
    value = value / np.maximum(opacity, 1e-3)
    colour = np.clip(thing.rgb + look.shade, 0.05, 1)
    # Tones above one go towards white, so that they show on any colour.
    dark = np.minimum(value, 1.0)[..., None] * colour
    lift = np.clip(value - 1.0, 0, 1)[..., None]
    painted = dark + lift * (0.97 - colour)
    patch = canvas[y0:y1, x0:x1]
    patch += opacity[..., None] * (painted - patch)
    return opacity


def _average(x):
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) * 0.25


def _texture(kind, u, v, period):
    """A factor on the tone, around one."""
    if kind == 0:
        return 1.0
    weak, strong = np.float32(0.4), np.float32(0.5)
    if kind == 1:
        return 1 - weak * _upper_half((u + weak * v) / period)
    if kind == 2:
        across, down = (_phase(c / period) - strong for c in (u, v))
        return 1 + strong * (across * across + down * down < 0.09)
    return 1 - weak * (_upper_half(u / period) ^ _upper_half(v / period))


def _phase(x):
    return x - np.floor(x)


def _upper_half(x):
    return _phase(x) < 0.5
