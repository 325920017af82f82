"""Comparisons: differences, their intervals, and what is refused."""

import csv
import io
import json
import pathlib
import re

import numpy as np
import pytest

from keras_ab import probes
from keras_ab.probes import __main__ as command
from keras_ab.probes import tables
from keras_ab.probes.compare import Column
from tests.probes.test_results import report
from tests.probes.test_results import result


def column(task="counting", probe="knn", metric="accuracy"):
    return Column(task, probe, metric)


def test_differences_are_paired():
    a, b = result(seed=0, rate=0.5), result(seed=1, rate=0.6)
    found = probes.compare([report("a", a), report("b", b)])
    assert found.names == ["a", "b"] and found.baseline == "a"
    cell = found.cells["b", column()]
    one, other = (x.outcomes[0].per_example for x in (a, b))
    assert cell.difference == pytest.approx(other.mean() - one.mean())
    assert cell.interval == probes.bootstrap_interval(other - one)
    assert cell.paired and found.cells["a", column()].difference is None
    cell = found.cells["b", column(metric="median")]
    one, other = (x.outcomes[1].resampled for x in (a, b))
    expected = np.percentile(other - one, [2.5, 97.5])
    np.testing.assert_allclose(cell.interval, expected)
    assert cell.paired


def test_pairs_tell_more_than_intervals():
    rng = np.random.default_rng(0)
    hits = rng.random(500) < 0.5
    better = hits.copy()
    better[np.flatnonzero(~hits)[:15]] = True
    both = [
        report(
            name, probes.Result("t", "p", [probes.Outcome.from_hits("a", h)])
        )
        for name, h in (("base", hits), ("better", better))
    ]
    cell = probes.compare(both).cells["better", column("t", "p", "a")]
    # 3 points are far inside the width of either interval.
    assert not cell.inside and cell.interval[0] > 0.01
    for one in both:
        one.results[0].outcomes[0].per_example = None
    cell = probes.compare(both).cells["better", column("t", "p", "a")]
    assert cell.inside and not cell.paired
    a, b = (one.results[0].outcomes[0] for one in both)
    low = np.hypot(b.value - b.interval[0], a.interval[1] - a.value)
    assert cell.interval[0] == pytest.approx(b.value - a.value - low)


