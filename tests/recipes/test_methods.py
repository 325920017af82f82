"""Every method's recipe: a smoke, and the numbers of Table 7."""

import dataclasses
import importlib
import json
import math

import keras
import numpy as np
import pytest

from recipes import budget
from recipes import flops
from recipes import runs
from recipes.options import parse

# One backend runs these by default; the others do in `make test-slow`.
SMOKE = () if keras.backend.backend() == "torch" else pytest.mark.slow

# Views of a step, steps, peak rate, its end, warm-up, decay at both ends,
# second moment, clipping, τ at both ends: METHODS section 2.
RAMP = (0.04, 0.4)
NONE = (None, None)
TABLE = {
    "clip": (8192, 97_656, 1e-3, 0, 1060, (0.1, 0.1), 0.98, None, NONE),
    "clip_aug": (8192, 97_656, 1e-3, 0, 1060, (0.1, 0.1), 0.98, None, NONE),
    "simclr": (8192, 97_656, 1e-3, 0, 3128, RAMP, 0.999, None, NONE),
    "dino": (10240, 78_125, 1e-3, 1e-6, 12_512, RAMP, 0.999, 1.0, (0.004, 0)),
    # Every view counted; Table 7 prints 9216.
    "slip": (8192, 97_656, 1e-3, 0, 1060, (0.1, 0.1), 0.98, None, NONE),
    "silc": (
        *(9216, 86_806, 1e-3, 0, 1060, (0.1, 0.1), 0.98, None),
        (0.004, 0.004),
    ),
    "mae": (8192, 97_656, 2.4e-3, 0, 10_000, (0.05, 0.05), 0.95, None, NONE),
    "ijepa": (4096, 195_313, 1e-3, 1e-6, 12_512, RAMP, 0.999, None, (0.004, 0)),
    "ab_clip": (
        *(8192, 97_656, 1e-3, 0, 1060, (0.1, 0.1), 0.98, None),
        (0.004, 0.004),
    ),
    "ab_simclr": (8192, 97_656, 1e-3, 0, 3128, RAMP, 0.999, None, (0.004, 0)),
    "ab_dino": (
        *(10240, 78_125, 1e-3, 1e-6, 12_512, RAMP, 0.999, 1.0),
        (0.004, 0),
    ),
}
NEW = sorted(set(TABLE) - {"clip", "ab_clip"})


def recipe(name):
    return importlib.import_module(f"recipes.{name}")


def images_of(batch):
    """Shapes of a batch's images."""
    leaves = keras.tree.flatten(batch)
    return [leaf.shape for leaf in leaves if leaf.dtype == np.uint8]


@pytest.mark.parametrize("name", [pytest.param(n, marks=SMOKE) for n in TABLE])
def test_encoder_passes(name):
    arguments = ["--smoke", "--dry-run"]
    whole = recipe(name).main(arguments)
    less = recipe(name).main([*arguments, "--encoder-passes", "2"])
    assert (whole["encoder_passes"], less["encoder_passes"]) == (1, 2)
    whole, less = whole["bytes"]["encoders"], less["bytes"]["encoders"]
    assert less == math.ceil(whole / 2)


