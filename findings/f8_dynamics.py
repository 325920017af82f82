"""Figures 8 and 9: alignment, accuracies and curriculum through training."""

import numpy as np

from findings import methods
from findings.finding import SEEDS
from findings.finding import Claim
from findings.finding import Finding
from findings.finding import seeded
from keras_ab import analysis

PAIRS = {
    "ABCLIP": methods.ABCLIP,
    "SLIP": methods.SLIP,
    "SiLC": methods.SILC,
}


def alignment(budget):
    """Three seeds, one for SiLC."""

    def cosine(get, run, seed):
        found = get(run.seeded(seed)).collected["alignment/cosine"]
        return float(np.mean(found[1:]))

    def more(base):
        def effect(get, seed):
            one, other = (cosine(get, PAIRS[n], seed) for n in ("ABCLIP", base))
            return one - other

        return effect

    def draw(get, path):
        found = {name: get(one).collected for name, one in PAIRS.items()}
        # Steps of different sizes: what is shared are views.
        share = {
            name: one.steps / max(one.steps[-1], 1)
            for name, one in found.items()
        }
        steps = share["ABCLIP"]
        cosines = {
            name: np.interp(steps, share[name], one["alignment/cosine"])
            for name, one in found.items()
        }
        figure = analysis.draw_gradient_alignment(steps, cosines)
        figure.axes[0].set_xlabel("share of training")
        figure.savefig(path, dpi=120)

    return Finding(
        name="F8-alignment",
        title="AB's gradient agrees with CLIP's more than SimCLR's and DINO's",
        paper="Figure 8, left: all decay towards 0, ABCLIP's is highest.",
        runs=(*seeded([methods.ABCLIP, methods.SLIP], SEEDS), methods.SILC),
        claims=(
            Claim("ABCLIP over SLIP, cosine", "cosine", more("SLIP"), SEEDS),
            Claim("ABCLIP over SiLC, cosine", "cosine", more("SiLC")),
        ),
        draw=draw,
    )


def accuracies(budget):
    """Three seeds, of runs that others need."""
    names = ("reward", "value", "many_crops")

    def over(first, second):
        def effect(get, seed):
            found = get(methods.ABCLIP.seeded(seed))
            return float(
                found.last(f"crops/{first}") - found.last(f"crops/{second}")
            )

        return effect

    def draw(get, path):
        found = get(methods.ABCLIP).collected
        analysis.draw_crop_accuracy(
            found.steps,
            {name: found[f"crops/{name}"] for name in names},
            float(found["crops/chance"][0]),
            path=path,
        )

    return Finding(
        name="F8-accuracy",
        title="The value of zooming out, and many crops, name more than a crop",
        paper="Figure 8, right: reward, value and multi-crop accuracy.",
        runs=seeded([methods.ABCLIP], SEEDS),
        claims=(
            Claim(
                "value over reward",
                "crop accuracy",
                over("value", "reward"),
                SEEDS,
            ),
            Claim(
                "many crops over reward",
                "crop accuracy",
                over("many_crops", "reward"),
                SEEDS,
            ),
        ),
        draw=draw,
    )


def curriculum(budget):
    """Three seeds, of runs that others need."""

    def emerges(get, seed):
        spread = get(methods.ABCLIP.seeded(seed)).collected["curriculum/spread"]
        later = spread[len(spread) // 2 :]
        return float(np.log(np.mean(later)) - np.log(spread[0]))

    def draw(get, path):
        found = get(methods.ABCLIP).collected
        chosen = np.unique(np.linspace(0, len(found.steps) - 1, 4).astype(int))
        from matplotlib.figure import Figure

        figure = Figure(figsize=(4.6, 3.4), layout="constrained")
        axis = figure.subplots()
        for place in chosen:
            norms = np.sort(found["curriculum/norms"][place])
            share = np.arange(1, len(norms) + 1) / len(norms)
            axis.plot(norms, share, label=f"step {found.steps[place]}")
        axis.set(
            xscale="log",
            xlabel="norm of the value gradient",
            ylabel="share of images",
        )
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False)
        figure.savefig(path, dpi=120)

    return Finding(
        name="F9",
        title="An implicit curriculum over images emerges",
        paper="Figure 9: norms of the value gradient spread out over images by "
        "the middle of training.",
        runs=seeded([methods.ABCLIP], SEEDS),
        claims=(
            Claim(
                "log of 90th over 10th percentile, later less start",
                "log spread",
                emerges,
                SEEDS,
            ),
        ),
        draw=draw,
        lacks="That complex scenes come first: it is drawn, not measured.",
    )
