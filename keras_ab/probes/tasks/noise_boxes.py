"""Boxes that hold nothing, which training answers are filled up with."""

import numpy as np

NOISE = "noise"
"""The word for the class of a box that holds nothing."""

THINNEST = 0.02


def noise_boxes(
    boxes: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Repeats of real boxes, near and displaced ones, and any: a quarter each.

    In an answer they stand after what is there, where a box that was named
    before holds nothing: without repeats a decoder would learn that whatever
    looks like a thing is one, and name it twice with the same certainty.

    Args:
        boxes: Floats of shape `(n, 4)`, the real ones, normalised.
        count: Int, how many to draw.
        rng: A `np.random.Generator`.

    Returns:
        Floats of shape `(count, 4)`, within the picture, each with an area.

    Reference:
        pix2seq (Chen et al. 2022), sequence augmentation.
    """
    sides = rng.uniform(THINNEST, 1.0, (count, 2))
    anywhere = _placed(rng.random((count, 2)), sides)
    if not len(boxes):
        return anywhere
    chosen = np.asarray(boxes, "float64")[rng.integers(len(boxes), size=count)]
    near = _changed(chosen, 0.05, 0.05, rng)
    # By up to its own size, and up to half as large again.
    displaced = _changed(chosen, 1.0, 0.5, rng)
    kind = rng.integers(4, size=(count, 1))
    return np.select(
        [kind == 0, kind == 1, kind == 2], [chosen, near, displaced], anywhere
    )


def _changed(boxes, shift, stretch, rng):
    """Boxes moved by a share of their sides, which are stretched first."""
    sides = boxes[:, 2:] - boxes[:, :2]
    centres = boxes[:, :2] + sides / 2
    sides = sides * rng.uniform(1 - stretch, 1 + stretch, sides.shape)
    sides = np.clip(sides, THINNEST, 1.0)
    centres = centres + rng.uniform(-shift, shift, sides.shape) * sides
    low = np.clip(centres - sides / 2, 0.0, 1.0 - sides)
    return np.concatenate([low, low + sides], 1)


def _placed(places, sides):
    low = places * (1.0 - sides)
    return np.concatenate([low, low + sides], 1)
