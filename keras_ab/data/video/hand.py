"""A hand and the arm behind it."""

import dataclasses
import functools
import math
from typing import Any

import numpy as np

from keras_ab.data.scenes.layout import RGB
from keras_ab.data.scenes.layout import Thing
from keras_ab.data.scenes.primitives import box
from keras_ab.data.scenes.primitives import ellipse
from keras_ab.data.scenes.primitives import polygon
from keras_ab.data.scenes.primitives import rasterise
from keras_ab.typing import Box

SKIN = np.array(
    [
        (0.96, 0.80, 0.69),
        (0.88, 0.67, 0.53),
        (0.76, 0.54, 0.38),
        (0.55, 0.36, 0.25),
        (0.36, 0.24, 0.17),
    ],
    "float32",
)

WRIST = polygon((-0.3, 0.0), (0.3, 0.0), (0.26, 1.0), (-0.26, 1.0))


def _finger(x, y, tip_x, tip_y, width=0.13, tone=1.0):
    """A finger from its root to its tip."""
    length = math.hypot(tip_x - x, tip_y - y)
    across, along = (tip_y - y) / length * width, (tip_x - x) / length * width
    return [
        polygon(
            (x + across, y - along),
            (tip_x + across, tip_y - along),
            (tip_x - across, tip_y + along),
            (x - across, y + along),
            tone=tone,
        ),
        ellipse(tip_x, tip_y, width, width, tone),
    ]


# The arm leaves downward. Each pose has the height where it touches.
POSES = {
    # Seen from its edge: the palm, bent at the wrist, carries or pushes.
    "flat": (
        -0.72,
        [
            WRIST,
            polygon((-0.3, 0.1), (-0.5, -0.5), (0.2, -0.5), (0.3, 0.1)),
            *_finger(-0.4, -0.55, 0.86, -0.6, 0.12),
            *_finger(-0.3, -0.42, -0.85, -0.66, 0.12, 0.8),
            box(-0.25, -0.47, 0.3, -0.42, 0.65),
        ],
    ),
    # A fist with its fingers around something.
    "grip": (
        -0.25,
        [
            WRIST,
            ellipse(0, -0.2, 0.68, 0.55),
            *_finger(-0.5, -0.45, 0.42, -0.5, 0.15),
            *_finger(-0.55, -0.15, 0.45, -0.18, 0.15),
            *_finger(-0.5, 0.13, 0.38, 0.12, 0.14),
            box(-0.6, -0.34, 0.5, -0.29, 0.6),
            box(-0.6, -0.03, 0.48, 0.02, 0.6),
            *_finger(0.55, 0.3, 0.62, -0.4, 0.13, 0.85),
        ],
    ),
    # The index finger stretched out.
    "point": (
        -0.9,
        [
            WRIST,
            ellipse(0, 0.1, 0.5, 0.42),
            *_finger(-0.12, 0.0, -0.12, -0.86, 0.14),
            *_finger(0.2, 0.0, 0.2, -0.12, 0.13, 0.85),
            *_finger(0.44, 0.1, 0.42, 0.0, 0.12, 0.8),
            *_finger(-0.45, 0.25, -0.1, 0.05, 0.12, 0.8),
        ],
    ),
    # Spread fingers, which have let go.
    "open": (
        -0.75,
        [
            WRIST,
            ellipse(0, 0.1, 0.44, 0.42),
            *_finger(-0.3, 0.1, -0.75, -0.35, 0.12),
            *_finger(-0.15, 0.0, -0.32, -0.72, 0.12),
            *_finger(0.05, 0.0, 0.08, -0.84, 0.12),
            *_finger(0.25, 0.05, 0.46, -0.65, 0.12),
            *_finger(0.3, 0.25, 0.85, 0.05, 0.13, 0.9),
        ],
    ),
}
ARM = [polygon((-0.5, -1), (0.5, -1), (0.85, 1), (-0.85, 1))]
ARM_LENGTH = 1.3
"""Longer than a picture's side, so that it always leaves the picture."""


@functools.cache
def _template(pose):
    return rasterise(ARM if pose == "arm" else POSES[pose][1])


@dataclasses.dataclass
class Limb(Thing):
    """A thing that is no object: a hand, or the arm behind it.

    Args:
        pose: A key of `POSES`, or `"arm"`.
        tint: float32 `(3,)`.
    """

    pose: str = "arm"
    tint: Any = None

    @property
    def shape(self) -> tuple[np.ndarray, np.ndarray, Box]:
        return _template(self.pose)

    @property
    def rgb(self) -> np.ndarray:
        return self.tint


def place_hand(
    pose: str, x: float, y: float, angle: float, depth: float, person: "Person"
) -> list[Limb]:
    """A hand that touches a point.

    Args:
        pose: A key of `POSES`.
        x: Float, where it touches, 0 left to 1 right.
        y: Float, where it touches, 0 top to 1 bottom.
        angle: Float, in radians: 0 has the arm come from below, π / 2 from
            the left.
        depth: Float, its distance.
        person: A `Person`.

    Returns:
        A list of two `Limb`s: arm and hand.
    """
    # From the hand to the elbow.
    down = np.array([-math.sin(angle), math.cos(angle)])
    half = person.size / 2
    hand = np.array([x, y]) - POSES[pose][0] * half * down
    arm = hand + (0.8 * half + ARM_LENGTH / 2) * down

    def limb(pose, centre, size, width, tint, depth):
        return Limb(
            index=-1,
            colour=-1,
            texture=0,
            depth=depth,
            x=float(centre[0]),
            y=float(centre[1]),
            size=size,
            aspect=width / size,
            angle=angle,
            flip=person.left,
            pose=pose,
            tint=tint,
        )

    return [
        limb(
            "arm",
            arm,
            ARM_LENGTH,
            0.55 * person.size,
            RGB[person.sleeve],
            depth + 1e-3,
        ),
        limb(
            pose,
            hand,
            person.size,
            0.9 * person.size,
            SKIN[person.skin],
            depth,
        ),
    ]


@dataclasses.dataclass(frozen=True)
class Person:
    """Whose hand it is.

    Args:
        size: Float, length of the hand as a share of the scene's side.
        skin: Int, an index into `SKIN`.
        sleeve: Int, a colour.
        left: Bool, whether it is the left hand.
    """

    size: float
    skin: int
    sleeve: int
    left: bool


def sample_person(rng: np.random.Generator) -> Person:
    """Draws a `Person`."""
    return Person(
        size=float(rng.uniform(0.24, 0.32)),
        skin=int(rng.integers(len(SKIN))),
        sleeve=int(rng.integers(len(RGB))),
        left=bool(rng.random() < 0.5),
    )
