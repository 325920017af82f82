"""The trained presets that come with the package."""

import json
import pathlib
import re
import socket

import keras
import numpy as np
import pytest

from keras_ab import data
from keras_ab import presets
from keras_ab.presets import shipped
from keras_ab.probes import evaluate_command

NAMES = [
    f"{method}_tiny_scenes"
    for method in ("clip", "simclr", "dino", "abclip", "absimclr", "abdino")
]
# Pooled features of two scenes by the model that was shipped, on TensorFlow.
FEATURES = pathlib.Path(__file__).parent / "shipped_features.npz"


def pooled(model):
    scenes = data.Scenes(size=2, seed=1_000_003, split="test", image_size=48)
    images = np.stack([scenes[i]["image"] for i in range(2)])
    return keras.ops.convert_to_numpy(model.pool(images))


def test_all_six_are_there():
    assert sorted(shipped.index()) == sorted(NAMES)
    files = [f for f in shipped.FOLDER.rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files) < 40 * 2**20


@pytest.mark.parametrize("name", NAMES)
def test_opens_without_a_network_as_it_was(name, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("The network was asked.")

    monkeypatch.setattr(socket, "socket", refuse)
    model = presets.load(name)
    with np.load(FEATURES) as expected:
        np.testing.assert_allclose(
            pooled(model), expected[name], atol=2e-4, rtol=1e-3
        )
    card = (shipped.FOLDER / name / "README.md").read_text()
    assert "not stated" not in card.lower()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_card_is_reproduced(name, tmp_path):
    results = tmp_path / "results.json"
    evaluate_command.main(
        [
            *(f"preset:{name}", "classification", "count"),
            *("--probe", "linear", "knn", "--train", "3000"),
            *("--test", "2000", "--json", str(results)),
        ]
    )
    card = (shipped.FOLDER / name / "README.md").read_text()
    for measured in json.loads(results.read_text())["results"]:
        row = rf"\| {measured['task']}, {measured['probe']} \| ([\d.]+) \|"
        (said,) = re.findall(row, card)
        value = 100 * measured["outcomes"][0]["value"]
        assert abs(value - float(said)) <= 0.5
