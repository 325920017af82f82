"""All findings by name."""

from findings import f3_mixtures
from findings import f4_near
from findings import f4_overlap
from findings import f4_sizes
from findings import f5_discount
from findings import f8_dynamics
from findings import headline
from findings import t1_curated
from findings import t2_captions
from findings import t3_scenes_video
from findings import t4_boxes
from findings import t5_ablations

FINDINGS = {
    "T1": t1_curated.finding,
    "T2": t2_captions.finding,
    "T3": t3_scenes_video.finding,
    "F3": f3_mixtures.finding,
    "T4": t4_boxes.finding,
    "T5": t5_ablations.finding,
    "F4-sizes": f4_sizes.finding,
    "F4-overlap": f4_overlap.finding,
    "F4-near": f4_near.finding,
    "F5": f5_discount.finding,
    "F8-alignment": f8_dynamics.alignment,
    "F8-accuracy": f8_dynamics.accuracies,
    "F9": f8_dynamics.curriculum,
}
QUICK = {"headline": headline.finding}


def chosen(names, budget):
    """The findings of names.

    Args:
        names: List of strings; none for all, or for the headline where the
            budget is the quick one.
        budget: A `findings.run.Budget`.

    Returns:
        List of `findings.finding.Finding`.

    Raises:
        ValueError: If there is no finding of a name.
    """
    known = {**FINDINGS, **QUICK}
    wrong = [name for name in names if name not in known]
    if wrong:
        raise ValueError(
            f"Findings are {', '.join(known)}. Received: {', '.join(wrong)}"
        )
    names = names or list(QUICK if budget.name == "quick" else FINDINGS)
    return [known[name](budget) for name in names]
