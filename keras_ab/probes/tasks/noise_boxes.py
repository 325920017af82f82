"""Boxes that hold nothing, which training answers are filled up with."""

import numpy as np

NOISE = "noise"
"""The word for the class of a box that holds nothing."""

THINNEST = 0.02


def noise_boxes(
    boxes: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Half of them anywhere, half of them real ones that are displaced.

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
    # Displaced by up to its own size, and up to half as large again.
    sides = (chosen[:, 2:] - chosen[:, :2]) * rng.uniform(0.5, 1.5, (count, 2))
    sides = np.clip(sides, THINNEST, 1.0)
    centres = (chosen[:, :2] + chosen[:, 2:]) / 2
    centres += rng.uniform(-1.0, 1.0, (count, 2)) * sides
    low = np.clip(centres - sides / 2, 0.0, 1.0 - sides)
    displaced = np.concatenate([low, low + sides], 1)
    return np.where(rng.random((count, 1)) < 0.5, displaced, anywhere)


def _placed(places, sides):
    low = places * (1.0 - sides)
    return np.concatenate([low, low + sides], 1)
