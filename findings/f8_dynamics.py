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
            Claim(
                "ABCLIP over SLIP, cosine",
                "cosine",
                more("SLIP"),
                SEEDS,
                points=False,
            ),
            Claim(
                "ABCLIP over SiLC, cosine",
                "cosine",
                more("SiLC"),
                points=False,
            ),
        ),
        draw=draw,
    )


def accuracies(budget):
    """Drawn from a run that others need; the paper orders no curves."""
    names = ("reward", "value", "many_crops")

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
        title="Reward, value and multi-crop accuracy through training",
        paper="Figure 8, right: the curves are drawn.",
        runs=(methods.ABCLIP,),
        claims=(),
        draw=draw,
    )


def curriculum(budget):
    """Three seeds, of runs that others need."""

    def half(values):
        return values[len(values) // 2 :]

    def emerges(get, seed):
        found = get(methods.ABCLIP.seeded(seed)).collected
        spread = np.log(found["curriculum/spread"])
        # The rate has warmed up for a tenth of the training; what norms are
        # before is the initialisation's.
        start = np.searchsorted(found.steps, found.steps[-1] / 10)
        return float(np.mean(half(spread)) - spread[start])

    def on_detail(get, seed):
        from scipy import stats

        found = get(methods.ABCLIP.seeded(seed)).collected
        detail = found["images/bytes"][0]
        ranks = [
            stats.spearmanr(norms, detail).statistic
            for norms in found["curriculum/norms"]
        ]
        # An untrained network's gradients are larger there too.
        return float(np.mean(half(ranks)) - ranks[0])

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
        paper="Figure 9: by the middle of training norms of the value gradient "
        "spread out over images, and are larger for complex scenes.",
        runs=seeded([methods.ABCLIP], SEEDS),
        claims=(
            Claim(
                "log of 90th over 10th percentile, later less after warm-up",
                "log spread",
                emerges,
                SEEDS,
                points=False,
            ),
            Claim(
                "more for images of detail: rank correlation, later less "
                "untrained",
                "rank correlation",
                on_detail,
                SEEDS,
                points=False,
            ),
        ),
        draw=draw,
        lacks="Complexity other than what the views' pixels compress to.",
    )
