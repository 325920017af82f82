"""Figure 4, right: what the value function learns first."""

import numpy as np

from findings import methods
from findings.finding import SEEDS
from findings.finding import Claim
from findings.finding import Finding
from findings.finding import seeded
from keras_ab import analysis

ENOUGH = 200
"""Pairs of views that an accuracy is of, at least."""


def finding(budget):
    """What a run saw of itself: near actions before far ones."""
    ours, dino = methods.ABCLIP, methods.ABDINO

    def near_first(run):
        def effect(get, seed):
            found = get(run.seeded(seed)).collected
            accuracy = found["value/accuracy"]
            # The first half of training, the start left out.
            early = accuracy[1 : 1 + max(1, len(accuracy) // 2)].mean(axis=0)
            return near_over_far(early, found["value/pairs"][0])

        return effect

    def below(get, seed):
        one, other = (get(r.seeded(seed)) for r in (ours, dino))
        return float(other.last("value/moving") - one.last("value/moving"))

    def draw(get, path):
        found = get(ours).collected
        analysis.draw_value_accuracy(
            found.steps, found["value/accuracy"], found["value/staying"], path
        )

    return Finding(
        name="F4-near",
        title="Near actions are learnt first",
        paper="Figure 4, right: accuracy of Q's best annotation grows with "
        "overlap; ABCLIP's lies below ABDINO's.",
        runs=(*seeded([ours], SEEDS), dino),
        claims=(
            Claim(
                "ABCLIP: near over far, first half of training",
                "near less far",
                near_first(ours),
                SEEDS,
            ),
            Claim(
                "ABDINO: near over far, first half of training",
                "near less far",
                near_first(dino),
            ),
            Claim("ABDINO over ABCLIP", "value accuracy", below),
        ),
        draw=draw,
        lacks="What a Q that ignores its action would have: crops that overlap "
        "share annotations.",
    )


def near_over_far(accuracy, pairs):
    """How much better near actions are known than the farthest.

    Args:
        accuracy: Floats of shape `(bins,)`, by overlap, NaN where there is no
            pair.
        pairs: Ints of shape `(bins,)`, what each is of.

    Returns:
        Float: the accuracy of the nearest bins, as many as hold `ENOUGH`
        pairs, less that of the farthest bins, of which the same is true.
    """
    hits = np.where(pairs > 0, np.nan_to_num(accuracy) * pairs, 0.0)

    def of_the_first(hits, pairs):
        count = np.cumsum(pairs)
        stop = min(np.searchsorted(count, ENOUGH), len(pairs) - 1)
        return hits[: stop + 1].sum() / count[stop]

    near = of_the_first(hits[::-1], pairs[::-1])
    return float(near - of_the_first(hits, pairs))
