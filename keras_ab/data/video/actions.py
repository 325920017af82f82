"""What can be done to which things, and how that looks."""

import dataclasses
import math

import numpy as np

from keras_ab.data.scenes.layout import Thing
from keras_ab.data.video.hand import Limb
from keras_ab.data.video.hand import Person
from keras_ab.data.video.hand import place_hand

USES = {
    "cup": {"lift": 3, "hold": 2, "drop": 2, "turn": 1},
    "bottle": {"lift": 2, "hold": 2, "turn": 2, "drop": 1},
    "table": {"push": 2, "pull": 2, "touch": 1},
    "lamp": {"touch": 2, "turn": 2, "pull": 1},
    "chair": {"pull": 3, "push": 2, "lift": 1},
    "clock": {"turn": 2, "touch": 2, "hold": 1},
    "book": {"hold": 3, "lift": 2, "drop": 2},
    "computer": {"touch": 3, "turn": 1, "push": 1},
    "car": {"push": 3, "pull": 1, "touch": 1},
    "bus": {"push": 2, "pull": 2},
    "sign": {"turn": 2, "touch": 2, "push": 1},
    "bench": {"push": 2, "pull": 2, "touch": 1},
    "flower": {"hold": 2, "lift": 2, "touch": 2},
    "bird": {"hold": 2, "touch": 1, "drop": 1},
    "butterfly": {"touch": 2, "hold": 2},
    "boat": {"push": 2, "pull": 2, "turn": 1},
    "fish": {"drop": 2, "hold": 2, "lift": 1},
    "star": {"lift": 2, "turn": 2, "drop": 1},
    "umbrella": {"hold": 2, "turn": 2, "lift": 1},
    "anchor": {"drop": 3, "pull": 2, "lift": 1},
    "guitar": {"hold": 2, "lift": 2, "touch": 1},
    "drum": {"touch": 2, "lift": 2, "turn": 1},
    "bed": {"push": 2, "pull": 1, "touch": 1},
    "rocket": {"lift": 2, "push": 2, "turn": 1},
    "moon": {"turn": 2, "touch": 2, "hold": 1},
    "planet": {"turn": 3, "push": 1, "hold": 1},
}
"""How often each verb goes with each noun; other things are left alone."""


@dataclasses.dataclass(frozen=True)
class Action:
    """One action, from the first frame to the last.

    Args:
        verb: Int, an index into `VERBS`.
        amount: Float in [0, 1], how far it goes.
        side: -1 or 1, to the left or to the right.
        lean: Float in [-1, 1], the slant of the arm.
        offset: Pair of floats in [-1, 1], where exactly the hand touches.
        person: A `Person`.
    """

    verb: int
    amount: float
    side: int
    lean: float
    offset: tuple
    person: object


def sample_action(
    rng: np.random.Generator, noun: str, person: Person
) -> Action:
    """Draws what is done to a thing.

    Args:
        rng: A `np.random.Generator`.
        noun: String, a key of `USES`.
        person: A `Person`.

    Returns:
        An `Action`.
    """
    uses = USES[noun]
    names, weights = list(uses), list(uses.values())
    chances = [weight / sum(weights) for weight in weights]
    verb = names[int(rng.choice(len(names), p=chances))]
    return Action(
        verb=VERBS.index(verb),
        amount=float(rng.random()),
        side=1 if rng.random() < 0.5 else -1,
        lean=float(rng.uniform(-1, 1)),
        offset=(float(rng.uniform(-1, 1)), float(rng.uniform(-1, 1))),
        person=person,
    )


def act(action: Action, thing: Thing, time: float) -> tuple[Thing, list[Limb]]:
    """A thing and a hand at some time of an action.

    Args:
        action: An `Action`.
        thing: The `Thing` that is acted on, as it was.
        time: Float, 0 begin to 1 end.

    Returns:
        The `Thing` as it is now, and a list of `Limb`s.
    """
    return tuple(_ACTIONS.values())[action.verb](action, thing, time)


def _smooth(time):
    """From 0 to 1, slowly at both ends."""
    time = min(max(time, 0.0), 1.0)
    return time * time * (3 - 2 * time)


def _hand(action, pose, x, y, angle, depth):
    return place_hand(pose, x, y, angle, depth, action.person)


def _front(thing):
    return thing.depth - 0.01


def _lift(action, thing, time):
    """Off its support, on a palm."""
    rise = (0.45 + 0.4 * action.amount) * thing.size * _smooth(time)
    moved = dataclasses.replace(
        thing, y=thing.y - rise, angle=0.08 * action.lean, support=-1
    )
    _, left, bottom, right = moved.box()
    x = (left + right) / 2 + 0.1 * action.offset[0] * (right - left)
    return moved, _hand(
        action, "flat", x, bottom - 0.01, 0.35 * action.lean, thing.depth + 0.01
    )


