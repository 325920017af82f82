"""Which things occur together, and where: the hidden structure of scenes."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Slot:
    """A role in a scene that objects can play.

    Args:
        name: Class name.
        place: `"floor"`, `"wall"`, `"air"`, `"water"`, or `"on NAME"` and
            `"above NAME"` relative to another class of the scene; these fall
            back to `"floor"` and `"air"` where that is absent.
        weight: Float, how often it occurs relative to the other slots.
        x: Range of its centre, 0 left to 1 right.
        limit: Int, how many of them a scene can have.
    """

    name: str
    place: str
    weight: float = 1.0
    x: tuple = (0.1, 0.9)
    limit: int = 2

    @property
    def high(self) -> bool:
        """Whether it is found above the ground: on a wall or in the air."""
        return self.place.split()[0] in ("wall", "air", "above")


@dataclasses.dataclass(frozen=True)
class SceneType:
    """A kind of scene.

    Args:
        name: Its name, which no caption gives away.
        slots: Tuple of `Slot`.
        back: Indices of the colours that its background tends to.
        front: Indices of the colours that its ground tends to.
    """

    name: str
    slots: tuple
    back: tuple
    front: tuple


SCENE_TYPES = (
    SceneType(
        "kitchen",
        (
            Slot("table", "floor", 2.0, (0.3, 0.7), 1),
            Slot("cup", "on table", 2.0, limit=3),
            Slot("bottle", "on table", 1.5),
            Slot("lamp", "above table", 1.0, limit=1),
            Slot("clock", "wall", 1.0, (0.6, 0.95), 1),
            Slot("chair", "floor", 1.0, (0.05, 0.4)),
        ),
        (2, 8, 6),
        (8, 1, 5),
    ),
    SceneType(
        "street",
        (
            Slot("house", "floor", 1.5, (0.1, 0.5)),
            Slot("car", "floor", 2.0, (0.3, 0.9), 3),
            Slot("bus", "floor", 1.0, (0.5, 0.9)),
            Slot("sign", "floor", 1.2, (0.6, 0.95)),
            Slot("tree", "floor", 0.8, (0.05, 0.4)),
            Slot("bird", "air", 0.6),
        ),
        (4, 7, 0),
        (0, 8, 1),
    ),
    SceneType(
        "beach",
        (
            Slot("umbrella", "floor", 1.8, (0.1, 0.6), 3),
            Slot("palm", "floor", 1.2, (0.02, 0.3)),
            Slot("star", "floor", 1.2, (0.3, 0.9), 3),
            Slot("boat", "water", 1.0, (0.5, 0.95)),
            Slot("bird", "air", 0.8, limit=3),
        ),
        (4, 3, 2),
        (2, 1, 8),
    ),
    SceneType(
        "garden",
        (
            Slot("flower", "floor", 2.2, limit=4),
            Slot("bench", "floor", 1.2, (0.3, 0.8), 1),
            Slot("butterfly", "air", 1.5, limit=3),
            Slot("tree", "floor", 1.0, (0.6, 0.98)),
            Slot("bird", "on bench", 0.8),
        ),
        (4, 3, 7),
        (3, 2, 8),
    ),
    SceneType(
        "study",
        (
            Slot("table", "floor", 1.5, (0.3, 0.7), 1),
            Slot("computer", "on table", 1.8),
            Slot("book", "on table", 2.0, limit=3),
            Slot("lamp", "on table", 1.0, limit=1),
            Slot("chair", "floor", 1.0, (0.6, 0.95)),
            Slot("clock", "wall", 0.8, (0.05, 0.4), 1),
        ),
        (5, 0, 3),
        (8, 5, 0),
    ),
    SceneType(
        "bedroom",
        (
            Slot("bed", "floor", 2.2, (0.3, 0.8), 1),
            Slot("book", "on bed", 1.0),
            Slot("lamp", "floor", 1.3, (0.05, 0.3), 2),
            Slot("guitar", "floor", 0.8, (0.75, 0.95), 1),
            Slot("clock", "wall", 1.0, (0.3, 0.7), 1),
            Slot("moon", "wall", 1.0, (0.65, 0.95), 1),
        ),
        (6, 7, 5),
        (8, 6, 7),
    ),
    SceneType(
        "harbour",
        (
            Slot("boat", "water", 2.0, (0.3, 0.95), 3),
            Slot("lighthouse", "floor", 1.6, (0.03, 0.35), 1),
            Slot("fish", "floor", 1.5, limit=3),
            Slot("anchor", "floor", 1.5, (0.5, 0.95)),
            Slot("bird", "air", 0.5, limit=3),
        ),
        (4, 5, 0),
        (5, 3, 4),
    ),
    SceneType(
        "space",
        (
            Slot("rocket", "air", 1.8),
            Slot("planet", "air", 1.8, (0.5, 0.95)),
            Slot("moon", "air", 1.2, (0.05, 0.4), 1),
            Slot("star", "air", 1.8, limit=4),
            Slot("house", "floor", 0.5, (0.2, 0.8)),
        ),
        (5, 6, 0),
        (0, 6, 8),
    ),
    SceneType(
        "stage",
        (
            Slot("guitar", "floor", 1.8, (0.1, 0.45)),
            Slot("drum", "floor", 1.8, (0.5, 0.9), 3),
            Slot("chair", "floor", 1.0, (0.3, 0.7)),
            Slot("sign", "wall", 0.8, (0.3, 0.7), 1),
            Slot("star", "air", 1.0),
        ),
        (0, 6, 7),
        (1, 7, 0),
    ),
)
"""The scene types; a record's `"scene_type"` is an index into this."""
