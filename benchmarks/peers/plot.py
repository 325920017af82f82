"""A picture of the times beside each other."""

import statistics

TITLES = {
    "vit": "ViT-S/16, forward and backward",
    "simclr": "SimCLR, a step in PyTorch",
    "dino": "DINO, a step in PyTorch",
    "ab": "ABCLIP, a step on JAX",
}
PEERS = ("big_vision", "kerashub", "timm", "lightly", "bare")


def bars(results, path):
    """Draws the seconds of each candidate, ours and others'.

    Args:
        results: What the command writes.
        path: File of the picture.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    groups = {
        part: [n for n in results["seconds"] if n.partition("_")[0] == part]
        for part in TITLES
    }
    groups = {part: names for part, names in groups.items() if names}
    heights = [len(names) + 0.6 for names in groups.values()]
    figure, axes = plt.subplots(
        len(groups),
        figsize=(7, 0.32 * sum(heights) + 0.5 * len(groups)),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for axis, (part, names) in zip(axes[:, 0], groups.items()):
        steps = 1 if part == "vit" else results["steps"]
        medians = [
            statistics.median(results["seconds"][n]) / steps for n in names
        ]
        theirs = [any(peer in name for peer in PEERS) for name in names]
        colours = ["#b9c0c9" if other else "#2a6fb0" for other in theirs]
        drawn = axis.barh(names, medians, color=colours)
        axis.bar_label(drawn, fmt=" %.2f s", fontsize=8)
        axis.invert_yaxis()
        axis.set_title(TITLES[part], fontsize=10, loc="left")
        axis.margins(x=0.12)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1, 0].set_xlabel(
        f"seconds, median of the turns, {results['cores']} cores; ours is blue",
        fontsize=8,
    )
    figure.savefig(path, dpi=150)
    plt.close(figure)