def _push(action, thing, time):
    """Away from the palm at its side."""
    way = (0.3 + 0.3 * action.amount) * thing.size
    moved = dataclasses.replace(
        thing,
        x=thing.x + action.side * way * (_smooth(time) - 0.5),
        angle=thing.angle + 0.08 * action.side,
    )
    top, left, bottom, right = moved.box()
    x = left if action.side > 0 else right
    y = (top + bottom) / 2 + 0.25 * action.offset[1] * (bottom - top)
    angle = action.side * math.pi / 2 + 0.35 * action.lean
    return moved, _hand(action, "flat", x, y, angle, _front(thing))


def _pull(action, thing, time):
    """Towards the fist at its side, and leaning."""
    way = (0.3 + 0.3 * action.amount) * thing.size
    moved = dataclasses.replace(
        thing,
        x=thing.x + action.side * way * (_smooth(time) - 0.5),
        angle=thing.angle + 0.22 * action.side,
    )
    top, left, bottom, right = moved.box()
    x = right if action.side > 0 else left
    y = (top + bottom) / 2 + 0.25 * action.offset[1] * (bottom - top)
    angle = -action.side * math.pi / 2 + 0.35 * action.lean
    return moved, _hand(
        action, "grip", x - 0.02 * action.side, y, angle, _front(thing)
    )


def _turn(action, thing, time):
    """Tilted by a fist at its upper edge, which goes along."""
    turned = action.side * (1.5 + 0.8 * action.amount) * _smooth(time)
    moved = dataclasses.replace(thing, angle=thing.angle + turned, support=-1)
    top, left, bottom, right = thing.box()
    around = turned + 0.3 * action.offset[0]
    reach_x, reach_y = 0.42 * (right - left), 0.42 * (bottom - top)
    # Between the two half axes, as the thing itself is turned.
    reach = math.hypot(reach_x * math.sin(around - turned), reach_y)
    x = (left + right) / 2 + reach * math.sin(around)
    y = (top + bottom) / 2 - reach * math.cos(around)
    angle = math.pi + around + 0.4 * action.lean
    return moved, _hand(action, "grip", x, y, angle, _front(thing))


def _touch(action, thing, time):
    """As it was, with a finger on it."""
    top, left, bottom, right = thing.box()
    angle = 1.3 * action.lean
    # Near first, then on it.
    away = 0.25 * (1 - _smooth(2.5 * time)) + 0.02 * math.sin(12 * time)
    x = (left + right) / 2 + 0.25 * action.offset[0] * (right - left)
    y = (top + bottom) / 2 + 0.25 * action.offset[1] * (bottom - top)
    x, y = x - away * math.sin(angle), y + away * math.cos(angle)
    return thing, _hand(action, "point", x, y, angle, _front(thing))


def _hold(action, thing, time):
    """Close to the camera, in a fist."""
    scale = 1.15 + 0.3 * action.amount
    moved = dataclasses.replace(
        thing,
        size=thing.size * scale,
        y=thing.y - (0.12 + 0.03 * math.sin(5 * time)) * thing.size,
        angle=0.25 * math.sin(4 * time + 3 * action.lean),
        support=-1,
    )
    top, left, bottom, right = moved.box()
    x = (left + right) / 2 + 0.2 * action.offset[0] * (right - left)
    y = bottom - 0.12 * (bottom - top)
    return moved, _hand(action, "grip", x, y, 0.5 * action.lean, _front(thing))


def _drop(action, thing, time):
    """In the air, below fingers that have let go."""
    height = (0.5 + 0.3 * action.amount) * thing.size
    fallen = _smooth(time)
    moved = dataclasses.replace(
        thing,
        y=thing.y - height * (1 - fallen),
        angle=thing.angle + 0.7 * action.side * fallen,
        support=-1,
    )
    top, left, _, right = thing.box()
    x = (left + right) / 2 + 0.15 * action.offset[0] * (right - left)
    angle = math.pi + 0.4 * action.lean
    return moved, _hand(
        action, "open", x, top - height - 0.02, angle, _front(thing)
    )


_ACTIONS = {
    "lift": _lift,
    "push": _push,
    "pull": _pull,
    "turn": _turn,
    "touch": _touch,
    "hold": _hold,
    "drop": _drop,
}
VERBS = tuple(_ACTIONS)
"""Names of the verbs; their order gives the verb indices."""


def third_person(verb: str) -> str:
    """The verb of a sentence about someone: `"lift"` becomes `"lifts"`."""
    return verb + ("es" if verb.endswith(("sh", "ch")) else "s")
