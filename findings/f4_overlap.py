"""Figure 4, middle: crops of one law, that overlap less or more."""

import functools

from findings import methods
from findings.effect import Effect
from findings.effect import difference
from findings.finding import Claim
from findings.finding import Finding
from findings.finding import Table
from findings.finding import over
from keras_ab import analysis
from recipes import ab_dino
from recipes import dino

BETAS = {"less": -20.0, "as drawn": 0.0, "more": 20.0}
# What each method draws the crops from that overlap: how many of an image, and
# their areas. ABDINO's own DINO crops stay as they are.
CROPS = {
    "ABDINO": (
        ab_dino.SMALL.num_views,
        (ab_dino.SMALL.value_area_low, ab_dino.SMALL.value_area_high),
    ),
    "DINO": (2, dino.GLOBAL_AREA),
}


def finding(budget):
    """One seed."""
    probe = methods.fine(budget)
    figure = f"classification/{probe}"
    runs = {
        method: {
            name: base.with_options(overlap=beta) if beta else base
            for name, beta in BETAS.items()
        }
        for method, base in (("ABDINO", methods.ABDINO), ("DINO", methods.DINO))
    }

    def robust(get, seed):
        ours, base = (
            loss(runs[method], method, figure)(get, seed)
            for method in ("ABDINO", "DINO")
        )
        return Effect(base.value - ours.value, base.values - ours.values)

    def draw(get, path):
        points = {
            method: {
                mean_overlap(method, beta): 100 * get(ours[name]).value(figure)
                for name, beta in BETAS.items()
            }
            for method, ours in runs.items()
        }
        labels = "mean overlap of crops", f"class, {probe}, %"
        analysis.draw_sweep(points, *labels, path=path)

    return Finding(
        name="F4-overlap",
        title="Less overlap of source and target is better",
        paper="Figure 4, middle: accuracy falls with overlap, and DINO's more "
        "than ABDINO's.",
        runs=tuple(run for ours in runs.values() for run in ours.values()),
        claims=(
            *(
                over(
                    ours["less"],
                    ours["more"],
                    figure,
                    f"{method}: less over more overlap",
                )
                for method, ours in runs.items()
            ),
            Claim(
                "DINO loses more than ABDINO, by 0.1 of overlap",
                f"{figure} by overlap",
                robust,
            ),
        ),
        tables=(
            Table(
                "Overlap of the crops that agree, or that Q looks from and to",
                {
                    f"{method}, {name}": (one, (0,))
                    for method, ours in runs.items()
                    for name, one in ours.items()
                },
                {"class": figure},
            ),
        ),
        draw=draw,
    )


def loss(runs, method, figure):
    """What 0.1 more of overlap costs: the span of overlaps differs.

    Args:
        runs: Dict with `"less"` and `"more"`, `Run`s.
        method: String, a name of `CROPS`.
        figure: String, `"TASK/PROBE"`.

    Returns:
        Callable, as `findings.finding.Claim.effect`.
    """
    lost = difference(runs["less"], runs["more"], figure)

    def effect(get, seed):
        less, more = (
            mean_overlap(method, BETAS[name]) for name in ("less", "more")
        )
        found, scale = lost(get, seed), 0.1 / (more - less)
        return Effect(found.value * scale, found.values * scale)

    return effect


@functools.cache
def mean_overlap(method, beta, images=200):
    """The mean overlap of crops as a recipe draws them.

    Args:
        method: String, a name of `CROPS`.
        beta: Float, of `keras_ab.data.OverlapSampler`.
        images: Int.

    Returns:
        Float.
    """
    import tensorflow as tf

    from keras_ab.data import OverlapSampler

    views, area = CROPS[method]
    sampler = OverlapSampler(beta, area)
    drawn = tf.data.Dataset.range(images).map(
        lambda i: sampler(tf.stack([i, 0]), views, tf.constant((96, 96)))[1]
    )
    boxes = next(drawn.batch(images).as_numpy_iterator())
    return analysis.mean_overlap(boxes)
