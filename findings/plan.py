"""The tables of PLAN.md, from the findings themselves.

python -m findings.plan    # writes them into PLAN.md
"""

import collections
import pathlib

from findings.catalogue import FINDINGS
from findings.catalogue import QUICK
from findings.run import FULL
from findings.run import trainings

PLAN = pathlib.Path(__file__).parent / "PLAN.md"
BEGIN, END = "<!-- written by findings.plan -->", "<!-- end -->"


def tables():
    """What is asked, and what is run for it.

    Returns:
        String, Markdown.
    """
    found = [make(FULL) for make in FINDINGS.values()]
    every = trainings(run for finding in found for run in finding.runs)
    asked = collections.Counter(
        (run.recipe, run.options)
        for finding in found
        for run, *_ in trainings(r.seeded(0) for r in finding.runs)
    )
    lines = [
        "| finding | question | claims | runs | of its own |",
        "|---|---|---|---|---|",
    ]
    for finding in found:
        runs = [group[0] for group in trainings(finding.runs)]
        own = sum(asked[run.recipe, run.options] == 1 for run in runs)
        lines.append(
            f"| {finding.name} | {finding.title} | {len(finding.claims)} | "
            f"{len(runs)} | {own} |"
        )
    lines += [
        "",
        f"{len(every)} runs of {FULL.views:,} views:",
        "",
        "| recipe | options | seeds | findings | measured on |",
        "|---|---|---|---|---|",
    ]
    groups = collections.defaultdict(list)
    for runs in every:
        groups[runs[0].recipe, runs[0].options].append(runs)
    for (recipe, options), alike in groups.items():
        said = " ".join(f"`{k}={v}`" for k, v in options) or "–"
        seeds = ", ".join(str(runs[0].seed) for runs in alike)
        users = [
            finding.name
            for finding in found
            if any(
                (r.recipe, r.options) == (recipe, options) for r in finding.runs
            )
        ]
        tasks = dict.fromkeys(
            ", ".join(run.tasks) for runs in alike for run in runs
        )
        lines.append(
            f"| `{recipe}` | {said} | {seeds} | {', '.join(users)} | "
            f"{'; '.join(tasks)} |"
        )
    (quick,) = QUICK.values()
    count = len(trainings(quick(FULL).runs))
    lines += ["", f"`make findings-quick`: {count} runs, CLIP and ABCLIP."]
    return "\n".join(lines)


def main():
    """Writes the tables into PLAN.md."""
    text = PLAN.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    PLAN.write_text(f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}")


if __name__ == "__main__":
    main()
