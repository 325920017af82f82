"""From effects to verdicts.

An effect is a number a seed, positive in the paper's direction. With several
seeds, paired, its interval is Student's over the seeds. With one, it is of the
test examples (paired bootstrap), which knows nothing of how seeds differ; the
verdict is then inconclusive unless the effect is plain: more than twice as far
from 0 as that interval is wide to one side, and than seeds differ by where the
same figure was measured with several.
"""

import dataclasses

import numpy as np

from findings.effect import Effect

REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
INCONCLUSIVE = "inconclusive"
PLAIN = 2.0


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    Args:
        finding: String, the claim.
        verdict: One of the three.
        effect: Float, the mean over seeds.
        interval: `(low, high)`, 95%; None where there is none.
        seeds: Int.
        views: Int, views of a run.
    """

    finding: str
    verdict: str
    effect: float
    interval: tuple | None
    seeds: int
    views: int

    def as_json(self):
        """This, as results.json holds it."""
        found = dataclasses.asdict(self)
        found["interval"] = self.interval and list(self.interval)
        return found


def judge(finding, effects, views, spread=None):
    """The verdict on a claim.

    Args:
        finding: String, the claim.
        effects: List with one entry a seed, `findings.effect.Effect`s or
            floats.
        views: Int, views of a run.
        spread: Float, how much seeds differ in the same figure, as
            `findings.answers.spreads` says; or None.

    Returns:
        A `Verdict`.
    """
    from scipy import stats

    effects = [Effect.of(effect) for effect in effects]
    means = np.array([effect.value for effect in effects])
    effect, count = float(means.mean()), len(means)
    if count > 1:
        half = stats.t.ppf(0.975, count - 1) * means.std(ddof=1) / count**0.5
        interval = (effect - half, effect + half)
        verdict = _by(interval)
        return Verdict(finding, verdict, effect, interval, count, views)
    interval, verdict = effects[0].interval(), INCONCLUSIVE
    if interval is not None and spread is not None:
        low, high = interval
        half = PLAIN * max(effect - low, high - effect, spread)
        verdict = _by((effect - half, effect + half))
    return Verdict(finding, verdict, effect, interval, count, views)


def _by(interval):
    if interval[0] > 0:
        return REPRODUCED
    return NOT_REPRODUCED if interval[1] < 0 else INCONCLUSIVE
