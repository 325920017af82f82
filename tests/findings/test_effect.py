"""Effects of claims, and their intervals."""

import dataclasses

import numpy as np
import pytest

from findings.effect import Effect
from findings.effect import beyond
from findings.effect import mean
from keras_ab.probes import Outcome
from keras_ab.probes import Report
from keras_ab.probes import bootstrap_interval
from tests.findings.made_up import HITS
from tests.findings.made_up import made


def always(effect):
    return lambda get, seed: effect


def of(values, groups=None):
    values = np.asarray(values, "float64")
    return Effect(values.mean(), values, groups)


def test_what_was_measured_in_another_way_is_refused(case):
    finding, store, _ = case
    for one in finding.runs:
        made(store, one)
    report = Report.load(store.report(finding.runs[0]))
    report.results[0].settings["beside"] = ["count"]
    report.save(store.report(finding.runs[0]))
    gain = finding.claims[0].effect
    with pytest.raises(ValueError, match="not measured alike: their settings"):
        gain(store.get, 0)
    gain(store.get, 1)


def test_a_difference_is_paired(case):
    finding, store, _ = case
    for one in finding.runs:
        made(store, one)
    found = finding.claims[0].effect(store.get, 0)
    per_example = np.array(HITS["ab_clip"]) - np.array(HITS["clip"])
    np.testing.assert_array_equal(found.values, per_example)
    assert found.value == pytest.approx(per_example.mean())
    assert found.interval() == bootstrap_interval(per_example)


def test_examples_that_belong_together_are_drawn_together():
    hits, groups = np.repeat([1.0, 0, 1, 0], 8), np.repeat(range(4), 8)
    one = Outcome.from_hits("accuracy", hits, groups=groups)
    other = dataclasses.replace(one, per_example=0 * hits, value=0.0)
    wide = Effect.between(one, other).interval()
    assert wide == bootstrap_interval(hits, groups=groups)
    narrow = of(hits).interval()
    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])


def test_what_is_no_mean_is_paired_by_its_resamples():
    rng = np.random.default_rng(0)
    hits = rng.random(300)
    gains = hits + 0.1 + 0.01 * rng.random(300)
    one, other = (
        Outcome.from_statistic("AP", 300, lambda i, v=v: np.median(v[i]))
        for v in (gains, hits)
    )
    low, high = Effect.between(one, other).interval()
    assert 0.09 < low < high < 0.13
    # Unpaired, it would be as wide as that of one.
    assert high - low < 0.5 * (one.interval[1] - one.interval[0])
    assert Effect.of(0.3).interval() is None


def test_a_gain_is_not_what_another_figure_lost():
    gain, loss = of([1, 0, 1, 0]), of([-1, 0, -1, -1])
    small = of([0, 0, 1, 0])
    ask = beyond(always(small), always(loss))(None, 0)
    np.testing.assert_array_equal(ask.values, small.values)
    ask = beyond(always(small), always(gain))(None, 0)
    np.testing.assert_array_equal(ask.values, small.values - gain.values)
    assert beyond(always(0.3), always(gain))(None, 0).value == -0.2
    assert beyond(always(loss), always(loss))(None, 0).value == loss.value


def test_means():
    one, other = of([1, 0, 1, 0]), of([0, 0, 1, 0])
    found = mean(always(one), always(other))(None, 0)
    np.testing.assert_array_equal(found.values, [0.5, 0, 1, 0])
    found = mean(always(one), always(0.1))(None, 0)
    assert (found.value, found.values) == (0.3, None)
