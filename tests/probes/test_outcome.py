"""Outcomes, their intervals, and how they get through JSON."""

import json

import numpy as np
import pytest

from keras_ab import probes

RNG = np.random.default_rng(3)


def through_json(outcome):
    return probes.Outcome.from_json(json.loads(json.dumps(outcome.as_json())))


def test_a_mean():
    hits = np.array([1, 0, 1, 1, 0, 1, 1, 1])
    outcome = probes.Outcome.from_hits("accuracy", hits, 0.25, unseen=2)
    assert outcome.value == 0.75 and outcome.examples == 8
    assert outcome.interval == probes.bootstrap_interval(hits)
    back = through_json(outcome)
    np.testing.assert_array_equal(back.per_example, hits)
    assert back.value == 0.75 and back.interval == outcome.interval
    assert back.chance == 0.25 and back.ceiling is None
    assert back.extra == {"unseen": 2} and back.groups is None


def test_a_statistic():
    x = RNG.normal(size=60)
    outcome = probes.Outcome.from_statistic(
        "median", 60, lambda drawn: np.median(x[drawn])
    )
    rng = np.random.default_rng(0)
    expected = [np.median(x[rng.integers(60, size=60)]) for _ in range(200)]
    np.testing.assert_array_equal(outcome.resampled, expected)
    assert outcome.value == np.median(x)
    np.testing.assert_allclose(
        outcome.interval, np.percentile(expected, [2.5, 97.5])
    )
    np.testing.assert_array_equal(through_json(outcome).resampled, expected)
    blind = probes.Outcome.from_statistic("x", 3, lambda d: 1.0, samples=0)
    assert blind.interval is None and through_json(blind).resampled is None


def test_what_is_undefined():
    outcome = probes.Outcome.from_statistic("m", 4, lambda drawn: np.nan)
    assert outcome.interval is None
    assert outcome.as_json()["value"] is None
    assert np.isnan(through_json(outcome).value)
    with pytest.raises(ValueError, match="must hold a number"):
        probes.percentiles([np.nan])


def test_groups_are_drawn_whole():
    # Ten examples of a group are one observation.
    hits = (RNG.random(40) < 0.5).astype("float64")
    groups = np.arange(40).repeat(10)
    grouped = probes.bootstrap_interval(hits.repeat(10), groups=groups)
    np.testing.assert_allclose(grouped, probes.bootstrap_interval(hits))
    alone = probes.bootstrap_interval(hits.repeat(10))
    assert alone[1] - alone[0] < 0.6 * (grouped[1] - grouped[0])
    with pytest.raises(ValueError, match="name a group"):
        probes.bootstrap_interval(hits, groups=[1, 2])
    outcome = probes.Outcome.from_hits("a", hits.repeat(10), groups=groups)
    assert outcome.interval == grouped
    np.testing.assert_array_equal(through_json(outcome).groups, groups)


def test_drawing_in_parts_changes_nothing(monkeypatch):
    values = RNG.normal(size=51)
    whole = probes.bootstrap_interval(values)
    draws = np.random.default_rng(0).integers(51, size=(2000, 51))
    means = values[draws].mean(1)
    np.testing.assert_allclose(whole, np.percentile(means, [2.5, 97.5]))
    monkeypatch.setattr("keras_ab.probes.intervals.CHUNK", 51 * 7)
    assert probes.bootstrap_interval(values) == whole


@pytest.mark.parametrize(
    "values, kind",
    [
        (RNG.integers(0, 2, 1001), "bits"),
        (np.zeros(0), "bits"),
        (RNG.integers(-9, 9, 77), "int32"),
        (RNG.normal(size=33), "float64"),
    ],
)
def test_packing(values, kind):
    packed = probes.pack(values)
    assert packed["kind"] == kind
    np.testing.assert_array_equal(probes.unpack(packed), values)


def test_bits_are_compact():
    hits = RNG.integers(0, 2, 50000)
    assert len(json.dumps(probes.pack(hits))) < 50000 / 8 * 1.4


@pytest.mark.parametrize(
    "damage",
    [
        lambda p: p.pop("kind"),
        lambda p: p.update(kind="words"),
        lambda p: p.update(size=9000),
        lambda p: p.update(size=1),
        lambda p: p.update(data=p["data"][:-9]),
        lambda p: p.update(data="?"),
        lambda p: p.update(data=None),
    ],
)
@pytest.mark.parametrize("values", [RNG.normal(size=40), np.ones(40)])
def test_damage_to_a_vector_is_found(damage, values):
    packed = probes.pack(values)
    damage(packed)
    with pytest.raises(ValueError, match="damaged"):
        probes.unpack(packed)
    found = probes.Outcome.from_hits("a", [0.5, 1]).as_json()
    found["per_example"] = packed
    with pytest.raises(ValueError, match="outcome is damaged"):
        probes.Outcome.from_json(found)


@pytest.mark.parametrize("key", ["name", "value", "interval", "extra"])
def test_a_lack_is_found(key):
    found = probes.Outcome.from_hits("a", [0, 1]).as_json()
    del found[key]
    with pytest.raises(ValueError, match=key):
        probes.Outcome.from_json(found)


def test_what_json_cannot_hold():
    outcome = probes.Outcome.from_hits("a", [0, 1], odd=np.zeros(2))
    with pytest.raises(ValueError, match="'a'.*JSON"):
        outcome.as_json()
    with pytest.raises(ValueError, match="vector"):
        probes.pack(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="positive"):
        probes.bootstrap_statistic(0, len)
