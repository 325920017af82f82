"""Drawing the objects of a scene, before any pixel."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_ab.data.scenes.grammar import SCENE_TYPES
from keras_ab.data.scenes.grammar import Slot
from keras_ab.data.scenes.shapes import CLASSES
from keras_ab.data.scenes.shapes import template
from keras_ab.typing import Box

COLOURS = {
    "grey": (0.50, 0.50, 0.52),
    "orange": (0.93, 0.52, 0.13),
    "yellow": (0.92, 0.80, 0.20),
    "green": (0.25, 0.62, 0.28),
    "teal": (0.25, 0.68, 0.70),
    "blue": (0.20, 0.35, 0.80),
    "purple": (0.52, 0.27, 0.66),
    "pink": (0.92, 0.55, 0.68),
    "brown": (0.48, 0.31, 0.18),
    "red": (0.82, 0.16, 0.16),
}
"""Names and RGB values of colours; their order gives the colour indices."""

RGB = np.array(list(COLOURS.values()), "float32")
TEXTURES = ("plain", "striped", "dotted", "checked")


@dataclasses.dataclass
class Thing:
    """An object of a scene.

    Args:
        index: Int, its class.
        colour: Int, its colour.
        texture: Int, its texture.
        depth: Float, its distance; nearer things hide farther ones.
        x: Float, its centre, 0 left to 1 right.
        y: Float, its centre, 0 top to 1 bottom.
        size: Float, the side of its square as a share of the image's.
        aspect: Float, width over height beyond the class's own.
        angle: Float, its rotation in radians.
        flip: Bool, whether it is mirrored.
        order: Int, its place in the layout.
        support: Int, the order of the thing that it stands on, or -1.
    """

    index: int
    colour: int
    texture: int
    depth: float
    x: float
    y: float
    size: float
    aspect: float
    angle: float
    flip: bool
    order: int = 0
    support: int = -1

    @property
    def shape(self) -> tuple[np.ndarray, np.ndarray, Box]:
        """Opacity, tone and extent; see `rasterise`."""
        return template(self.index)

    @property
    def rgb(self) -> np.ndarray:
        """float32 `(3,)`."""
        return RGB[self.colour]

    def box(self) -> Box:
        """`(ymin, xmin, ymax, xmax)` before rotation and clipping."""
        top, left, bottom, right = self.shape[2]
        if self.flip:
            left, right = -right, -left
        half, wide = self.size / 2, self.size / 2 * self.aspect
        return (
            self.y + half * top,
            self.x + wide * left,
            self.y + half * bottom,
            self.x + wide * right,
        )


@dataclasses.dataclass
class Layout:
    """A scene before any pixel.

    Args:
        scene_type: Int, an index into `SCENE_TYPES`.
        horizon: Float, where the ground begins, 0 top to 1 bottom.
        back: Int, colour of the background.
        front: Int, colour of the ground.
        things: List of `Thing`; the first is the main object, the nearest.
    """

    scene_type: int
    horizon: float
    back: int
    front: int
    things: list


def sample_layout(rng: np.random.Generator) -> Layout:
    """Draws a scene.

    Args:
        rng: A `np.random.Generator`.

    Returns:
        A `Layout`.
    """
    layout = empty_layout(rng)
    slots = SCENE_TYPES[layout.scene_type].slots
    furnish(rng, layout, slots[int(rng.integers(len(slots)))])
    return layout


def empty_layout(rng: np.random.Generator) -> Layout:
    """Draws a type of scene and its surfaces.

    Args:
        rng: A `np.random.Generator`.

    Returns:
        A `Layout` without things.
    """
    kind = int(rng.integers(len(SCENE_TYPES)))
    scene = SCENE_TYPES[kind]
    return Layout(
        scene_type=kind,
        horizon=float(rng.uniform(0.42, 0.62)),
        back=_tendency(rng, scene.back, 0.25),
        front=_tendency(rng, scene.front, 0.25),
        things=[],
    )


def furnish(
    rng: np.random.Generator, layout: Layout, main: Slot, most: int = 10
) -> None:
    """Fills a layout with things.

    Args:
        rng: A `np.random.Generator`.
        layout: A `Layout` without things, which receives them.
        main: The `Slot` of the main object.
        most: Int, the largest number of things, main object included.
    """
    scene = SCENE_TYPES[layout.scene_type]
    _add(rng, layout, main, depth=rng.uniform(0.85, 1.1))
    counts = {main.name: 1}
    wanted = 3 + int((most - 2) * rng.random() ** 1.5)
    # Something above and something below, whatever the main object is: else
    # an empty ground would tell that it flies.
    others = [slot for slot in scene.slots if slot.high != main.high]
    nearness = (1.15, 1.4)
    for _ in range(3 * wanted):
        if len(layout.things) >= wanted:
            break
        slot = draw_slot(rng, others)
        if counts.get(slot.name, 0) >= slot.limit:
            continue
        if _add(rng, layout, slot, depth=rng.uniform(*nearness)):
            counts[slot.name] = counts.get(slot.name, 0) + 1
            others, nearness = scene.slots, (1.5, 2.3)


def draw_slot(rng: np.random.Generator, slots: Sequence[Slot]) -> Slot:
    """A slot, by the slots' weights."""
    chances = np.cumsum([slot.weight for slot in slots])
    draw = rng.random() * chances[-1]
    return slots[np.searchsorted(chances, draw, side="right")]


