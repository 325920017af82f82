"""RESULTS.md and results.json."""

import json

import numpy as np
import pytest

from findings import answers
from findings import pool
from findings import verdict
from findings import write
from findings.__main__ import main
from findings.effect import difference
from findings.finding import SEEDS
from tests.findings.made_up import FIGURE
from tests.findings.made_up import made


def test_results(case, tmp_path):
    finding, store, drawn = case
    assert len(store.missing()) == 6
    for one in finding.runs[:-1]:
        made(store, one)
    empty = write.write_results([finding], store, tmp_path / "a")
    assert not empty
    text = (tmp_path / "a/RESULTS.md").read_text()
    assert "Not answered: 1 of its 6 runs are missing." in text
    assert write.PROVISIONAL in text
    made(store, finding.runs[-1])
    assert not store.missing()

    judged = write.write_results([finding], store, tmp_path / "a")
    found = json.loads((tmp_path / "a/results.json").read_text())
    assert [one["finding"] for one in found] == [
        "T0: better",
        "T0: once",
        "T0: a number",
    ]
    assert set(found[0]) == {
        "finding",
        "verdict",
        "effect",
        "interval",
        "seeds",
        "views",
    }
    gain = difference(*finding.runs[3::-3][:2], FIGURE)
    means = [gain(store.get, seed).value for seed in SEEDS]
    np.testing.assert_allclose(found[0]["effect"], np.mean(means))
    assert [one["seeds"] for one in found] == [3, 1, 3]
    assert {one["views"] for one in found} == {7}
    assert judged[2].verdict == verdict.INCONCLUSIVE
    spread = answers.spreads([finding], store)
    np.testing.assert_allclose(spread[FIGURE], np.std(means, ddof=1))
    np.testing.assert_allclose(spread["cosine"], 1.0)

    text = (tmp_path / "a/RESULTS.md").read_text()
    values = [store.get(one).value(FIGURE) for one in finding.runs[:3]]
    assert write.PROVISIONAL not in text
    assert f"| CLIP | {100 * np.mean(values):.1f} ± " in text
    assert f"| better | {100 * np.mean(means):+.1f} | " in text
    assert "| a number | +1.500 | -0.984 to +3.984 | 3 | inconclusive |" in text
    assert "6 of 6 runs, 7 views each, on jax: 6.0 core-hours" in text
    assert "![a title](plots/T0.png)" in text
    assert "Not asked: much" in text
    assert drawn[-1].last("a/b") == 3.0
    with pytest.raises(KeyError, match=r"clip.*classification/linear"):
        drawn[-1].outcome("count/linear")


def test_writing_alone_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "do_all", lambda *_: pytest.fail("it ran"))
    folders = ["--runs", str(tmp_path / "a"), "--output", str(tmp_path / "b")]
    found = tmp_path / "found.json"
    quick = ["--budget", "quick", "--json", str(found), *folders]
    assert main([*quick, "--write"]) == 0
    assert json.loads(found.read_text()) == []
    assert main([*quick, "--list"]) == 0
    assert json.loads(found.read_text()) == {
        "findings": {
            "headline": {
                "title": "ABCLIP over CLIP at equal views",
                "runs": 6,
                "left": 6,
            }
        },
        "runs": 6,
        "left": 6,
        "core_hours_left": None,
        "unknown": ["ab_clip", "clip"],
    }
    text = (tmp_path / "b/RESULTS.md").read_text()
    assert "Not answered: 6 of its 6 runs are missing." in text
