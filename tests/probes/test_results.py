"""Result files get through the disk whole, or say what is wrong with them."""

import json

import numpy as np
import pytest

from keras_ab import probes


def result(task="counting", probe="knn", seed=0, count=200, rate=0.6, **kwargs):
    rng = np.random.default_rng(seed)
    hits = rng.random(count) < rate
    x = rng.normal(rate, 0.1, count)
    outcomes = [
        probes.Outcome.from_hits("accuracy", hits, 0.1),
        probes.Outcome.from_statistic(
            "median", count, lambda d: np.median(x[d])
        ),
    ]
    settings = {"k": 20, "task": {"name": task}}
    data = {
        "train": {"name": "scenes", "records": 9, "fingerprint": "a"},
        "test": {"name": "scenes", "records": count, "fingerprint": "b"},
    }
    values = {"settings": settings, "data": data, **kwargs}
    return probes.Result(task, probe, outcomes, **values)


def report(name="mine", *results, **kwargs):
    encoder = {"name": name, "branch": "target", "fingerprint": "00"}
    return probes.Report(encoder, list(results or [result()]), **kwargs)


def test_a_file_says_all(tmp_path):
    written = report("mine", result(seconds=2.5), result("depth", seed=3))
    written.save(tmp_path / "new" / "a.json")
    read = probes.Report.load(tmp_path / "new" / "a.json")
    assert read.as_json() == written.as_json()
    assert read.seconds == 2.5 and read.protocol == probes.PROTOCOL
    assert {"keras_ab", "keras", "numpy", "python", "backend"} <= set(
        read.versions
    )
    assert read.machine["cores"] >= 1 and "T" in read.created
    np.testing.assert_array_equal(
        read.results[1].outcomes[0].per_example,
        written.results[1].outcomes[0].per_example,
    )
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.json"]


def test_what_is_undefined_is_null(tmp_path):
    blind = probes.Outcome.from_statistic("m", 3, lambda drawn: np.nan)
    undefined = probes.Result("t", "p", [blind])
    report("a", undefined).save(tmp_path / "a.json")
    assert "NaN" not in (tmp_path / "a.json").read_text()
    read = probes.Report.load(tmp_path / "a.json")
    assert np.isnan(read.results[0].outcomes[0].value)


def edited(path, change):
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda p: p.write_text(p.read_text()[:-300]), "Expecting|Untermin"),
        (lambda p: p.write_text(""), "Expecting"),
        (lambda p: p.write_bytes(b"\xff\xfe\x00"), "codec"),
        (lambda p: p.write_text("[1]"), "does not say"),
        (lambda p: edited(p, lambda f: f.pop("format")), "does not say"),
        (lambda p: edited(p, lambda f: f.pop("protocol")), "`protocol`"),
        (lambda p: edited(p, lambda f: f.update(results={})), "`results`"),
        (
            lambda p: edited(
                p, lambda f: f["results"][0]["outcomes"][0].update(value=0.99)
            ),
            "checksum",
        ),
    ],
)
def test_damage_is_found(tmp_path, damage, message):
    path = tmp_path / "a.json"
    report().save(path)
    damage(path)
    with pytest.raises(ValueError, match=message) as caught:
        probes.Report.load(path)
    assert str(path) in str(caught.value)


def test_a_name_may_be_edited(tmp_path):
    report().save(tmp_path / "a.json")
    edited(tmp_path / "a.json", lambda f: f["encoder"].update(name="better"))
    assert probes.Report.load(tmp_path / "a.json").name == "better"


@pytest.mark.parametrize("key", ["task", "outcomes", "settings", "data"])
def test_a_result_that_lacks_something(key):
    found = result().as_json()
    del found[key]
    with pytest.raises(ValueError, match=key):
        probes.Result.from_json(found)
    with pytest.raises(ValueError, match="object"):
        probes.Result.from_json([])
