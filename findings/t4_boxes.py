"""Table 4: captions and boxes as annotations, on scenes."""

from findings import methods
from findings.finding import Finding
from findings.finding import Table
from findings.finding import over
from findings.run import run

TASKS = ("box_class", "detection", "classification")
RECIPES = {
    "CLIP": ("clip", {}),
    "SLIP": ("slip", {}),
    "SiLC": ("silc", methods.SILC_CROPS),
    "ABCLIP": ("ab_clip", {}),
}


def finding(budget):
    """One seed; all scenes annotated."""
    probe = methods.fine(budget)
    captioned = budget.pictures
    figures = {"class": f"classification/{probe}"}
    if probe == "decoder":
        figures = {
            "detection": "detection/decoder",
            "box class": "box_class/decoder",
            **figures,
        }
    runs, claims, tables = [], [], []
    for kind, options in (("captions", {}), ("boxes", {"captions": "boxes"})):
        rows = {
            name: run(recipe, TASKS, captioned=captioned, **options, **crops)
            for name, (recipe, crops) in RECIPES.items()
        }
        rows["untrained"] = methods.asking(methods.UNTRAINED, TASKS)
        runs += rows.values()
        claims += [
            over(
                rows["ABCLIP"],
                rows[base],
                figure,
                f"ABCLIP over {base}, {kind}",
            )
            for base in ("CLIP", "SLIP", "SiLC")
            for figure in figures.values()
        ]
        tables.append(
            Table(
                f"All scenes annotated with {kind}",
                {name: (one, (0,)) for name, one in rows.items()},
                figures,
            )
        )
    return Finding(
        name="T4",
        title="Captions and boxes on scenes",
        paper="Table 4, detect/cls, captions then boxes: CLIP 26.1/71.2, "
        "25.7/70.0; SLIP 25.6/72.9, 25.2/72.3; SiLC 25.6/73.2, 26.0/73.8; "
        "ABCLIP 27.8/74.7, 28.8/76.8.",
        runs=tuple(runs),
        claims=tuple(claims),
        tables=tuple(tables),
    )
