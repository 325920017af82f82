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

    def beats(figure):
        def effect(get, seed):
            one = get(ours.seeded(seed)).value(figure)
            others = [get(m.seeded(seed)).value(figure) for m in mixtures]
            return one - max(others)

        return effect

    def draw(get, path):
        from matplotlib.figure import Figure

        across, up = figures["objects"], list(figures.values())[-1]
        figure = Figure(figsize=(4.6, 3.4), layout="constrained")
        axis = figure.subplots()
        points = np.array(
            [[get(m).value(f) for f in (across, up)] for m in found.values()]
        )
        axis.plot(*points[:-1].T, "o-", label="DINO, mixtures")
        axis.plot(*points[-1:].T, "*", ms=14, label="ABDINO, decoupled")
        axis.set(xlabel=across, ylabel=up)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False)
        figure.savefig(path, dpi=120)

    return Finding(
        name="F3",
        title="A decoupled reward beats every mixture",
        paper="Figure 3: ABDINO with ImageNet as reward and COCO or "
        "EPIC-Kitchens as value lies beyond the frontier of DINO on mixtures.",
        runs=tuple(found.values()),
        claims=tuple(
            Claim(f"beats the best mixture, {figure}", figure, beats(figure))
            for figure in figures.values()
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
