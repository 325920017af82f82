"""Figure 3: a decoupled reward against mixtures of both sets."""

import numpy as np

from findings import methods
from findings.finding import Claim
from findings.finding import Finding
from findings.finding import Table
from findings.run import run
from findings.t3_scenes_video import ON_SCENES

SHARES = ("0.25", "0.5", "0.75")


def runs():
    """DINO on mixtures of objects and scenes, and ABDINO decoupled."""
    common = {"tasks": ON_SCENES}
    found = {"DINO, objects": run("dino", source="objects", **common)}
    for share in SHARES:
        mixed = f"objects+scenes:{share}"
        found[f"DINO, {share} scenes"] = run("dino", source=mixed, **common)
    found["DINO, scenes"] = run("dino", **common)
    found["ABDINO, decoupled"] = run(
        "ab_dino", reward="objects", value="scenes", **common
    )
    return found


def finding(budget):
    """One seed."""
    probe, found = methods.fine(budget), runs()
    figures = {"objects": f"classification=objects/{probe}"}
    if probe == "decoder":
        figures["box class"] = "box_class/decoder"
    *mixtures, ours = found.values()

    def points(get, seed=0):
        """Every run's figures, ours last."""
        return np.array(
            [
                [get(m.seeded(seed)).value(f) for f in figures.values()]
                for m in (*mixtures, ours)
            ]
        )

    def beyond_frontier(get, seed):
        """By how much no weighing of both figures has a better mixture."""
        share = np.linspace(0, 1, 101)
        weights = np.stack([share, 1 - share])
        if len(figures) == 1:
            weights = np.ones((1, 1))
        *others, one = points(get, seed) @ weights
        return float(np.max(one - np.max(others, axis=0)))

    def beats_on_scenes(get, seed):
        *others, one = points(get, seed)[:, -1]
        return float(one - max(others))

    def draw(get, path):
        from matplotlib.figure import Figure

        names = list(figures)
        across, up = names[0], names[-1]
        figure = Figure(figsize=(4.6, 3.4), layout="constrained")
        axis = figure.subplots()
        places = 100 * points(get)[:, [0, -1]]
        axis.plot(*places[:-1].T, "o-", label="DINO, by share of scenes")
        for share, place in zip(("0", *SHARES, "1"), places):
            axis.annotate(share, place, (5, 4), textcoords="offset points")
        axis.plot(*places[-1:].T, "*", ms=14, label="ABDINO, decoupled")
        axis.set(xlabel=f"{across}, {probe}, %", ylabel=f"{up}, {probe}, %")
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False)
        figure.savefig(path, dpi=120)

    return Finding(
        name="F3",
        title="A decoupled reward beats every mixture",
        paper="Figure 3: ABDINO with ImageNet as reward and COCO or "
        "EPIC-Kitchens as value lies beyond the frontier of DINO on mixtures.",
        runs=tuple(found.values()),
        claims=(
            Claim(
                "beyond the frontier of mixtures",
                "objects and box class",
                beyond_frontier,
            ),
            Claim(
                f"beats the best mixture, {[*figures.values()][-1]}",
                [*figures.values()][-1],
                beats_on_scenes,
            ),
        ),
        tables=(
            Table(
                "Mixtures of objects and scenes",
                {name: (one, (0,)) for name, one in found.items()},
                figures,
            ),
        ),
        draw=draw,
        lacks="Mixtures with video.",
    )
