"""Tables 1 and 6: AB over its base on curated images."""

from findings import methods
from findings.effect import beyond
from findings.effect import difference
from findings.finding import Claim
from findings.finding import Finding
from findings.finding import Table
from findings.finding import over
from findings.run import run

TASKS = ("classification=objects", "classification", "count", "depth")


def runs():
    """Methods on single objects, which stand for ImageNet."""
    common = {"tasks": TASKS}
    return {
        "SimCLR": run("simclr", source="objects", **common),
        "ABSimCLR": run("ab_simclr", reward="objects", **common),
        "DINO": run("dino", source="objects", **common),
        "ABDINO": run("ab_dino", reward="objects", **common),
        "untrained": methods.asking(methods.UNTRAINED, TASKS),
    }


def finding(budget):
    """One seed."""
    probe, task = methods.fine(budget), "classification=objects"
    found = runs()
    claims = []
    for base in ("SimCLR", "DINO"):
        ours, pair = found[f"AB{base}"], f"AB{base} over {base}"
        claims.append(over(ours, found[base], f"{task}/{probe}", pair))
        for finer in dict.fromkeys(("map", probe)):
            claims.append(
                Claim(
                    f"{pair}: more on {finer} than on linear",
                    f"{task}/{finer} less linear",
                    beyond(
                        difference(ours, found[base], f"{task}/{finer}"),
                        difference(ours, found[base], f"{task}/linear"),
                    ),
                )
            )
    return Finding(
        name="T1",
        title="AB over its base on curated images, more on finer probes",
        paper="Table 1, linear/MAP/decoder: SimCLR 66.2/69.7/71.4, ABSimCLR "
        "64.5/70.7/72.2; DINO 68.9/70.9/72.7, ABDINO 67.2/73.1/74.8. Table 6: "
        "ABSimCLR 72.3 against 71.6, ABDINO 74.6 against 72.6.",
        runs=tuple(found.values()),
        claims=tuple(claims),
        tables=(
            Table(
                "Trained on objects",
                {name: (one, (0,)) for name, one in found.items()},
                {
                    "linear": f"{task}/linear",
                    "MAP": f"{task}/map",
                    **(
                        {"decoder": f"{task}/decoder"} if probe != "map" else {}
                    ),
                    "scenes": f"classification/{probe}",
                    "depth": f"depth/{probe}",
                    "count": f"count/{probe}",
                },
            ),
        ),
    )
