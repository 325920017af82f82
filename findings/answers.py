"""From what was measured to verdicts."""

import collections

import numpy as np

from findings.verdict import judge


def spreads(findings, store):
    """How much seeds differ, by what is measured.

    Args:
        findings: List of `findings.finding.Finding`.
        store: A `findings.store.Store`.

    Returns:
        Dict from figures to the standard deviation over seeds of paired
        effects, pooled over all claims that were made with several.
    """
    squares = collections.defaultdict(list)
    for finding in findings:
        for claim in finding.claims:
            if len(claim.seeds) > 1 and is_answered(finding, store):
                means = [
                    np.mean(claim.effect(store.get, seed))
                    for seed in claim.seeds
                ]
                squares[claim.figure].append(np.var(means, ddof=1))
    return {name: float(np.mean(v)) ** 0.5 for name, v in squares.items()}


def is_answered(finding, store):
    """Whether all runs of a finding are done."""
    return all(store.is_done(run) for run in finding.runs)


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
