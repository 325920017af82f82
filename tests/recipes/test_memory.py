"""What a plan says of memory is near what a step keeps."""

import importlib

import keras
import pytest

from recipes import budget
from recipes import dry_run
from recipes import memory
from recipes.options import parse
from tests import memory as measured
from tests.models import factory

BACKEND = keras.backend.backend()


def made(name, *arguments):
    """A recipe's smoke model and options."""
    recipe = importlib.import_module(f"recipes.{name}")
    scales = {"paper": recipe.PAPER, "smoke": recipe.SMOKE}
    options = parse(scales, "", ["--smoke", *arguments])
    model, _ = recipe.build(options, dry_run.tokenizer())
    return model, options


def batch(model, options):
    """A batch of the recipe's sizes."""
    rng = factory.np.random.default_rng(0)
    side, sizes = options.image_size, budget.batch(options)

    def pixels(*shape):
        shape = (*shape, side, side, 3)
        return rng.integers(0, 256, shape).astype("uint8")

    parts = {
        "reward": {
            "image": pixels(sizes["reward"]),
            "text": rng.integers(0, 32000, (sizes["reward"], 64), "int32"),
        }
    }
    if "value" in sizes:
        shape = sizes["value"], options.num_views
        parts["value"] = {
            "image": pixels(*shape),
            "boxes": factory.boxes(rng, *shape),
        }
    return parts


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch says what it keeps")
@pytest.mark.parametrize("name", ["clip", "ab_clip"])
def test_what_is_kept(name):
    model, options = made(name)
    expected = memory.per_step(model, options)
    found = measured.memory(model, batch(model, options))
    kept = expected["encoders"] + expected["heads_and_losses"]
    assert 0.8 < kept / found < 1.25, (kept, found)


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
