"""The scenes as a source of records."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.data.scenes.captions import describe
from keras_ab.data.scenes.captions import write_captions
from keras_ab.data.scenes.layout import Thing
from keras_ab.data.scenes.layout import sample_layout
from keras_ab.data.scenes.render import render
from keras_ab.data.scenes.shapes import CLASSES
from keras_ab.data.source import Source
from keras_ab.typing import Box

SPLITS = ("train", "test")
VISIBLE = 0.3
"""Share of an object's pixels that must show for it to be annotated."""


class Scenes(Source):
    """Generated pictures of scenes, without a download.

    Each picture has 3 to 10 objects of `keras_ab.data.scenes.CLASSES` in a
    scene whose type is hidden but governs what occurs together, where, and in
    which palette: what lies outside a crop can be guessed from what is
    inside. Record i is a pure function of `(seed, split, i)`.

    Records hold `"image"`, `"id"`, `"text"` (captions), `"label"` (class of
    the main object, the nearest and largest), `"boxes"`, `"classes"` and
    `"colours"` of the visible objects, `"count"` of them, `"depth"` of the
    nearest, and `"scene_type"`.

    Args:
        size: Int, number of records.
        seed: Int.
        image_size: Int, side of the pictures in pixels.
        split: `"train"` or `"test"`, which share no picture.
        captions: Bool, whether records have `"text"`.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=100)
    >>> scenes[0]["image"].shape, scenes[0]["text"][0]
    # (96, 96, 3), a caption
    >>> captioned, unlabelled = scenes.subset(slice(10)), scenes
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
        fields = {
            "image",
            "id",
            "label",
            "boxes",
            "classes",
            "colours",
            "count",
            "depth",
            "scene_type",
        }
        return frozenset(fields | {"text"} if self.captions else fields)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < self.size:
            raise IndexError(f"{index} is not in [0, {self.size})")
        rng = np.random.default_rng(
            [self.seed, SPLITS.index(self.split), index]
        )
        layout = sample_layout(rng)
        image, visible = render(layout, self.image_size, rng)
        things, boxes = visible_things(layout.things, visible, self.image_size)
        main = layout.things[0]
        record = {
            "image": image,
            "id": f"scenes-{self.split}-{self.seed}-{index:06d}",
            "label": main.index,
            "boxes": boxes,
            "classes": np.array([t.index for t in things]),
            "colours": np.array([t.colour for t in things]),
            "count": len(things),
            "depth": min(t.depth for t in things),
            "scene_type": layout.scene_type,
        }
        if self.captions:
            record["text"] = write_captions(things, main, rng)
        return record


def check_source(size: int, image_size: int, split: str) -> None:
    """Checks what the built-in sets have in common.

    Raises:
        ValueError: If one of the values is not accepted.
    """
    if split not in SPLITS:
        raise ValueError(
            f"`split` must be one of {SPLITS}. Received: {split!r}"
        )
    if size < 1 or image_size < 16:
        raise ValueError(
            "`size` must be positive and `image_size` at least 16. "
            f"Received: size={size}, image_size={image_size}"
        )


def visible_things(
    things: Sequence[Thing],
    visible: Sequence[tuple[float, Box | None]],
    image_size: int,
) -> tuple[list[Thing], np.ndarray]:
    """Those things of which enough can be seen.

    Args:
        things: List of `Thing`s.
        visible: What `paint_things` returns for them.
        image_size: Int, side of the picture in pixels.

    Returns:
        A list of `Thing`s; and their boxes, float32 `(n, 4)`, normalised.
    """
    seen, boxes = [], []
    for thing, (share, box) in zip(things, visible):
        if share >= VISIBLE:
            seen.append(thing)
            boxes.append(np.array(box, "float32") / image_size)
    return seen, np.array(boxes, "float32").reshape(-1, 4)
