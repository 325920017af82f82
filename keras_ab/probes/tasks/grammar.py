"""What may stand where in an answer."""

import dataclasses

from keras_ab.probes.tasks.task import COORDINATES


@dataclasses.dataclass(frozen=True)
class Slot:
    """One place of an answer.

    Args:
        words: Words that may stand here.
        coordinates: `(first, last)` bins that may stand here, or None.
        above: Int, how many tokens before this one stands the coordinate
            that a coordinate here must exceed; 0 for none.
        end: Bool, whether the answer may end before this place.
    """

    words: tuple[str, ...] = ()
    coordinates: tuple[int, int] | None = None
    above: int = 0
    end: bool = False


@dataclasses.dataclass(frozen=True)
class Grammar:
    """The places of an answer, after the last of which it ends.

    Args:
        slots: `Slot`s, of which the first cannot be left out.

    Raises:
        ValueError: If there is none, one lets nothing stand, or the first may
            be left out.
    """

    slots: tuple[Slot, ...]

    def __post_init__(self) -> None:
        if not self.slots or self.slots[0].end:
            raise ValueError(
                "A grammar needs a slot, of which the first does not end. "
                f"Received: {self.slots[:1]}"
            )
        for slot in set(self.slots):
            if not slot.words and slot.coordinates is None:
                raise ValueError(f"Nothing may stand in {slot}")


LAST = COORDINATES - 1

BOX = (
    # Neither the last row nor the last column can begin a box.
    Slot(coordinates=(0, LAST - 1)),
    Slot(coordinates=(0, LAST - 1)),
    Slot(coordinates=(0, LAST), above=2),
    Slot(coordinates=(0, LAST), above=2),
)
"""Slots of a box: ymin, xmin, ymax, xmax."""
