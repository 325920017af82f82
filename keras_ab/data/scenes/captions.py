"""Captions: what is there, how it looks, and where it stands."""

from collections.abc import Sequence

import numpy as np

from keras_ab.data.scenes.layout import COLOURS
from keras_ab.data.scenes.layout import TEXTURES
from keras_ab.data.scenes.layout import Thing
from keras_ab.data.scenes.shapes import CLASSES

COLOUR_NAMES = tuple(COLOURS)


def describe(
    index: int, colour: int | None = None, texture: int | None = None
) -> str:
    """The caption of one object.

    Args:
        index: Int, the class.
        colour: Int, the colour, or None.
        texture: Int, the texture, or None; 0 is plain and not told.

    Returns:
        A string such as `"a red cup"`.

    Example:

    >>> keras_ab.data.scenes.describe(0)
    # "a cup"
    """
    words = [CLASSES[index]]
    if texture:
        words.insert(0, TEXTURES[texture])
    if colour is not None:
        words.insert(0, COLOUR_NAMES[colour])
    return _with_article(words)


def write_captions(
    things: Sequence[Thing],
    main: Thing,
    rng: np.random.Generator,
    count: int = 4,
) -> list[str]:
    """Short captions of a scene, each of one to three of its objects.

    Args:
        things: List of the visible `Thing`s.
        main: The main `Thing`, which the first caption names.
        rng: A `np.random.Generator`.
        count: Int, captions to write.

    Returns:
        A list of strings.
    """
    captions = [_phrase(main, rng)]
    others = [thing for thing in things if thing is not main]
    while len(captions) < count:
        kind = rng.random()
        if not others or kind < 0.5:
            captions.append(
                _phrase(things[int(rng.integers(len(things)))], rng)
            )
        elif kind < 0.85 or len(things) < 3:
            a, b = _pair(things, main, rng)
            relation = _relation(a, b, rng)
            captions.append(f"{_phrase(a, rng)} {relation} {_phrase(b, rng)}")
        else:
            chosen = rng.permutation(len(things))[:3]
            a, b, c = (_phrase(things[int(i)], rng) for i in chosen)
            captions.append(f"{a}, {b} and {c}")
    return captions


def _pair(things, main, rng):
    """Two things; half of the time one is the main object."""
    first, second = (things[int(i)] for i in rng.permutation(len(things))[:2])
    if rng.random() < 0.5 and main is not second:
        first = main
    return first, second


def _phrase(thing, rng):
    """A thing with some of its attributes."""
    words = [CLASSES[thing.index]]
    if thing.texture and rng.random() < 0.4:
        words.insert(0, TEXTURES[thing.texture])
    if rng.random() < 0.5:
        words.insert(0, COLOUR_NAMES[thing.colour])
    if rng.random() < 0.25:
        if thing.size > 0.36:
            words.insert(0, "big")
        elif thing.size < 0.2:
            words.insert(0, "small")
    return _with_article(words)


def _with_article(words):
    article = "an" if words[0][0] in "aeiou" else "a"
    return " ".join([article, *words])


def _relation(a, b, rng):
    """How a stands to b."""
    if a.support == b.order:
        return "on"
    if b.support == a.order:
        return "under"
    choices = ["next to"]
    across, down = a.x - b.x, a.y - b.y
    if abs(across) > 0.15:
        choices.append("left of" if across < 0 else "right of")
    if abs(down) > 0.2:
        choices.append("above" if down < 0 else "below")
    if b.depth - a.depth > 0.6:
        choices.append("in front of")
    if a.depth - b.depth > 0.6:
        choices.append("behind")
    return choices[int(rng.integers(len(choices)))]
