"""The built-in set of single objects."""

from typing import Any

import numpy as np

from keras_ab.data.scenes.captions import describe
from keras_ab.data.scenes.captions import write_captions
from keras_ab.data.scenes.layout import TEXTURES
from keras_ab.data.scenes.layout import Layout
from keras_ab.data.scenes.layout import Thing
from keras_ab.data.scenes.layout import contrasting
from keras_ab.data.scenes.layout import empty_layout
from keras_ab.data.scenes.layout import overlap
from keras_ab.data.scenes.render import render
from keras_ab.data.scenes.shapes import CLASSES
from keras_ab.data.scenes.shapes import template
from keras_ab.data.scenes.source import SPLITS
from keras_ab.data.scenes.source import check_source
from keras_ab.data.scenes.source import visible_things
from keras_ab.data.source import Source

STREAM = 1
"""Keeps the random numbers of this set apart from those of the others."""


class Objects(Source):
    """Generated pictures of one large object each, without a download.

    The object is near the middle, 45 to 80% of the picture's side long, in
    any pose, colour and texture, on the backgrounds of the scenes; up to three
    small things of other classes lie around it. All classes are equally
    frequent, and colours are independent of them. Record i is a pure function
    of `(seed, split, i)`.

    Records hold `"image"`, `"id"`, `"text"` (captions), `"label"`, and
    `"boxes"`, `"classes"` and `"colours"` of what is visible, the object
    first.

    Args:
        size: Int, number of records.
        seed: Int.
        image_size: Int, side of the pictures in pixels.
        split: `"train"` or `"test"`, which share no picture.
        captions: Bool, whether records have `"text"`.

    Example:

    >>> objects = keras_ab.data.Objects(size=100)
    >>> record = objects[0]
    >>> record["image"].shape, objects.class_names[record["label"]]
    """

    def __init__(
        self,
        size: int = 20000,
        seed: int = 0,
        image_size: int = 96,
        split: str = "train",
        captions: bool = True,
    ):
        check_source(size, image_size, split)
        self.size = size
        self.seed = seed
        self.image_size = image_size
        self.split = split
        self.captions = captions

    class_names = CLASSES
    never_fails = True

    @staticmethod
    def prompts() -> list[str]:
        """One caption a class, in the order of the labels."""
        return [describe(index) for index in range(len(CLASSES))]

    def __len__(self) -> int:
        return self.size

    @property
    def fields(self) -> frozenset[str]:
        fields = {"image", "id", "label", "boxes", "classes", "colours"}
        return frozenset(fields | {"text"} if self.captions else fields)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < self.size:
            raise IndexError(f"{index} is not in [0, {self.size})")
        rng = np.random.default_rng(
            [self.seed, SPLITS.index(self.split), index, STREAM]
        )
        layout = sample_object(rng)
        image, visible = render(layout, self.image_size, rng)
        things, boxes = visible_things(layout.things, visible, self.image_size)
        main = layout.things[0]
        record = {
            "image": image,
            "id": f"objects-{self.split}-{self.seed}-{index:06d}",
            "label": main.index,
            "boxes": boxes,
            "classes": np.array([t.index for t in things]),
            "colours": np.array([t.colour for t in things]),
        }
        if self.captions:
            told = describe(main.index, main.colour, main.texture)
            record["text"] = [told, *write_captions([main], main, rng, 1)]
        return record


def sample_object(rng: np.random.Generator) -> Layout:
    """Draws one large thing, and small ones around it.

    Args:
        rng: A `np.random.Generator`.

    Returns:
        A `Layout`, whose first thing is the large one.
    """
    layout = empty_layout(rng)
    # Anything from open ground to a bare wall.
    layout.horizon = float(rng.uniform(0.3, 1.1))
    layout.things.append(_large(rng, layout))
    for _ in range(int(rng.integers(4))):
        thing = _small(rng, layout)
        boxes = [other.box() for other in layout.things]
        if (
            thing.index != layout.things[0].index
            and overlap(thing, boxes) < 0.3
        ):
            thing.order = len(layout.things)
            layout.things.append(thing)
    return layout


def _large(rng, layout):
    index = int(rng.integers(len(CLASSES)))
    aspect = float(np.exp(rng.uniform(-0.25, 0.25)))
    top, left, bottom, right = template(index)[2]
    longer = max(bottom - top, (right - left) * aspect)
    thing = Thing(
        index=index,
        colour=_colour(rng, layout),
        texture=int(rng.integers(len(TEXTURES))),
        depth=1.0,
        x=float(rng.uniform(0.4, 0.6)),
        y=float(rng.uniform(0.4, 0.6)),
        size=float(rng.uniform(0.45, 0.8)) * 2 / longer,
        aspect=aspect,
        angle=float(rng.uniform(-0.5, 0.5)),
        flip=bool(rng.random() < 0.5),
    )
    # The silhouette in the middle, not the square that it is drawn in.
    ymin, xmin, ymax, xmax = thing.box()
    thing.x += thing.x - (xmin + xmax) / 2
    thing.y += thing.y - (ymin + ymax) / 2
    return thing


def _small(rng, layout):
    return Thing(
        index=int(rng.integers(len(CLASSES))),
        colour=_colour(rng, layout),
        texture=0,
        depth=float(rng.uniform(1.5, 2.0)),
        x=float(rng.uniform(0.05, 0.95)),
        y=float(rng.uniform(0.05, 0.95)),
        size=float(rng.uniform(0.12, 0.22)),
        aspect=1.0,
        angle=float(rng.uniform(-0.3, 0.3)),
        flip=bool(rng.random() < 0.5),
    )


def _colour(rng, layout):
    """Any colour that stands out from wall and ground."""
    choices = np.intersect1d(
        contrasting(layout.back), contrasting(layout.front)
    )
    return int(choices[int(rng.integers(len(choices)))])
