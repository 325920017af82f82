"""A finding: its runs, what is claimed of them, and how it is shown."""

import dataclasses
from collections.abc import Callable

from findings.effect import difference

SEEDS = (0, 1, 2)


@dataclasses.dataclass(frozen=True)
class Claim:
    """One sentence of the paper, as a number.

    Args:
        name: String.
        figure: String, what the effect is measured in; seeds of equal figures
            are taken to differ alike.
        effect: Callable from `(get, seed)` to a `findings.effect.Effect` or a
            float, positive in the paper's direction. `get` is
            `findings.store.Store.get`.
        seeds: Tuple of ints.
        points: Bool, whether the effect is one of accuracies, which are said
            in points of a hundred.
    """

    name: str
    figure: str
    effect: Callable
    seeds: tuple = (0,)
    points: bool = True


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
        claims: Tuple of `Claim`s; none for what is only drawn.
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