def test_groups_stay_together():
    rng = np.random.default_rng(0)
    groups = np.arange(40).repeat(10)
    outcomes = [
        probes.Outcome.from_hits(
            "a", (rng.random(40) < 0.5).repeat(10), groups=g
        )
        for g in (groups, groups, groups[::-1] // 2)
    ]
    a, b, c = (
        report(n, probes.Result("t", "p", [o])) for n, o in zip("abc", outcomes)
    )
    found = probes.compare([a, b, c])
    cell = found.cells["b", column("t", "p", "a")]
    paired = outcomes[1].per_example - outcomes[0].per_example
    assert cell.interval == probes.bootstrap_interval(paired, groups=groups)
    assert not found.cells["c", column("t", "p", "a")].paired


@pytest.mark.parametrize(
    "change, message",
    [
        ({"settings": {"k": 5, "task": {"name": "counting"}}}, "k: 5, 20"),
        ({"settings": {"k": 20, "task": {"name": "x"}}}, "task: "),
        ({"crop": "whole"}, "crop: whole, center"),
        ({"data": {"train": {}, "test": {"name": "x"}}}, "test data: x"),
    ],
)
def test_other_ways_to_measure_are_refused(change, message):
    reports = [report("a"), report("b", result(**change))]
    with pytest.raises(probes.NotComparable, match=message):
        probes.compare(reports)
    found = probes.compare(reports, anyway=True)
    cell = found.cells["b", column()]
    assert cell.foreign and not cell.paired and found.faults
    assert found.cells["a", column()].foreign is False
    for write in (probes.markdown, probes.latex):
        text = write(found)
        assert "†" in text and message.split(":")[0] in text
    assert "True\n" in probes.comma_separated(found)


def test_another_protocol_is_refused():
    reports = [report("a"), report("b", protocol=99)]
    with pytest.raises(
        probes.NotComparable, match=f"protocol: 99, {probes.PROTOCOL}"
    ):
        probes.compare(reports)
    assert probes.compare(reports, anyway=True).cells["b", column()].foreign


def test_names():
    online = report("vit")
    online.encoder["branch"] = "online"
    found = probes.compare([report("vit"), online])
    assert found.names == ["vit (target)", "vit (online)"]
    found = probes.compare([report("vit"), report("vit")])
    assert found.names == ["vit (target) #1", "vit (target) #2"]
    found = probes.compare({"x": report("vit"), "y": report("vit")}, "y")
    assert found.names == ["x", "y"] and found.baseline == "y"
    assert found.cells["y", column()].difference is None
    with pytest.raises(ValueError, match=r"one of \['x'\].*'y'"):
        probes.compare({"x": report()}, "y")
    with pytest.raises(ValueError, match="none"):
        probes.compare([])
    with pytest.raises(ValueError, match="counting by knn twice"):
        probes.compare([report("a", result(), result())])


def test_what_is_not_measured_is_left_empty():
    found = probes.compare(
        [report("a", result()), report("b", result("depth"), result(seed=1))]
    )
    assert [(c.task, c.metric) for c in found.columns] == [
        ("counting", "accuracy"),
        ("counting", "median"),
        ("depth", "accuracy"),
        ("depth", "median"),
    ]
    assert ("a", column("depth")) not in found.cells
    # Nothing to compare with.
    assert found.cells["b", column("depth")].difference is None
    assert "–" in probes.markdown(found) and "--" in probes.latex(found)


@pytest.fixture
def three():
    names = ("DINO_1", "AB & more", "a|b")
    return probes.compare(
        [
            report(n, result(seed=s, rate=0.5 + 0.2 * s))
            for s, n in enumerate(names)
        ]
    )


def test_markdown(three):
    lines = probes.markdown(three, rows="encoders").splitlines()
    assert lines[0] == "|  | counting accuracy | counting median |"
    assert lines[1] == "|---|---:|---:|"
    value = three.cells["DINO_1", column()].outcome.value
    assert lines[2].startswith(f"| DINO_1 | {100 * value:.1f} |")
    assert re.search(r"\| \d\d\.\d<sub>\+\d\d\.\d</sub> \|", lines[3])
    assert lines[4].startswith(r"| a\|b |")
    assert "Differences are to DINO_1." in lines[6]
    turned = probes.markdown(three, rows="metrics").splitlines()
    assert turned[0] == r"|  | DINO_1 | AB & more | a\|b |"
    # Three encoders and two metrics: fewer columns with encoders as rows.
    assert probes.markdown(three).splitlines() == lines
    with pytest.raises(ValueError, match="`rows`"):
        probes.markdown(three, rows="x")


def test_chance_is_marked():
    found = probes.compare([report("a"), report("b", result(seed=1))])
    cell = found.cells["b", column()]
    assert cell.inside
    assert "≈</sub>" in probes.markdown(found)
    assert "may be chance" in probes.markdown(found)
    assert r"\approx}$" in probes.latex(found)


def test_a_difference_without_an_interval_says_so():
    reports = []
    for name, seed in (("a", 0), ("b", 1)):
        one = result(seed=seed)
        one.outcomes[0].per_example = one.outcomes[0].interval = None
        reports.append(report(name, one))
    found = probes.compare(reports).headlines()
    cell = found.cells["b", column()]
    assert cell.difference is not None and cell.interval is None
    assert "?</sub>" in probes.markdown(found)
    assert "no interval" in probes.markdown(found)
    assert "?}$" in probes.latex(found)


def test_latex(three):
    text = probes.latex(three, rows="encoders")
    assert r"AB \& more" in text and r"DINO\_1" in text
    assert r"\begin{tabular}{lrr}" in text
    assert re.search(r"\d\d\.\d\$_\{\+\d\d\.\d\}\$ ", text)
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(body) == 4 and {line.count(" & ") for line in body} == {2}
    # What is not ASCII needs a package.
    assert all(ord(sign) < 128 for line in body for sign in line)


def test_csv(three):
    rows = list(csv.DictReader(io.StringIO(probes.comma_separated(three))))
    assert len(rows) == 6
    row = next(
        r
        for r in rows
        if r["encoder"] == "AB & more" and r["metric"] == "accuracy"
    )
    cell = three.cells["AB & more", column()]
    assert float(row["value"]) == cell.outcome.value
    assert float(row["difference_low"]) == cell.interval[0]
    assert row["paired"] == "True" and row["inside"] == str(cell.inside)
    assert float(row["chance"]) == 0.1 and row["examples"] == "200"
    assert row["ceiling"] == ""


def test_headlines(three):
    found = three.headlines()
    assert found.columns == [column()]
    assert probes.markdown(found).startswith("|  | counting |")
    assert probes.comma_separated(found).count("\n") == 4


def test_numbers():
    assert tables.number(0.12345) == "12.3" and tables.number(None) == "–"
    assert tables.number(float("nan")) == "–"
    assert tables.signed(-0.051) == "−5.1" and tables.signed(0.0) == "+0.0"


def test_plot(three, tmp_path):
    from PIL import Image

    probes.plot(three, tmp_path / "a.png")
    picture = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    # Three colours of matplotlib's cycle, one an encoder.
    for colour in ((31, 119, 180), (255, 127, 14), (44, 160, 44)):
        assert (picture == colour).all(-1).sum() > 20


@pytest.fixture
def files(tmp_path):
    report("CLIP", result(), result("depth", seed=2)).save(tmp_path / "a.json")
    better = report("AB", result(seed=1, rate=0.9), result("depth", seed=3))
    better.save(tmp_path / "b.json")
    return [str(tmp_path / name) for name in ("a.json", "b.json")]


def run(*arguments):
    return command.main(["compare", *map(str, arguments)])


def test_the_command(files, tmp_path, capsys):
    out = tmp_path / "new"
    written = [
        text
        for kind in ("markdown", "latex", "csv", "json", "plot")
        for text in (
            f"--{kind}",
            out / f"c.{'png' if kind == 'plot' else kind}",
        )
    ]
    assert run(*files, *written) == 0
    shown = capsys.readouterr().out
    assert "CLIP" in shown and "counting" in shown and "median" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    found = probes.compare(files).headlines()
    assert (out / "c.markdown").read_text() == probes.markdown(found)
    assert (out / "c.latex").read_text() == probes.latex(found)
    assert (out / "c.csv").read_text() == probes.comma_separated(found)
    assert (out / "c.png").stat().st_size > 5000
    said = json.loads((out / "c.json").read_text())
    assert said["baseline"] == "CLIP" and said["encoders"] == ["CLIP", "AB"]
    assert said["values"] == tables.lines(found)


def test_the_command_takes_names(files, capsys):
    named = [f"{name}={file}" for name, file in zip("xy", files)]
    assert run(*named, "--baseline", "y", "--all", "--rows", "metrics") == 0
    shown = capsys.readouterr().out
    assert "counting median" in shown and "Differences are to y." in shown
    with pytest.raises(SystemExit):
        run(named[0], files[1])
    assert "either all files" in capsys.readouterr().err


def test_a_wide_table_folds(tmp_path, capsys):
    name = "a-model-with-a-very-long-name-indeed/and-a-folder/{}"
    for number in range(4):
        path = tmp_path / f"{number}.json"
        report(name.format(number), result(seed=number)).save(path)
    assert run(*sorted(tmp_path.glob("*.json"))) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda a, b: b.write_text(b.read_text()[:99]),
            "b.json is not a whole",
        ),
        (lambda a, b: b.unlink(), "No such file"),
        (lambda a, b: report("c", protocol=9).save(b), "--anyway"),
        (lambda a, b: report("c", result(crop="x")).save(b), "crop: x, center"),
    ],
)
def test_the_command_says_what_is_wrong(files, capsys, change, message):
    change(*map(pathlib.Path, files))
    with pytest.raises(SystemExit) as caught:
        run(*files)
    assert caught.value.code == 1
    assert message in capsys.readouterr().err


def test_the_command_compares_anyway(files, capsys):
    report("c", protocol=9).save(files[1])
    assert run(*files, "--anyway") == 0
    assert "†" in capsys.readouterr().out
