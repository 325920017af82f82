"""Recipes' runs: their history, and going on with them."""

import dataclasses
import io
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import zipfile

import h5py
import keras
import pytest

from keras_ab import callbacks
from recipes import runs
from tests.callbacks import quick
from tests.callbacks import training

ROOT = pathlib.Path(__file__).parent.parent.parent
STEPS = 7


@dataclasses.dataclass(frozen=True)
class Options:
    output: str
    seed: int = 0
    resume: str = "auto"
    # What is trained here has no features to watch.
    monitor_every: int = 0
    collect_every: int = 0
    compiled: str = "none"


def batches(start):
    return quick.Pairs(start, STEPS)


def fit(options):
    keras.utils.set_random_seed(options.seed)
    model = quick.adding(optimizer="adam")
    # Saves after each step, reports after every second and the last.
    runs.fit(model, batches, STEPS, 10, options, reports=3)
    return model


def test_a_run_cut_off(tmp_path, monkeypatch, capsys):
    whole, cut = Options(str(tmp_path / "a")), Options(str(tmp_path / "b"))
    model = fit(whole)
    save = callbacks.Checkpoint.save
    for step, when in ((4, "after"), (6, "before")):

        def cut_off(self, step=step, when=when):
            if when == "after" or self.step < step:
                save(self)
            if self.step == step:
                self._sigterm.unwatch()
                raise training.CutOff

        monkeypatch.setattr(callbacks.Checkpoint, "save", cut_off)
        with pytest.raises(training.CutOff):
            fit(cut)
        with open(tmp_path / "b/history.jsonl", "a") as stream:
            stream.write('{"step": 4, "vi')
    monkeypatch.setattr(callbacks.Checkpoint, "save", save)
    capsys.readouterr()
    training.check_equal(fit(cut), training.state(model))
    assert "Going on at step 5 of 7." in capsys.readouterr().out
    histories = [
        (tmp_path / name / "history.jsonl").read_text() for name in "ab"
    ]
    assert histories[0] == histories[1]
    lines = [json.loads(line) for line in histories[0].splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 6, 7]
    assert [line["views"] for line in lines] == [20, 40, 60, 70]
    # A complete run is restored, and not trained.
    training.check_equal(fit(cut), training.state(model))
    assert (tmp_path / "b/history.jsonl").read_text() == histories[0]
    with pytest.raises(ValueError, match="seed 0, now 1"):
        fit(dataclasses.replace(cut, seed=1))
    assert "Going on at step 7 of 7." in capsys.readouterr().out
    # Anew, from the first step.
    again = dataclasses.replace(cut, resume="never")
    training.check_equal(fit(again), training.state(model))
    assert (tmp_path / "b/history.jsonl").read_text() == histories[0]
    assert "Going on" not in capsys.readouterr().out


def test_forget(tmp_path):
    path = tmp_path / "history.jsonl"
    runs.forget(path, 3)
    assert not path.exists()
    path.write_text('{"step": 2}\n{"step": 4}\n{"st')
    runs.forget(path, 4)
    assert path.read_text() == '{"step": 2}\n{"step": 4}\n'
    runs.forget(path, 3)
    assert path.read_text() == '{"step": 2}\n'
    runs.forget(path, 0)
    assert path.read_text() == ""


def start(folder):
    return subprocess.Popen(
        [sys.executable, "-m", "recipes.ab_clip", "--smoke"]
        + ["--monitor-every", "3", "--output", str(folder)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def lines(folder):
    path = folder / "history.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def newest(folder):
    """The values in the last checkpoint, by name."""
    path = max((folder / "checkpoints").glob("step-*.keras"))
    values = {}

    def note(name, node):
        if isinstance(node, h5py.Dataset):
            values[name] = node[()].tobytes()

    with zipfile.ZipFile(path) as archive:
        values["seeds"] = json.loads(archive.read("training.json"))["seeds"]
        content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content) as weights:
        weights.visititems(note)
    return values


@pytest.mark.slow
def test_a_recipe_killed_at_random(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert start(whole).wait() == 0
    rng = random.Random(0)
    kills = 0
    while True:
        process = start(cut)
        before, count = len(lines(cut)), rng.randint(1, 3)
        while process.poll() is None and kills < 5:
            if len(lines(cut)) >= min(before + count, 8):
                # Somewhere between two steps, in one, or in a save.
                time.sleep(rng.random() * 0.2)
                sent = signal.SIGTERM if kills == 2 else signal.SIGKILL
                process.send_signal(sent)
                kills += 1
                break
        if process.wait() == 0:
            break
        assert process.returncode in (-signal.SIGKILL, 143, -signal.SIGTERM)
    assert kills >= 2
    assert lines(cut) == lines(whole)
    assert len(lines(cut)) == 8
    results = [
        json.loads((folder / "results.json").read_text())
        for folder in (whole, cut)
    ]
    assert results[0]["target"] == results[1]["target"]
    readings = [(f / "monitor.jsonl").read_text() for f in (whole, cut)]
    assert readings[0] == readings[1]
    assert newest(cut) == newest(whole)
    assert len(newest(cut)) > 100
