"""Effects of claims."""

import numpy as np
import pytest

from findings.finding import contrast
from findings.finding import mean
from keras_ab.probes import Report
from tests.findings.made_up import HITS
from tests.findings.made_up import made


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


def test_effects(case):
    finding, store, _ = case
    for one in finding.runs:
        made(store, one)
    gain = finding.claims[0].effect
    per_example = np.array(HITS["ab_clip"]) - np.array(HITS["clip"])
    np.testing.assert_array_equal(gain(store.get, 0), per_example)
    nothing = contrast(gain, gain)
    np.testing.assert_array_equal(nothing(store.get, 1), np.zeros(5))
    np.testing.assert_array_equal(
        mean(gain, nothing)(store.get, 0), per_example / 2
    )
    number = finding.claims[2].effect
    assert contrast(gain, number)(store.get, 0) == pytest.approx(
        per_example.mean() - 0.5
    )