def _tendency(rng, preferred, strength):
    """A colour index: one of the preferred ones with some probability."""
    if rng.random() < strength:
        return int(preferred[int(rng.integers(len(preferred)))])
    return int(rng.integers(len(RGB)))


def _add(rng, layout, slot, depth):
    """Places an object where its slot wants it, clear of the others."""
    size = min(max(0.46 / depth * rng.uniform(0.9, 1.12), 0.17), 0.56)
    index = CLASSES.index(slot.name)
    boxes = [other.box() for other in layout.things]
    for _ in range(6):
        thing = Thing(
            index=index,
            colour=0,
            texture=int(np.searchsorted((0.7, 0.8, 0.9), rng.random())),
            depth=float(depth),
            x=float(rng.uniform(*slot.x)),
            y=0.5,
            size=size,
            aspect=float(rng.uniform(0.85, 1.15)),
            angle=float(rng.uniform(-0.12, 0.12)),
            flip=bool(rng.random() < 0.5),
        )
        behind = _place(rng, layout, thing, slot.place)
        if not layout.things:
            _keep_inside(thing)
        if not layout.things or overlap(thing, boxes) < 0.3:
            thing.colour = _colour(rng, index, behind)
            thing.order = len(layout.things)
            layout.things.append(thing)
            return True
    return False


def _place(rng, layout, thing, place):
    """Sets x, y and support; returns the colour index behind the thing."""
    relation, _, name = place.partition(" ")
    _top, _left, bottom, _right = template(thing.index)[2]
    if name:
        anchors = [
            i
            for i, other in enumerate(layout.things)
            if CLASSES[other.index] == name
        ]
        if anchors:
            anchor = layout.things[anchors[0]]
            ymin, xmin, _, xmax = anchor.box()
            if relation == "on":
                margin = min(thing.size / 4, (xmax - xmin) / 3)
                thing.x = float(rng.uniform(xmin + margin, xmax - margin))
                thing.y = ymin + 0.02 - thing.size / 2 * bottom
                thing.support = anchors[0]
                thing.angle = 0.0
            else:
                thing.x = float(anchor.x + rng.uniform(-0.08, 0.08))
                thing.y = float(ymin - thing.size * rng.uniform(0.9, 1.4))
            return layout.back
        relation = "floor" if relation == "on" else "air"
    half = thing.size / 2
    if relation == "floor":
        # Nearer things stand lower.
        low = layout.horizon + (1 - layout.horizon) * min(
            1.0, 1.1 / thing.depth
        )
        base = min(max(low + rng.uniform(-0.06, 0.06), 0.0), 0.99)
        thing.y = base - half * bottom
        return layout.front if thing.y > layout.horizon else layout.back
    if relation == "water":
        thing.y = float(layout.horizon + rng.uniform(-0.05, 0.15) - half * 0.5)
        return layout.back
    low, high = (0.05, layout.horizon) if relation == "air" else (0.15, 0.4)
    thing.y = float(rng.uniform(low, high))
    return layout.back


def _keep_inside(thing):
    """Moves the main object until no more than an edge leaves the picture."""
    y0, x0, y1, x1 = thing.box()
    thing.y += max(0.0, -0.02 - y0) - max(0.0, y1 - 1.02)
    thing.x += max(0.0, -0.04 - x0) - max(0.0, x1 - 1.04)


def overlap(thing: Thing, boxes: Sequence[Box]) -> float:
    """The largest share of the smaller box that a thing has in common."""
    y0, x0, y1, x1 = thing.box()
    area = (y1 - y0) * (x1 - x0)
    # A thing that leaves the picture is as good as hidden.
    inside = max(0, min(y1, 1) - max(y0, 0)) * max(0, min(x1, 1) - max(x0, 0))
    worst = 1 - inside / area
    for a0, b0, a1, b1 in boxes:
        height = min(y1, a1) - max(y0, a0)
        width = min(x1, b1) - max(x0, b0)
        if height > 0 and width > 0:
            smaller = min(area, (a1 - a0) * (b1 - b0))
            worst = max(worst, height * width / smaller)
    return worst


def contrasting(behind: int) -> np.ndarray:
    """Colours that stand out from another: an array of their indices."""
    distance = np.abs(RGB - RGB[behind]).sum(1)
    return np.nonzero(distance > 0.45)[0]


def _colour(rng, index, behind):
    """A colour that stands out from what is behind; often the class's own."""
    choices = contrasting(behind)
    if rng.random() < 0.5:
        # Two typical colours a class, the same ones for a third of classes.
        typical = [index % len(RGB), (3 * index + 4) % len(RGB)]
        choices = [c for c in typical if c in choices] or choices
    return int(choices[int(rng.integers(len(choices)))])
