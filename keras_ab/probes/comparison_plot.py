"""A picture of a comparison."""

from keras_ab.probes.compare import Comparison
from keras_ab.probes.tables import title
from keras_ab.typing import PathLike


def plot(comparison: Comparison, path: PathLike) -> None:
    """Draws values with their intervals: a line a metric, a dot an encoder.

    Args:
        comparison: What `keras_ab.probes.compare` returned.
        path: Path of the picture, `.png`, `.svg` or `.pdf`.
    """
    # Imported here: matplotlib comes with the extra `plot`.
    from matplotlib.figure import Figure

    names, columns = comparison.names, comparison.columns
    # A line of text each for title, axis and legend.
    height = 1.2 + len(columns) * max(0.3, 0.14 * len(names) + 0.08)
    figure = Figure(figsize=(7.5, height), layout="constrained")
    axis = figure.subplots()
    spread = 0.7 / max(1, len(names))
    for rank, name in enumerate(names):
        places, values = [], []
        errors: tuple[list[float], list[float]] = ([], [])
        for line, column in enumerate(columns):
            cell = comparison.cells.get((name, column))
            if cell is None or cell.outcome.value != cell.outcome.value:
                continue
            value = 100 * cell.outcome.value
            low, high = cell.outcome.interval or (cell.outcome.value,) * 2
            places.append(line + (rank - (len(names) - 1) / 2) * spread)
            values.append(value)
            errors[0].append(max(0.0, value - 100 * low))
            errors[1].append(max(0.0, 100 * high - value))
        axis.errorbar(
            values,
            places,
            xerr=errors,
            fmt="o",
            markersize=4,
            elinewidth=1,
            capsize=2,
            color=f"C{rank}",
            label=name,
        )
    told = False
    for line, column in enumerate(columns):
        chance = [
            cell.outcome.chance
            for (_, other), cell in comparison.cells.items()
            if other == column and cell.outcome.chance is not None
        ]
        if chance:
            axis.plot(
                [100 * chance[0]] * 2,
                [line - 0.4, line + 0.4],
                color="0.5",
                linewidth=1.5,
                label=None if told else "chance",
            )
            told = True
    axis.set_yticks(range(len(columns)), [title(c, columns) for c in columns])
    axis.set_ylim(len(columns) - 0.5, -0.5)
    axis.set_xlabel("value in %, with its 95% interval")
    axis.grid(axis="x", color="0.9")
    axis.set_axisbelow(True)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(axis="y", length=0)
    figure.legend(
        loc="outside lower center", ncols=min(4, len(names) + 1), frameon=False
    )
    figure.savefig(path, dpi=130)
