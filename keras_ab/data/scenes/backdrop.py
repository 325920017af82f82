"""What is behind and below the things of a scene."""

import numpy as np

from keras_ab.data.scenes.layout import RGB
from keras_ab.data.scenes.layout import Layout

WHOLE = (0.0, 0.0, 1.0)


def backdrop(
    layout: Layout,
    size: int,
    rng: np.random.Generator,
    view: tuple[float, float, float] = WHOLE,
) -> np.ndarray:
    """Paints the ground and what is behind it: any pattern in any scene.

    Were patterns tied to the scene's type, they alone would tell it, and
    nobody would need to look at things.

    Args:
        layout: A `Layout`.
        size: Int, side of the picture in pixels.
        rng: A `np.random.Generator`. As many numbers are taken from it
            whatever the view, so that the same state gives the same patterns.
        view: `(top, left, side)` of the square that is looked at; (0, 0, 1)
            is the whole scene.

    Returns:
        float32 `(size, size, 3)`.
    """
    top, left, side = view
    axis = (np.arange(size, dtype="float32") + 0.5) / size
    y, x = top + side * axis[:, None], left + side * axis[None, :]
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
    ground = np.clip((y - edge) * (size / side) + 0.5, 0, 1)[..., None]
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
    side = len(y)
    specks = rng.random((side, side), dtype="float32") < 0.01
    # One cell a pixel of the whole scene; beyond its edges they repeat.
    row, column = (np.floor(c * side).astype(int) % side for c in (y, x))
    return 1 + 0.4 * specks[row, column]


def _pale(colour):
    return 0.4 * colour + 0.6 * colour.mean()
