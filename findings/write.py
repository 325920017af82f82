"""RESULTS.md and results.json."""

import json
import pathlib

import numpy as np

from findings import scenes
from findings.answers import answerable
from findings.answers import is_answered
from findings.answers import spreads
from findings.answers import verdicts
from findings.run import trainings
from findings.store import NotMeasured
from findings.work import write

HEAD = """# Results

Written by `python -m findings` ({budget} budget); PLAN.md says what was
planned and how verdicts come about. Accuracies and their differences are in
points of a hundred, others as they are; intervals are 95%, over seeds where
there are several, else over test examples.
"""

PROVISIONAL = """Runs are missing. Verdicts from one seed may still change,
since they lean on how much seeds differ in all of them.
"""


def write_results(findings, store, folder):
    """Writes what is answered.

    Args:
        findings: All `findings.finding.Finding`s, answered or not.
        store: A `findings.store.Store`.
        folder: Path of RESULTS.md, results.json and the plots.

    Returns:
        List of `findings.verdict.Verdict`.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    asked = [answerable(finding, store) for finding in findings]
    spread, judged = spreads([finding for finding, _ in asked], store), []
    parts = [HEAD.format(budget=store.budget.name), *where(store.budget)]
    parts.append(cost_of(store))
    if store.missing():
        parts.append(PROVISIONAL)
    for finding, left in asked:
        parts.append(f"## {finding.name}: {finding.title}\n")
        parts.append(f"*The paper.* {finding.paper}\n")
        if not is_answered(finding, store):
            parts.append(f"Not answered: {missing(finding, store)}.\n")
            continue
        found = verdicts(finding, store, spread)
        judged += found
        parts += [table_of(table, store) for table in finding.tables]
        if found:
            parts.append(claims_of(finding, found))
        if finding.draw is not None:
            plot = folder / "plots" / f"{finding.name}.png"
            plot.parent.mkdir(exist_ok=True)
            if drawn(finding, store, plot):
                parts.append(f"![{finding.title}](plots/{plot.name})\n")
            else:
                left = [*left, "the plot"]
        if left:
            parts.append(f"Left out, not measured: {'; '.join(left)}.\n")
        if finding.lacks:
            parts.append(f"Not asked: {finding.lacks}\n")
    (folder / "RESULTS.md").write_text("\n".join(parts))
    write(folder / "results.json", [verdict.as_json() for verdict in judged])
    return judged


def where(budget):
    """Which scenes are meant, where they are not the built-in ones.

    Args:
        budget: A `findings.run.Budget`.

    Returns:
        List of paragraphs.
    """
    if not budget.scenes:
        return []
    said = f"On `{budget.scenes}` in place of the built-in scenes"
    lacking = sorted(scenes.lacking(budget.scenes))
    if lacking:
        said += f", which cannot be asked for {', '.join(lacking)}"
    return [f"{said}.\n"]


def missing(finding, store):
    """What a finding waits for.

    Args:
        finding: A `findings.finding.Finding`.
        store: A `findings.store.Store`.

    Returns:
        String.
    """
    left = len(store.missing(finding.runs))
    return f"{left} of its {len(trainings(finding.runs))} runs are missing"


def drawn(finding, store, path):
    """Draws a finding's plot.

    Args:
        finding: A `findings.finding.Finding`.
        store: A `findings.store.Store`.
        path: Path of the plot.

    Returns:
        Bool, whether all that it shows was measured; on the built-in scenes
        it is an error if not.
    """
    try:
        finding.draw(store.get, path)
    except NotMeasured:
        if not store.budget.scenes:
            raise
        return False
    return True


def cost_of(store):
    """What all runs cost, a paragraph."""
    done = [
        store.get(runs[0])
        for runs in store.trainings
        if all(store.is_done(run) for run in runs)
    ]
    if not done:
        return "No run is done.\n"
    hours = {
        key: sum(one.cost.get(key, 0) for one in done) / 3600
        for key in ("core_seconds", "measuring_core_seconds")
    }
    views = sorted({one.cost["views"] for one in done})
    backends = sorted({one.cost["backend"] for one in done})
    ends = dict.fromkeys([views[0], views[-1]])
    seen = " to ".join(f"{end:,}" for end in ends) + " views each"
    training, measuring = hours.values()
    return (
        f"{len(done)} of {len(store.trainings)} runs, {seen}, on "
        f"{', '.join(backends)}: {training:.1f} core-hours of training and "
        f"{measuring:.1f} of measuring.\n"
    )


def table_of(table, store):
    """A table in Markdown, in points of a hundred.

    Args:
        table: A `findings.finding.Table`.
        store: A `findings.store.Store`.

    Returns:
        String.
    """
    lines = [
        f"**{table.title}**, %\n",
        "| | " + " | ".join(table.columns) + " | seeds |",
        "|---" * (len(table.columns) + 2) + "|",
    ]
    for label, (run, seeds) in table.rows.items():
        cells = [
            cell([store.get(run.seeded(s)).outcome(figure) for s in seeds])
            for figure in table.columns.values()
        ]
        lines.append(f"| {label} | {' | '.join(cells)} | {len(seeds)} |")
    return "\n".join([*lines, ""])


def cell(outcomes):
    """The mean of a figure over seeds, with its interval.

    Args:
        outcomes: List of `keras_ab.probes.Outcome`, one a seed.

    Returns:
        String.
    """
    values = 100 * np.array([outcome.value for outcome in outcomes])
    if len(values) == 1:
        low, high = outcomes[0].interval or (np.nan, np.nan)
        return f"{values[0]:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    from scipy import stats

    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1)
    return f"{values.mean():.1f} ± {half / len(values) ** 0.5:.1f}"


def claims_of(finding, found):
    """The claims' verdicts in Markdown.

    Args:
        finding: A `findings.finding.Finding`.
        found: Its `findings.verdict.Verdict`s.

    Returns:
        String.
    """
    lines = [
        "| claim | effect | 95% | seeds | verdict |",
        "|---|---|---|---|---|",
    ]
    for claim, verdict in zip(finding.claims, found):
        points = 100.0 if claim.points else 1.0
        digits = 1 if points > 1 else 3
        interval = "–"
        if verdict.interval is not None:
            low, high = (points * end for end in verdict.interval)
            interval = f"{low:+.{digits}f} to {high:+.{digits}f}"
        lines.append(
            f"| {claim.name} | {points * verdict.effect:+.{digits}f} | "
            f"{interval} | {verdict.seeds} | {verdict.verdict} |"
        )
    return "\n".join([*lines, ""])


def show(judged):
    """Prints verdicts, a JSON line each.

    Args:
        judged: List of `findings.verdict.Verdict`.
    """
    for verdict in judged:
        print(json.dumps(verdict.as_json()))
