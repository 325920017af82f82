"""Figure 5: the discount trades features against the reward's loss."""

from findings import methods
from findings.finding import Claim
from findings.finding import Finding
from findings.finding import Table
from findings.finding import over

GAMMAS = (0.0, 0.25, 0.5, 0.75, 0.9)


def finding(budget):
    """One seed; 0.5 is ABCLIP itself."""
    base = methods.ABCLIP
    runs = {
        gamma: base if gamma == 0.5 else base.with_options(gamma=gamma)
        for gamma in GAMMAS
    }
    probe = methods.fine(budget)
    figure = f"classification/{probe}"

    def loss(get, gamma, seed=0):
        return float(
            get(runs[gamma].seeded(seed)).last("alignment/reward_loss")
        )

    def draw(get, path):
        from matplotlib.figure import Figure

        picture = Figure(figsize=(8, 3.2), layout="constrained")
        left, right = picture.subplots(1, 2)
        values = [100 * get(r).value(figure) for r in runs.values()]
        left.plot(GAMMAS, values, "o-")
        right.plot(GAMMAS, [loss(get, gamma) for gamma in GAMMAS], "o-")
        left.set(xlabel="discount", ylabel=f"class, {probe}, %")
        right.set(xlabel="discount", ylabel="held-out reward loss")
        for axis in (left, right):
            axis.spines[["top", "right"]].set_visible(False)
        picture.savefig(path, dpi=120)

    return Finding(
        name="F5",
        title="The discount trades probe accuracy against the reward's loss",
        paper="Figure 5: a larger discount makes better features up to a "
        "point, and a higher CLIP loss.",
        runs=tuple(runs.values()),
        claims=(
            over(runs[0.5], runs[0.0], figure, "discount 0.5 over 0"),
            over(runs[0.5], runs[0.9], figure, "discount 0.5 over 0.9"),
            Claim(
                "the reward's loss rises from discount 0 to 0.9",
                "held-out reward loss",
                lambda get, seed: loss(get, 0.9, seed) - loss(get, 0.0, seed),
                points=False,
            ),
        ),
        tables=(
            Table(
                "Discounts",
                {f"{gamma:g}": (one, (0,)) for gamma, one in runs.items()},
                {"class": figure, "class, linear": "classification/linear"},
            ),
        ),
        draw=draw,
    )
