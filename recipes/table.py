r"""A table of paired runs, from their result files.

    python -m recipes.table recipes/results/ab_clip-2000-*.json \
        --base recipes/results/clip-2000-*.json

Runs are paired by seed. The interval of a difference is Student's over seeds;
with one pair there is none.
"""

import argparse
import json

import numpy as np
from scipy import stats

FIGURES = ("zero_shot", "knn", "linear", "reward_accuracy")


def read(paths, network):
    """Dict from seeds to figures."""
    runs = {}
    for path in paths:
        with open(path) as stream:
            result = json.load(stream)
        chosen = result.get(network) or result["online"]
        runs[result["options"]["seed"]] = chosen
    return runs


def difference(ours, base, figure):
    """Mean paired difference over seeds, and half its 95% interval."""
    seeds = sorted(set(ours) & set(base))
    values = np.array([ours[s][figure] - base[s][figure] for s in seeds])
    if len(values) < 2:
        return values.mean(), float("nan"), len(values)
    spread = values.std(ddof=1) / np.sqrt(len(values))
    half = stats.t.ppf(0.975, len(values) - 1) * spread
    return values.mean(), half, len(values)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("runs", nargs="+", help="result files")
    parser.add_argument("--base", nargs="+", help="result files of the base")
    parser.add_argument(
        "--network", default="target", help="'target' or 'online'"
    )
    parser.add_argument("--json", help="file for the figures")
    options = parser.parse_args(argv)
    ours = read(options.runs, options.network)
    base = read(options.base, options.network)
    print("| % | method | base | difference | seeds |")
    print("|---|---|---|---|---|")
    figures = {}
    for figure in FIGURES:
        mean, half, count = difference(ours, base, figure)
        figures[figure] = {
            "difference": mean,
            "half_interval": half,
            "seeds": count,
        }
        cells = [
            f"{100 * np.mean([run[figure] for run in runs.values()]):.1f}"
            for runs in (ours, base)
        ]
        print(
            f"| {figure} | {cells[0]} | {cells[1]} | "
            f"{100 * mean:+.1f} ± {100 * half:.1f} | {count} |"
        )
    if options.json:
        with open(options.json, "w") as stream:
            json.dump(figures, stream, indent=2)


if __name__ == "__main__":
    main()
