"""From effects to verdicts.

An effect is a number a seed, positive in the paper's direction. With several
seeds, paired, its interval is Student's over the seeds. With one, it is of the
test examples (paired bootstrap), which knows nothing of how seeds differ; the
verdict is then inconclusive unless the effect is plain: more than twice as far
from 0 as that interval is wide to one side, and beyond what seeds differ by
where the same figure was measured with several.
"""

import dataclasses

import numpy as np

from keras_ab.probes import bootstrap_interval

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
        effects: List with one entry a seed: a float, or floats of shape
            `(B,)`, what each test example contributes to a mean.
        views: Int, views of a run.
        spread: Float, the standard deviation over seeds of paired effects of
            the same figure where there were several; or None.

    Returns:
        A `Verdict`.
    """
    from scipy import stats

    means = np.array([float(np.mean(effect)) for effect in effects])
    effect, count = float(means.mean()), len(means)
    if count > 1:
        half = stats.t.ppf(0.975, count - 1) * means.std(ddof=1) / count**0.5
        interval = (effect - half, effect + half)
        verdict = _by(interval)
        return Verdict(finding, verdict, effect, interval, count, views)
    interval, verdict = None, INCONCLUSIVE
    if np.ndim(effects[0]):
        low, high = bootstrap_interval(np.asarray(effects[0]))
        interval = (float(low), float(high))
        half = PLAIN * max(effect - low, high - effect)
        if spread is not None:
            half = max(half, PLAIN * spread)
            verdict = _by((effect - half, effect + half))
    return Verdict(finding, verdict, effect, interval, count, views)


def _by(interval):
    if interval[0] > 0:
        return REPRODUCED
    return NOT_REPRODUCED if interval[1] < 0 else INCONCLUSIVE
