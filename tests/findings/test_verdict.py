"""From effects to verdicts."""

import numpy as np
import pytest
from scipy import stats

from findings import verdict
from findings.effect import Effect


@pytest.mark.parametrize(
    "effects, word",
    [
        ([0.03, 0.04, 0.035], verdict.REPRODUCED),
        ([-0.03, -0.04, -0.035], verdict.NOT_REPRODUCED),
        ([0.03, -0.01, 0.02], verdict.INCONCLUSIVE),
    ],
)
def test_several_seeds(effects, word):
    found = verdict.judge("x", effects, 10)
    assert (found.verdict, found.seeds, found.views) == (word, 3, 10)
    test = stats.ttest_1samp(effects, 0).confidence_interval(0.95)
    np.testing.assert_allclose(found.interval, (test.low, test.high))
    np.testing.assert_allclose(found.effect, np.mean(effects))


def test_one_seed():
    rng = np.random.default_rng(0)
    strong = rng.choice([0.0, 1.0], 1000, p=[0.7, 0.3])
    weak = strong - strong.mean() + 0.04
    for hits, spread, word in (
        (strong, 0.01, verdict.REPRODUCED),
        (-strong, 0.01, verdict.NOT_REPRODUCED),
        # Nobody knows what another seed would give; or it is known to differ.
        (strong, None, verdict.INCONCLUSIVE),
        (strong, 0.2, verdict.INCONCLUSIVE),
        # More than its interval, but not twice as much.
        (weak, 0.001, verdict.INCONCLUSIVE),
    ):
        effect = Effect(hits.mean(), hits)
        found = verdict.judge("x", [effect], 10, spread)
        assert found.verdict == word
        assert found.interval[0] < found.effect < found.interval[1]
    assert found.interval[0] > 0
    found = verdict.judge("x", [0.4], 10, 0.001)
    assert (found.verdict, found.interval) == (verdict.INCONCLUSIVE, None)
