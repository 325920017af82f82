"""A finding: its runs, what is claimed of them, and how it is shown."""

import dataclasses
from collections.abc import Callable

import numpy as np

SEEDS = (0, 1, 2)


@dataclasses.dataclass(frozen=True)
class Claim:
    """One sentence of the paper, as a number.

    Args:
        name: String.
        figure: String, what the effect is measured in; seeds of equal figures
            are taken to differ alike.
        effect: Callable from `(get, seed)` to a float, or to floats of shape
            `(B,)` whose mean it is; positive in the paper's direction. `get`
            is `findings.store.Store.get`.
        seeds: Tuple of ints.
    """

    name: str
    figure: str
    effect: Callable
    seeds: tuple = (0,)


@dataclasses.dataclass(frozen=True)
class Table:
    """Figures of several methods, in the paper's layout.

    Args:
        title: String.
        rows: Dict from labels to pairs of a `Run` and its seeds.
        columns: Dict from headings to figures, `"TASK/PROBE"`.
    """

    title: str
    rows: dict
    columns: dict


@dataclasses.dataclass(frozen=True)
class Finding:
    """A question about the paper, and what answers it.

    Args:
        name: String, as the commands call it.
        title: String.
        paper: String, what the paper says.
        runs: Tuple of `Run`s, with all of their seeds.
        claims: Tuple of `Claim`s.
        tables: Tuple of `Table`s.
        draw: Callable from `(get, path)`, which draws a plot, or None.
        lacks: String, what of the paper's finding is not asked; or empty.
    """

    name: str
    title: str
    paper: str
    runs: tuple
    claims: tuple
    tables: tuple = ()
    draw: Callable | None = None
    lacks: str = ""


def seeded(runs, seeds):
    """Runs with each of several seeds.

    Args:
        runs: Iterable of `Run`s.
        seeds: Iterable of ints.

    Returns:
        Tuple of `Run`s.
    """
    return tuple(run.seeded(seed) for run in runs for seed in seeds)


def difference(ours, base, figure):
    """The effect of one run over another.

    Args:
        ours: A `Run`, of any seed.
        base: A `Run`.
        figure: String, `"TASK/PROBE"`.

    Returns:
        Callable, as `Claim.effect`.
    """

    def effect(get, seed):
        one, other = (get(r.seeded(seed)).result(figure) for r in (ours, base))
        for what in ("settings", "data", "crop"):
            if getattr(one, what) != getattr(other, what):
                raise ValueError(
                    f"{figure} of {ours.title} and of {base.title} was not "
                    f"measured alike: their {what} differ."
                )
        one, other = one.outcomes[0], other.outcomes[0]
        if one.per_example is None or other.per_example is None:
            return one.value - other.value
        return np.asarray(one.per_example) - np.asarray(other.per_example)

    return effect


def contrast(first, second):
    """How much larger one effect is than another.

    Args:
        first: Callable, as `Claim.effect`.
        second: Callable.

    Returns:
        Callable.
    """

    def effect(get, seed):
        one, other = first(get, seed), second(get, seed)
        if np.shape(one) == np.shape(other):
            return one - other
        return float(np.mean(one) - np.mean(other))

    return effect


def mean(*effects):
    """The mean of effects on the same examples.

    Args:
        *effects: Callables, as `Claim.effect`.

    Returns:
        Callable.
    """

    def effect(get, seed):
        found = [one(get, seed) for one in effects]
        if len({np.shape(one) for one in found}) == 1:
            return np.mean(found, axis=0)
        return float(np.mean([np.mean(one) for one in found]))

    return effect


def over(ours, base, figure, name, seeds=(0,)):
    """The claim that one run is better than another.

    Args:
        ours: A `Run`.
        base: A `Run`.
        figure: String, `"TASK/PROBE"`.
        name: String, both methods' names.
        seeds: Tuple of ints.

    Returns:
        A `Claim`.
    """
    return Claim(
        f"{name}, {figure}", figure, difference(ours, base, figure), seeds
    )
