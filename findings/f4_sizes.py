"""Figure 4, left: AB's gain across sizes of networks."""

from findings import methods
from findings.finding import SEEDS
from findings.finding import Finding
from findings.finding import Table
from findings.finding import over
from findings.finding import seeded
from keras_ab import analysis

# Widths of the ViTs, by name of their size.
WIDTHS = {"test": 32, "tiny": 64}


def finding(budget):
    """AB's gain at each of the sizes; one seed but where three are shared."""
    probe = methods.fine(budget)
    figure = f"classification/{probe}"
    pair = {"CLIP": methods.CLIP, "ABCLIP": methods.ABCLIP}
    rows = {
        f"{name}, {size}": (sized(one, size), SEEDS if size == "tiny" else (0,))
        for size in WIDTHS
        for name, one in pair.items()
    }

    def draw(get, path):
        series = {
            name: {
                width: [
                    100 * get(run.seeded(seed)).value(figure)
                    for run, seeds in [rows[f"{name}, {size}"]]
                    for seed in seeds
                ]
                for size, width in WIDTHS.items()
            }
            for name in pair
        }
        labels = "width of the ViT", f"class, {probe}, %"
        analysis.draw_sweep(series, *labels, log=True, path=path)

    return Finding(
        name="F4-sizes",
        title="The gain holds across sizes",
        paper="Figure 4, left: over a hundredfold span of FLOPs.",
        runs=tuple(r for one, s in rows.values() for r in seeded([one], s)),
        claims=tuple(
            over(
                rows[f"ABCLIP, {size}"][0],
                rows[f"CLIP, {size}"][0],
                figure,
                f"ABCLIP over CLIP at size {size}",
                rows[f"CLIP, {size}"][1],
            )
            for size in WIDTHS
        ),
        tables=(Table("Sizes", rows, {"class": figure}),),
        draw=draw,
        lacks="Ti and larger: hours a run on a core.",
    )


def sized(run, size):
    """A run of another size than the small scale's."""
    if size == "tiny":
        return run
    options = {"size": size}
    if run.recipe.startswith("ab_"):
        options["decoder"] = size
    return run.with_options(**options)
