"""Table 5: what ABSimCLR is without one of its parts."""

import numpy as np

from findings import methods
from findings.finding import SEEDS
from findings.finding import Claim
from findings.finding import Finding
from findings.finding import Table
from findings.finding import over
from findings.finding import seeded

BASE = methods.ABSIMCLR
# With what the paper reports, the base being 62.9.
ABLATIONS = {
    "augmented views": (BASE.with_options(augment_value=True), 62.5),
    "no action": (BASE.with_options(tell_actions=False), 60.5),
    "no value loss": (BASE.with_options(value_weight=0.0), 59.4),
    "no target network": (BASE.with_options(lag=False), 59.4),
    "no reward loss": (BASE.with_options(reward_weight=0.0), 39.0),
}


def finding(budget):
    """Three seeds."""
    figure = f"classification/{methods.fine(budget)}"
    reported = np.array([62.9, *(value for _, value in ABLATIONS.values())])
    rows = {"ABSimCLR": BASE}
    rows.update({name: one for name, (one, _) in ABLATIONS.items()})

    def order(get, seed):
        from scipy import stats

        values = [get(one.seeded(seed)).value(figure) for one in rows.values()]
        return float(stats.kendalltau(reported, values).statistic)

    claims = [
        over(BASE, one, figure, f"{name} is worse", SEEDS)
        for name, (one, _) in ABLATIONS.items()
    ]
    claims.append(
        Claim(
            "the paper's order (Kendall's tau)",
            "tau",
            order,
            SEEDS,
            points=False,
        )
    )
    return Finding(
        name="T5",
        title="Five ablations, in the paper's order",
        paper="Table 5: 62.9; augmentation 62.5; no action 60.5; no value loss "
        "59.4; no EMA 59.4; no reward loss 39.0.",
        runs=seeded(rows.values(), SEEDS),
        claims=tuple(claims),
        tables=(
            Table(
                "ABSimCLR on scenes",
                {name: (one, SEEDS) for name, one in rows.items()},
                {"class": figure, "class, linear": "classification/linear"},
            ),
        ),
    )
