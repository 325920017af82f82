"""From what was measured to verdicts."""

import collections
import contextlib
import dataclasses

import numpy as np

from findings.effect import Effect
from findings.store import NotMeasured
from findings.verdict import judge


def spreads(findings, store):
    """How much seeds differ, by what is measured.

    Args:
        findings: List of `findings.finding.Finding`.
        store: A `findings.store.Store`.

    Returns:
        Dict from figures to the standard deviation over seeds of paired
        effects: the largest among claims that were made with several, since
        seeds differ more in some comparisons than in others.
    """
    found = collections.defaultdict(float)
    for finding in findings:
        for claim in finding.claims:
            if len(claim.seeds) > 1 and is_answered(finding, store):
                values = [
                    Effect.of(claim.effect(store.get, seed)).value
                    for seed in claim.seeds
                ]
                spread = float(np.std(values, ddof=1))
                found[claim.figure] = max(found[claim.figure], spread)
    return dict(found)


def is_answered(finding, store):
    """Whether all runs of a finding are done."""
    return all(store.is_done(run) for run in finding.runs)


def answerable(finding, store):
    """What of a finding can be said of other scenes than the built-in ones.

    Args:
        finding: A `findings.finding.Finding`.
        store: A `findings.store.Store`.

    Returns:
        The finding, less the claims and columns whose figures were not
        measured, since the scenes lack what their tasks need; and a list of
        strings, what was left out.
    """
    if not store.budget.scenes or not is_answered(finding, store):
        return finding, []

    claims, tables = [], []
    for claim in finding.claims:
        with contextlib.suppress(NotMeasured):
            for seed in claim.seeds:
                claim.effect(store.get, seed)
            claims.append(claim)
    left = [claim.name for claim in finding.claims if claim not in claims]
    for table in finding.tables:
        columns = {}
        for heading, figure in table.columns.items():
            with contextlib.suppress(NotMeasured):
                for run, seeds in table.rows.values():
                    for seed in seeds:
                        store.get(run.seeded(seed)).result(figure)
                columns[heading] = figure
        left += [f"column {h}" for h in table.columns if h not in columns]
        if columns:
            tables.append(dataclasses.replace(table, columns=columns))
    kept = {"claims": tuple(claims), "tables": tuple(tables)}
    return dataclasses.replace(finding, **kept), left


def verdicts(finding, store, spread):
    """The verdicts on a finding's claims.

    Args:
        finding: A `findings.finding.Finding`, all of whose runs are done.
        store: A `findings.store.Store`.
        spread: Dict, as `spreads` gives it.

    Returns:
        List of `findings.verdict.Verdict`.
    """
    views = int(np.median([store.get(r).cost["views"] for r in finding.runs]))
    return [
        judge(
            f"{finding.name}: {claim.name}",
            [claim.effect(store.get, seed) for seed in claim.seeds],
            views,
            spread.get(claim.figure),
        )
        for claim in finding.claims
    ]
