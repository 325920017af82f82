"""Records with answers, and tokens that know them or know nothing."""

import numpy as np

GRID = 12
"""Boxes end on a grid, so that few coordinates have to be learnt."""

CLASSES = 5


def records(count, most=2, seed=0):
    """Records with labels, boxes and questions, which are independent."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(count):
        n = int(rng.integers(1, most + 1))
        sides = rng.integers(2, 7, (n, 2))
        low = rng.integers(0, GRID + 1 - sides)
        boxes = np.concatenate([low, low + sides], 1) / GRID
        found.append(
            {
                "id": f"{seed}/{i}",
                "label": int(rng.integers(CLASSES)),
                "count": int(rng.integers(3, 7)),
                "depth": float(rng.uniform(1, 2)),
                "verb": int(rng.integers(3)),
                "noun": int(rng.integers(4)),
                "boxes": boxes,
                "classes": rng.integers(0, CLASSES, n),
                "size": (96, 96),
                "text": [f"word{rng.integers(4)} word{rng.integers(4)} end"],
            }
        )
    return found


def told(record):
    """A one-hot code of each single answer of a record, `(6, 8)`."""
    depth = min(int((record["depth"] - 1) * 4), 3)
    values = (
        record["label"],
        record["count"],
        depth,
        record["verb"],
        record["noun"],
        0,
    )
    return np.eye(8, dtype="float32")[list(values)]


def seen(record, slots, rng):
    """A token for each thing of a record, in any order: box and class."""
    tokens = np.zeros((slots, 4 * (GRID + 1) + CLASSES + 1), "float32")
    places = rng.permutation(slots)
    for place, box, label in zip(places, record["boxes"], record["classes"]):
        bins = np.round(box * GRID).astype(int)
        tokens[place, np.arange(4) * (GRID + 1) + bins] = 1
        tokens[place, 4 * (GRID + 1) + label] = 1
        tokens[place, -1] = 1
    return tokens


def oracle(found, slots=2):
    """Tokens of things of all records."""
    rng = np.random.default_rng(1)
    return np.stack([seen(record, slots, rng) for record in found])


def noise(count, seed=0):
    """Tokens that know nothing."""
    rng = np.random.default_rng([7, seed])
    return rng.normal(size=(count, 4, 8)).astype("float32")
