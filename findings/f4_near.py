"""Figure 4, right: what the value function learns first."""

import numpy as np

from findings import methods
from findings.finding import SEEDS
from findings.finding import Claim
from findings.finding import Finding
from findings.finding import seeded
from keras_ab import analysis


def finding(budget):
    """What a run saw of itself: near actions before far ones."""
    ours, dino = methods.ABCLIP, methods.ABDINO

    def near_first(run):
        def effect(get, seed):
            found = get(run.seeded(seed)).collected["value/accuracy"]
            # The first half of training, the start left out.
            early = found[1 : 1 + max(1, len(found) // 2)]
            bins = [b[np.isfinite(b)] for b in early.T]
            known = [b.mean() for b in bins if len(b)]
            return float(known[-1] - known[0])

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
    )
