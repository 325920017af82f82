"""A camera that moves smoothly over a scene."""

import dataclasses
import math

import numpy as np

from keras_ab.data.scenes.layout import Thing


@dataclasses.dataclass(frozen=True)
class Camera:
    """Pan, zoom and a little sway.

    Args:
        x: Float, centre of the view at half-time, 0 left to 1 right.
        y: Float, centre of the view at half-time, 0 top to 1 bottom.
        side: Float, side of the view at half-time.
        across: Float, how far it pans to the right.
        down: Float, how far it pans down.
        zoom: Float, logarithm of the last view's side over the first's.
        sway: Float, phase of its sway.
    """

    x: float
    y: float
    side: float
    across: float
    down: float
    zoom: float
    sway: float

    def view(self, time: float) -> tuple[float, float, float]:
        """`(top, left, side)` of what is seen.

        Args:
            time: Float, 0 begin to 1 end.
        """
        since = time - 0.5
        side = self.side * math.exp(self.zoom * since)
        sway = 0.012 * math.sin(9 * time + self.sway)
        x = self.x + self.across * since + sway
        y = self.y + self.down * since + 0.012 * math.cos(7 * time + self.sway)
        return y - side / 2, x - side / 2, side


def sample_camera(rng: np.random.Generator, x: float, y: float) -> Camera:
    """Draws a camera that looks at some point.

    Args:
        rng: A `np.random.Generator`.
        x: Float, where the action is.
        y: Float, where the action is.

    Returns:
        A `Camera`.
    """
    side = float(rng.uniform(0.95, 1.2))
    return Camera(
        x=float(x + side * rng.uniform(-0.15, 0.15)),
        y=float(y + side * rng.uniform(-0.15, 0.08)),
        side=side,
        across=float(rng.uniform(-0.25, 0.25)),
        down=float(rng.uniform(-0.12, 0.12)),
        zoom=float(rng.uniform(-0.3, 0.3)),
        sway=float(rng.uniform(0, 6.3)),
    )


def seen(thing: Thing, view: tuple[float, float, float]) -> Thing:
    """A thing in the coordinates of a view."""
    top, left, side = view
    return dataclasses.replace(
        thing,
        x=(thing.x - left) / side,
        y=(thing.y - top) / side,
        size=thing.size / side,
    )
