"""Figure 4: sizes, overlap, and what is learnt first."""

import numpy as np

from findings import methods
from findings.finding import SEEDS
from findings.finding import Claim
from findings.finding import Finding
from findings.finding import Table
from findings.finding import over
from findings.finding import seeded
from keras_ab import analysis

# Widths of the ViTs, by name of their size.
WIDTHS = {"test": 32, "tiny": 64}
BETAS = {"less": -20.0, "as drawn": 0.0, "more": 20.0}


def sized(run, size):
    """A run of another size than the small scale's."""
    if size == "tiny":
        return run
    options = {"size": size}
    if run.recipe.startswith("ab_"):
        options["decoder"] = size
    return run.with_options(**options)


def left(budget):
    """AB's gain at each of the sizes; one seed but where three are shared."""
    figure = f"classification/{methods.fine(budget)}"
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
                    get(run.seeded(seed)).value(figure)
                    for run, seeds in [rows[f"{name}, {size}"]]
                    for seed in seeds
                ]
                for size, width in WIDTHS.items()
            }
            for name in pair
        }
        analysis.draw_sweep(series, "width of the ViT", figure, True, path)

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


def middle(budget):
    """Crops of one law, that overlap less or more; one seed."""
    figure = f"classification/{methods.fine(budget)}"
    base = methods.ABDINO
    runs = {
        name: base.with_options(overlap=beta) if beta else base
        for name, beta in BETAS.items()
    }

    def draw(get, path):
        points = {
            mean_overlap(beta): get(runs[name]).value(figure)
            for name, beta in BETAS.items()
        }
        xlabel = "mean overlap of crops"
        analysis.draw_sweep({"ABDINO": points}, xlabel, figure, path=path)

    return Finding(
        name="F4-overlap",
        title="Less overlap of source and target is better",
        paper="Figure 4, middle: accuracy falls with overlap, and DINO's more "
        "than ABDINO's.",
        runs=tuple(runs.values()),
        claims=(
            over(runs["less"], runs["more"], figure, "less over more overlap"),
        ),
        tables=(
            Table(
                "Overlap of unlabelled crops",
                {name: (one, (0,)) for name, one in runs.items()},
                {"class": figure},
            ),
        ),
        draw=draw,
        lacks="DINO at other overlaps: its crops have no sampler of their own.",
    )


def mean_overlap(beta, images=200, views=4):
    """The mean overlap of crops as ABDINO's recipe draws them.

    Args:
        beta: Float, of `keras_ab.data.OverlapSampler`.
        images: Int.
        views: Int, crops of each.

    Returns:
        Float.
    """
    import tensorflow as tf

    from keras_ab.data import OverlapSampler

    sampler = OverlapSampler(beta)
    drawn = tf.data.Dataset.range(images).map(
        lambda i: sampler(tf.stack([i, 0]), views, tf.constant((96, 96)))[1]
    )
    boxes = next(drawn.batch(images).as_numpy_iterator())
    return analysis.mean_overlap(boxes)


def right(budget):
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
