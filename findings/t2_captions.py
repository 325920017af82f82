"""Table 2: captions; AB over its bases at equal views."""

from findings import methods
from findings.effect import beyond
from findings.effect import difference
from findings.effect import mean
from findings.finding import SEEDS
from findings.finding import Claim
from findings.finding import Finding
from findings.finding import Table
from findings.finding import over
from findings.finding import seeded

ONE = (0,)
ROWS = {
    "SimCLR": (methods.SIMCLR, SEEDS),
    "ABSimCLR": (methods.ABSIMCLR, SEEDS),
    "DINO": (methods.DINO, ONE),
    "ABDINO": (methods.ABDINO, ONE),
    "CLIP": (methods.CLIP, SEEDS),
    "CLIP+Aug": (methods.CLIP_AUG, ONE),
    "SLIP": (methods.SLIP, SEEDS),
    "SiLC": (methods.SILC, ONE),
    "ABCLIP": (methods.ABCLIP, SEEDS),
    "ABCLIP, no value loss": (methods.ABCLIP_NO_VALUE, SEEDS),
    "untrained": (methods.UNTRAINED, ONE),
}


def finding(budget):
    """Three seeds but for CLIP+Aug, SiLC, DINO, ABDINO and the untrained."""
    probe = methods.fine(budget)
    figures = {
        "class": f"classification/{probe}",
        "depth": f"depth/{probe}",
        "count": f"count/{probe}",
    }
    claims = []
    for ours, base in (
        *(("ABCLIP", base) for base in ("CLIP", "CLIP+Aug", "SLIP", "SiLC")),
        ("ABSimCLR", "SimCLR"),
        ("ABDINO", "DINO"),
        ("ABCLIP", "ABCLIP, no value loss"),
    ):
        (one, seeds), (other, others) = ROWS[ours], ROWS[base]
        both = tuple(s for s in seeds if s in others)
        claims += [
            over(one, other, figure, f"{ours} over {base}", both)
            for figure in figures.values()
        ]
    ours, base = methods.ABCLIP, methods.CLIP
    gains = {
        name: difference(ours, base, figure) for name, figure in figures.items()
    }
    claims.append(
        Claim(
            "ABCLIP over CLIP: more on count and depth than on class",
            f"count and depth less class/{probe}",
            beyond(mean(gains["count"], gains["depth"]), gains["class"]),
            SEEDS,
        )
    )
    return Finding(
        name="T2",
        title="AB over its bases at equal views, captions scarce",
        paper="Table 2, ImageNet/Avg Cls/Depth/Count: CLIP 69.5/82.8/70.0/"
        "84.4, CLIP+Aug 72.6/85.0/72.7/87.0, SLIP 72.0/84.3/72.4/87.2, SiLC "
        "72.8/85.0/74.4/88.2, ABCLIP 74.1/85.6/78.1/91.9; SimCLR 67.3, "
        "ABSimCLR 68.0; DINO 68.9, ABDINO 70.6 on ImageNet.",
        runs=tuple(
            run for one, seeds in ROWS.values() for run in seeded([one], seeds)
        ),
        claims=tuple(claims),
        tables=(
            Table(
                "Trained on scenes, a tenth of them captioned",
                ROWS,
                {**figures, "class, linear": "classification/linear"},
            ),
        ),
    )
