"""Captions that name the action."""

from collections.abc import Sequence

import numpy as np

from keras_ab.data.scenes.captions import describe
from keras_ab.data.scenes.captions import write_captions
from keras_ab.data.scenes.layout import Thing
from keras_ab.data.video.actions import VERBS
from keras_ab.data.video.actions import third_person


def describe_action(
    verb: int, noun: int, colour: int | None = None, texture: int | None = None
) -> str:
    """The caption of an action.

    Args:
        verb: Int, an index into `VERBS`.
        noun: Int, the class of what is acted on.
        colour: Int, its colour, or None.
        texture: Int, its texture, or None.

    Returns:
        A string such as `"someone lifts a red cup"`.

    Example:

    >>> keras_ab.data.video.describe_action(0, 0)
    # "someone lifts a cup"
    """
    doing = third_person(VERBS[verb])
    return f"someone {doing} {describe(noun, colour, texture)}"


def write_action_captions(
    verb: int, things: Sequence[Thing], main: Thing, rng: np.random.Generator
) -> list[str]:
    """Captions of a frame, two about the action and two about the scene.

    Args:
        verb: Int, an index into `VERBS`.
        things: List of the visible `Thing`s.
        main: The `Thing` that is acted on.
        rng: A `np.random.Generator`.

    Returns:
        A list of strings.
    """
    # Should the camera lose everything, the action is still told.
    told, *others = write_captions(things or [main], main, rng, 3)
    doing = third_person(VERBS[verb])
    subject = "someone" if rng.random() < 0.5 else "a hand"
    first = describe_action(verb, main.index, main.colour)
    return [first, f"{subject} {doing} {told}", *others]
