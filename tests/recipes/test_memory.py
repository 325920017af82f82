"""What a plan says of memory is near what a step keeps."""

import importlib

import keras
import numpy as np
import pytest

from recipes import dry_run
from recipes import memory
from recipes import runs
from recipes.options import parse
from tests import memory as measured
from tests.recipes import test_methods

BACKEND = keras.backend.backend()


def made(name, *arguments):
    """A recipe's smoke model and options."""
    recipe = importlib.import_module(f"recipes.{name}")
    scales = {"paper": recipe.PAPER, "smoke": recipe.SMOKE}
    options = parse(scales, "", ["--smoke", *arguments])
    model, _ = recipe.build(options, dry_run.tokenizer())
    return model, options


class Begun(Exception):
    """A run that would begin now."""


def begun(name, monkeypatch):
    """A smoke's model, first batch and options, before it trains."""

    def stop(model, batches, steps, views, options):
        batch = next(iter(batches(0)))
        raise Begun(model, keras.tree.map_structure(np.asarray, batch), options)

    monkeypatch.setattr(runs, "fit", stop)
    recipe = importlib.import_module(f"recipes.{name}")
    with pytest.raises(Begun) as found:
        recipe.main(["--smoke", "--images", "128", "--test", "64"])
    return found.value.args


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch says what it keeps")
@pytest.mark.slow
@pytest.mark.parametrize("name", test_methods.TABLE)
def test_what_is_kept(name, monkeypatch):
    model, batch, options = begun(name, monkeypatch)
    expected = memory.per_step(model, options)
    found = measured.memory(model, batch)
    kept = expected["encoders"] + expected["heads_and_losses"]
    assert kept == pytest.approx(found, rel=0.25)


def test_a_device():
    model, options = made("ab_clip", "--plan", "t4")
    flops = 65 * 10**12
    found = memory.verdict(model, options, flops, "t4")
    assert found == {
        "device": "t4",
        "device_gb": 16,
        "encoder_passes": 1,
        "least_seconds": 1.0,
    }
    parts = memory.per_step(model, options)
    assert parts["total"] == sum(parts.values()) - parts["total"]
    weights = sum(
        w.size for w in map(keras.ops.convert_to_numpy, model.weights)
    )
    assert parts["weights"] == 4 * weights
    # Parts of a batch shrink what encoders keep, and nothing else.
    less = memory.per_step(model, options, passes=4)
    assert less.pop("encoders") == -(-parts.pop("encoders") // 4)
    assert less.pop("total") < parts.pop("total")
    assert less == parts


def test_too_small_a_device(monkeypatch):
    model, options = made("clip")
    total = memory.per_step(model, options)["total"]
    monkeypatch.setitem(memory.DEVICES, "small", (0.9 * total / 1e9, 1))
    assert memory.verdict(model, options, 1, "small")["encoder_passes"] == 2
    monkeypatch.setitem(memory.DEVICES, "tiny", (1e-6, 1))
    assert memory.verdict(model, options, 1, "tiny")["encoder_passes"] is None
