"""Painting a layout."""

import math

import numpy as np

from keras_ab.data.scenes.layout import RGB
from keras_ab.data.scenes.shapes import RESOLUTION
from keras_ab.data.scenes.shapes import template


def render(layout, size, rng):
    """Paints a scene.

    Args:
        layout: A `Layout`.
        size: Int, side of the picture in pixels.
        rng: A `np.random.Generator`, for textures and noise.

    Returns:
        uint8 `(size, size, 3)`; and one entry for each thing: its visible
        share, and `(ymin, xmin, ymax, xmax)` of what is visible of it in
        pixels, or None if nothing is.
    """
    canvas = _backdrop(layout, size, rng)
    light = np.float32(rng.uniform(-1, 1))
    order = sorted(
        range(len(layout.things)), key=lambda i: -layout.things[i].depth
    )
    owner = np.full((size, size), -1, "int16")
    areas = np.zeros(len(layout.things))
    for i in order:
        patch = _paint(canvas, layout.things[i], size, light, rng)
        if patch is None:
            continue
        (y, x), opacity = patch
        rows, columns = opacity.shape
        solid = opacity > 0.5
        owner[y : y + rows, x : x + columns][solid] = i
        areas[i] = solid.sum()
    noise = rng.standard_normal(canvas.shape, dtype="float32")
    canvas = _expose(canvas, rng) + 0.018 * noise
    picture = (np.clip(canvas, 0, 1) * 255 + 0.5).astype("uint8")
    return picture, [_visible(owner, i, areas[i]) for i in range(len(areas))]


def _expose(canvas, rng):
    """Light of its own for every picture, so that colours alone say little.

    Brightness, a tint of the three channels, and contrast.
    """
    gain = np.exp(rng.uniform(-0.3, 0.2) + rng.uniform(-0.12, 0.12, 3))
    canvas = canvas * gain.astype("float32")
    contrast = np.float32(rng.uniform(-0.5, 0.8))
    return canvas + contrast * canvas * (1 - canvas) * (canvas - 0.5)


def _visible(owner, index, area):
    mask = owner == index
    if not mask.any():
        return 0.0, None
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    box = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
    return float(mask.sum() / area), box


def _backdrop(layout, size, rng):
    """What is behind and below: any pattern in any scene.

    Were patterns tied to the scene's type, they alone would tell it, and
    nobody would need to look at things.
    """
    axis = (np.arange(size, dtype="float32") + 0.5) / size
    y, x = axis[:, None], axis[None, :]
    # Paler than things, so that a thing's colour is told from a wall's.
    back, front = _pale(RGB[layout.back]), _pale(RGB[layout.front])
    shade = rng.uniform(0.35, 0.85)
    back, front = back * shade + (1 - shade), front * (0.55 + 0.3 * shade)
    if rng.random() < 0.15:
        back = back * 0.4
    upper = _pattern(y, x, rng) + 0.18 * (y - 0.5)
    lower = _pattern(y, x, rng) - 0.25 * (y - layout.horizon)
    edge = layout.horizon + rng.uniform(0, 0.025) * np.sin(
        7 * x + rng.uniform(0, 6)
    )
    ground = np.clip((y - edge) * size + 0.5, 0, 1)[..., None]
    canvas = back * upper[..., None] * (1 - ground)
    canvas = canvas + front * lower[..., None] * ground
    return canvas.astype("float32")


def _pattern(y, x, rng):
    """A factor on a surface's colour: stripes, hills, waves or specks."""
    period = np.float32(rng.uniform(0.06, 0.16))
    kind = int(rng.integers(4))
    if kind == 0:
        slant = rng.uniform(-1, 1)
        return 1 + 0.06 * np.sign(np.sin(np.pi * (x + slant * y) / period))
    if kind == 1:
        return 1 + 0.06 * np.sin(5 * x + 9 * y + rng.uniform(0, 6))
    if kind == 2:
        wave = y / period + 0.15 * np.sin(12 * x)
        return 1 + 0.07 * np.sin(2 * np.pi * wave)
    specks = rng.random((len(y), x.shape[1]), dtype="float32") < 0.01
    return 1 + 0.4 * specks


def _pale(colour):
    return 0.4 * colour + 0.6 * colour.mean()


def _paint(canvas, thing, size, light, rng):
    """Paints a thing; returns its corner and opacity, or None off-picture."""
    alpha, tone, _ = template(thing.index)
    half = thing.size * size / 2
    wide = half * thing.aspect
    reach_y = half * (1 + 0.15) + 1
    reach_x = wide * (1 + 0.15) + 1
    cy, cx = thing.y * size, thing.x * size
    y0, y1 = max(0, int(cy - reach_y)), min(size, int(cy + reach_y) + 1)
    x0, x1 = max(0, int(cx - reach_x)), min(size, int(cx + reach_x) + 1)
    if y0 >= y1 or x0 >= x1:
        return None
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
    relief = np.float32(rng.uniform(0.7, 1.2))
    value = (1 + relief * (tone.take(flat) - 1)) * _texture(
        thing.texture, u, v, rng
    )
    value = value * (1 + 0.22 * light * u - 0.12 * v)
    value = _average(value * opacity)
    opacity = _average(opacity)
    value = value / np.maximum(opacity, 1e-3)
    shade = rng.uniform(-0.06, 0.06, 3).astype("float32")
    colour = np.clip(RGB[thing.colour] + shade, 0.05, 1)
    # Tones above one go towards white, so that they show on any colour.
    dark = np.minimum(value, 1.0)[..., None] * colour
    lift = np.clip(value - 1.0, 0, 1)[..., None]
    painted = dark + lift * (0.97 - colour)
    patch = canvas[y0:y1, x0:x1]
    patch += opacity[..., None] * (painted - patch)
    return (y0, x0), opacity


def _average(x):
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) * 0.25


def _texture(kind, u, v, rng):
    """A factor on the tone, around one."""
    if kind == 0:
        return 1.0
    period = np.float32(rng.uniform(0.35, 0.6))
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