@pytest.mark.parametrize("name", [pytest.param(n, marks=SMOKE) for n in NEW])
def test_smoke(name, tmp_path, monkeypatch):
    seen = {}
    fit = runs.fit

    def recorded(model, batches, steps, views, options):
        seen.update(model=model, batches=batches, steps=steps, options=options)
        fit(model, batches, steps, views, options)

    monkeypatch.setattr(runs, "fit", recorded)
    arguments = ["--smoke", "--output", str(tmp_path), "--images", "128"]
    arguments += ["--test", "64", "--monitor-every", "3"]
    recipe(name).main(arguments)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["backend"] == keras.backend.backend()
    text = hasattr(seen["options"], "captions")
    figures = {"knn", "linear"}
    figures |= {"zero_shot", "reward_accuracy"} if text else set()
    assert set(results["chance"]) == figures
    assert set(results["target"]) == figures | {"intervals"}
    assert int(seen["model"].updates) == seen["steps"] > 1
    lines = (tmp_path / "history.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["step"] == seen["steps"]
    readings = (tmp_path / "monitor.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in readings] == list(
        range(3, seen["steps"] + 1, 3)
    )
    assert all(json.loads(line)["feature_spread"] > 0 for line in readings)
    batch = next(iter(seen["batches"](0)))
    batch = keras.tree.map_structure(np.asarray, batch)
    views = sum(math.prod(shape[:-3]) for shape in images_of(batch))
    assert views == budget.views_per_step(seen["options"])
    if keras.backend.backend() == "torch":
        check_flops(seen["model"], batch, seen["options"])


def check_flops(model, batch, options):
    """PyTorch's own count of a step, by the products that it runs."""
    from torch.nn import attention
    from torch.utils.flop_counter import FlopCounterMode

    # As plain products, since it does not count the fused kernel for CPUs.
    plain = attention.sdpa_kernel(attention.SDPBackend.MATH)
    with plain, FlopCounterMode(display=False) as counter:
        model.train_on_batch(batch)
    counted = flops.per_step(model, options)["total"]
    # The first layer's input, pixels, has no gradient.
    patch = math.prod(model.encoder.patch_size)
    patches = sum(math.prod(shape[:-1]) // patch for shape in images_of(batch))
    counted -= 2 * patches * flops.kernels(model.encoder.patches)
    # Chunks of the value loss are computed twice.
    assert counted == pytest.approx(counter.get_total_flops(), rel=0.1)


@pytest.mark.parametrize("name", [pytest.param(n, marks=SMOKE) for n in TABLE])
def test_table_7(name, tmp_path, capsys):
    views, steps, peak, end, warmup, decay, beta_2, clip, rates = TABLE[name]
    path = tmp_path / "plan.json"
    # At full length on a small network: no number here hangs on its size.
    small = ["--size", "test", "--image-size", "96"]
    if "num_prototypes" in recipe(name).PAPER.__dict__:
        small += ["--num-prototypes", "64"]
    if hasattr(recipe(name).PAPER, "text_layers"):
        small += ["--text-layers", "1"]
    if name == "ijepa":
        small += ["--min-patches", "3"]
    recipe(name).main(["--dry-run", "--json", str(path), *small])
    assert "learning rate" in capsys.readouterr().out
    plan = json.loads(path.read_text())
    assert (plan["views"], plan["views_per_step"]) == (800_000_000, views)
    assert plan["steps"] == steps
    assert recipe(name).PAPER.beta_2 == beta_2
    assert plan["clip_norm"] == clip
    rows = plan["schedule"]
    assert [rows[k]["step"] for k in ("start", "warmup_end", "last")] == [
        *(0, warmup, steps - 1)
    ]
    start = 2e-4 if name == "ijepa" else 0.0
    expected = [start, peak, end]
    found = [rows[k]["learning_rate"] for k in ("start", "warmup_end", "last")]
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-9)
    # The middle of each schedule, worked out here.
    half = rows["half"]
    done = (half["step"] - warmup) / (steps - warmup)
    rate = end + (peak - end) * 0.5 * (1 + math.cos(math.pi * done))
    assert half["learning_rate"] == pytest.approx(rate, rel=1e-4)
    assert [rows[k]["weight_decay"] for k in ("start", "last")] == (
        pytest.approx(decay, rel=1e-5)
    )
    assert half["weight_decay"] == pytest.approx(sum(decay) / 2, rel=1e-3)
    found = [rows[k]["target_rate"] for k in ("start", "last")]
    if rates is NONE:
        assert found == [None, None]
    else:
        assert found == pytest.approx(rates, abs=1e-7)
        assert half["target_rate"] == pytest.approx(sum(rates) / 2, rel=1e-3)
        # A cosine, but I-JEPA's line.
        share = 0.75 if name == "ijepa" else 0.5 + 0.5**1.5
        quarter = rates[1] + (rates[0] - rates[1]) * share
        found = rows["quarter"]["target_rate"]
        assert found == pytest.approx(quarter, rel=1e-3)
    found = [rows[k]["teacher_temperature"] for k in ("start", "last")]
    if name in ("dino", "silc", "ab_dino"):
        assert found == pytest.approx([0.04, 0.07])
        assert recipe(name).PAPER.temperature_steps == 37_534
        assert recipe(name).PAPER.frozen_steps == 1251
    else:
        assert found == [None, None]


@pytest.mark.parametrize(
    "name, expected",
    [
        ("ab_simclr", {"views": 2048, "value": 1024}),
        ("ab_dino", {"crops": 512, "value": 1280}),
    ],
)
def test_split(name, expected):
    paper = recipe(name).PAPER
    assert budget.batch(paper) == expected
    literal = dataclasses.replace(paper, split="paper_text")
    eighth = 512 if name == "ab_simclr" else 128
    assert set(budget.batch(literal).values()) == {eighth}
    total = 3072 if name == "ab_simclr" else 1792
    assert budget.views_per_step(literal) == total


def test_flops_of_a_known_network():
    # ViT-S/16: 4.6 G multiply-adds an image (Touvron et al. 2021, DeiT-S).
    from keras_ab import backbones

    encoder = backbones.ViT.from_size("S", image_shape=(224, 224, 3))
    encoder.build((None, 224, 224, 3))
    assert flops.image(encoder) / 1e9 == pytest.approx(4.6, rel=0.01)


def test_flags():
    module = recipe("dino")
    scales = {"paper": module.PAPER, "smoke": module.SMOKE}
    assert parse(scales, "", ["--dry-run"]).dry_run
    assert not parse(scales, "", ["--smoke"]).dry_run
    options = parse(scales, "", ["--smoke", "--monitor-every", "0"])
    assert options.monitor_every == 0
    assert options.views == 1024
