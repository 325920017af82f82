"""The headline alone, in half an hour: ABCLIP over CLIP."""

from findings import methods
from findings.finding import SEEDS
from findings.finding import Finding
from findings.finding import Table
from findings.finding import over
from findings.finding import seeded


def finding(budget):
    """Six runs, three paired seeds."""
    probe = methods.fine(budget)
    figure = f"classification/{probe}"
    pair = {"CLIP": methods.CLIP, "ABCLIP": methods.ABCLIP}
    return Finding(
        name="headline",
        title="ABCLIP over CLIP at equal views",
        paper="Table 2: 74.1 against 69.5 on ImageNet.",
        runs=seeded(pair.values(), SEEDS),
        claims=(
            over(
                methods.ABCLIP, methods.CLIP, figure, "ABCLIP over CLIP", SEEDS
            ),
        ),
        tables=(
            Table(
                "Scenes, a tenth captioned",
                {name: (one, SEEDS) for name, one in pair.items()},
                {
                    "class": figure,
                    "count": f"count/{probe}",
                    "depth": f"depth/{probe}",
                    "class, linear": "classification/linear",
                },
            ),
        ),
    )
