"""Means over tasks."""

import json

import numpy as np
import pytest

from keras_ab import probes
from keras_ab.probes import __main__ as command
from keras_ab.probes.compare import Column

SIZES = {"x": 400, "y=set": 100}
MEAN = Column("mean", "knn", "accuracy")


def reports():
    rng = np.random.default_rng(0)
    found = {}
    for name, rate in (("a", 0.5), ("b", 0.8)):
        results = []
        for task, size in SIZES.items():
            hits = rng.random(size) < rate
            outcome = probes.Outcome.from_hits("accuracy", hits, 0.25)
            results.append(probes.Result(task, "knn", [outcome]))
        found[name] = probes.Report({"name": name}, results)
    return found


def test_tasks_count_equally():
    plain = probes.compare(reports())
    found = probes.with_average(plain, "mean", list(SIZES))
    assert found.columns == [*plain.columns, MEAN]
    for name in "ab":
        parts = [found.cells[name, column] for column in plain.columns]
        cell = found.cells[name, MEAN]
        value = np.mean([part.outcome.value for part in parts])
        assert cell.outcome.value == pytest.approx(value)
        assert cell.outcome.chance == 0.25 and cell.outcome.examples == 500
    assert found.cells["a", MEAN].difference is None
    assert cell.difference == pytest.approx(
        np.mean([part.difference for part in parts])
    )
    assert cell.paired and not cell.inside
    assert MEAN not in {column for _, column in plain.cells}


def test_its_interval_is_that_of_resampled_tasks():
    rng = np.random.default_rng(0)
    one = reports()["b"]
    comparison = probes.compare({"b": one})
    found = probes.with_average(comparison, "mean", list(SIZES))
    drawn = [
        rng.choice(result.outcomes[0].per_example, (4000, size)).mean(1)
        for result, size in zip(one.results, SIZES.values())
    ]
    expected = np.percentile(np.mean(drawn, 0), [2.5, 97.5])
    interval = found.cells["b", MEAN].outcome.interval
    np.testing.assert_allclose(interval, expected, atol=0.006)


def test_what_is_not_measured_is_left_out():
    both = reports()
    del both["b"].results[1]
    found = probes.with_average(probes.compare(both), "mean", list(SIZES))
    assert ("a", MEAN) in found.cells and ("b", MEAN) not in found.cells
    for tasks in (["x", "z"], []):
        with pytest.raises(ValueError, match=r"one probe has measured.*'x'"):
            probes.with_average(found, "more", tasks)


def test_the_command(tmp_path, capsys):
    files = []
    for name, report in reports().items():
        report.save(tmp_path / f"{name}.json")
        files.append(f"{name}={tmp_path / name}.json")
    file = str(tmp_path / "all.json")
    options = ["--average", "Avg=x,y=set", "--json", file]
    assert command.main(["compare", *files, *options]) == 0
    assert "Avg" in capsys.readouterr().out
    values = json.loads((tmp_path / "all.json").read_text())["values"]
    assert [v["task"] for v in values].count("Avg") == 2
    with pytest.raises(SystemExit):
        command.main(["compare", *files, "--average", "x"])
