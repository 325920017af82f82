"""Recipes run from the command line, and say what the paper says."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import pytest

from recipes import ab_clip
from recipes import budget
from recipes import clip
from recipes import looking
from recipes.options import RunOptions
from recipes.options import parse
from tests.findings import makers

ROOT = pathlib.Path(__file__).parent.parent.parent
# One backend runs the smokes by default; the others do in `make test-slow`.
SMOKE = () if keras.backend.backend() == "torch" else pytest.mark.slow


def run(*arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        check=True,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize(
    "recipe", [pytest.param(n, marks=SMOKE) for n in ("ab_clip", "clip")]
)
def test_smoke(recipe, tmp_path):
    arguments = [f"recipes.{recipe}", "--smoke", "--output", str(tmp_path)]
    run(*arguments)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["backend"] == keras.backend.backend()
    assert 0 <= results["online"]["linear"] <= 1
    assert results["untrained"].keys() == results["online"].keys()
    low, high = results["online"]["intervals"]["linear"]
    assert low <= results["online"]["linear"] <= high
    lines = (tmp_path / "history.jsonl").read_text().splitlines()
    assert len(lines) == 8
    # A second call finds the run complete.
    run(*arguments)
    assert len((tmp_path / "history.jsonl").read_text().splitlines()) == 8


@pytest.mark.parametrize("recipe", [pytest.param("ab_clip", marks=SMOKE)])
def test_smoke_on_other_scenes(recipe, tmp_path, monkeypatch, capsys):
    asked = []

    def recorded(size=20, seed=0, split="train"):
        asked.append((size, seed, split))
        return makers.flat(size, seed, split)

    monkeypatch.setattr(makers, "recorded", recorded, raising=False)
    name = "tests.findings.makers:recorded"
    ab_clip.main(
        ["--smoke", "--output", str(tmp_path), "--scenes", name]
        + ["--images", "128", "--captioned", "64", "--views", "384"]
        + ["--collect-every", "1", "--monitor-every", "0"]
    )
    assert asked == [(128, 0, "train"), (looking.IMAGES, 2_000_003, "test")]
    # Never on scenes that are others.
    results = json.loads((tmp_path / "results.json").read_text())
    assert set(results) == {"method", "backend", "version", "options"}
    assert f"checkpoints classification={name}" in capsys.readouterr().out
    assert (tmp_path / "collected.npz").exists()


@pytest.mark.parametrize("backend", [pytest.param("torch", marks=SMOKE)])
def test_demo(backend, tmp_path):
    printed = run("recipes.demo", "--smoke", "--output", str(tmp_path))
    results = json.loads((tmp_path / "results.json").read_text())
    assert {"abclip", "clip", "untrained", "chance", "views", "captioned"} <= (
        set(results)
    )
    assert {"unlabelled", "backend", "seconds"} <= set(results)
    names = {
        "zero_shot",
        "knn",
        "linear",
        "reward_accuracy",
        "value_forced_choice",
        "value_forced_choice_seen",
        "value_forced_choice_unseen",
        "value_forced_choice_shuffled_actions",
    }
    assert set(results["chance"]) == names
    for figures in (results["abclip"], results["ceiling"]):
        of_all = figures["value_forced_choice"]
        apart = [
            figures[f"value_forced_choice_{s}"] for s in ("seen", "unseen")
        ]
        assert 0 <= min(apart) <= of_all <= max(apart) <= 1
    assert set(results["abclip"]) == names | {"intervals"}
    for name in ("curves.png", "value_map.png", "abclip.keras"):
        assert (tmp_path / name).exists()
    # A folder's name may be as long as it likes.
    lines = printed.replace(str(tmp_path), "").splitlines()
    assert max(map(len, lines)) <= 80


def test_table_7():
    ours, base = ab_clip.PAPER, clip.PAPER
    assert budget.views_per_step(ours) == base.reward_batch_size == 8192
    assert ours.reward_batch_size == ours.value_batch_size * ours.num_views
    for options in (ours, base):
        assert options.views // 8192 == 97_656
        assert options.learning_rate == 1e-3
        assert options.weight_decay == 0.1
        assert options.beta_2 == 0.98
    assert (ours.gamma, ours.target_rate) == (0.5, 0.004)
    assert (ours.value_area_low, ours.value_area_high) == (0.05, 0.5)


def test_options(capsys):
    scales = {"paper": ab_clip.PAPER, "small": ab_clip.SMALL}
    options = parse(scales, "", ["--small", "--seed", "3", "--gamma", "0.9"])
    assert (options.seed, options.gamma, options.size) == (3, 0.9, "tiny")
    assert parse(scales, "", []) == ab_clip.PAPER
    with pytest.raises(SystemExit):
        parse(scales, "", ["--help"])
    assert "A.2" in capsys.readouterr().out


def test_help_names_a_value_once_where_scales_agree(capsys):
    scales = {
        "paper": RunOptions(),
        "small": RunOptions(size="tiny", image_size=48),
        "smoke": RunOptions(size="test", image_size=48),
    }
    with pytest.raises(SystemExit):
        parse(scales, "", ["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "side of a patch in pixels (default 16)" in text
    assert "(default auto)" in text
    assert "'' for results.json there (default '')" in text
    assert "(paper S, small tiny, smoke test)" in text
    assert "(paper 224, small 48, smoke 48)" in text
