"""MAE and IJEPA as models."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import models
from keras_ab import schedules
from tests.gradients import model_gradients
from tests.models import factory
from tests.models import masked

MAKE = {
    "mae": (masked.mae, masked.mae_batch, "pixels"),
    "ijepa": (masked.ijepa, masked.ijepa_batch, "latents"),
}
BOTH = pytest.mark.parametrize("name", MAKE)


def numpy(x):
    return ops.convert_to_numpy(ops.cast(x, "float32"))


def batches(name, count):
    make = MAKE[name][1]
    return factory.Batches([make(seed=seed) for seed in range(count)])


@BOTH
def test_a_step(name):
    make, _, objective = MAKE[name]
    model = make()
    factory.compile(model, keras.optimizers.SGD(0.1))
    before = factory.weights(model)
    history = model.fit(batches(name, 1), verbose=0).history
    assert set(history) == {"loss", "skipped_steps", f"{objective}_loss"}
    assert history["skipped_steps"] == [0]
    after = factory.weights(model)
    for path, old in before.items():
        parts = path.split("/")
        if "target" in parts:
            # The average of the online network alone moves it.
            mine = path.replace("/target/", "/online/")
            expected = old + 0.004 * (after[mine] - old)
            np.testing.assert_allclose(after[path], expected, atol=1e-6)
        elif path.endswith("kernel"):
            assert (after[path] != old).any(), path


@BOTH
def test_gradients(name):
    make, batch, _ = MAKE[name]
    model = make()
    loss, grads = model_gradients(model, batch())
    assert np.isfinite(loss)
    assert any("image_encoder" in path for path in grads)
    assert not any("target" in path.split("/") for path in grads)
    for path, grad in grads.items():
        assert grad is not None, path
        assert np.isfinite(grad).all(), path
        assert grad.any(), path


def test_the_encoder_gets_no_gradient_through_the_targets():
    model, batch = masked.ijepa(), masked.ijepa_batch()
    # With the predictions cut off, all that is left is the head's bias.
    head = model.online.objective("latents").projection
    head.kernel.assign(ops.zeros(head.kernel.shape))
    _, grads = model_gradients(model, batch)
    for path, grad in grads.items():
        if "/image_encoder/" in path:
            assert not grad.any(), path


@BOTH
def test_encode(name):
    model = MAKE[name][0]()
    images = MAKE[name][1]()["masked"]["image"][:2]
    tokens = numpy(model.encode(images))
    assert tokens.shape == (2, 24, 32)
    encoder = model.network().encoder
    assert encoder.class_token == (name == "mae")
    full = numpy(encoder(images.astype("float32") / 127.5 - 1))
    np.testing.assert_allclose(
        tokens, full[:, encoder.num_prefix_tokens :], atol=1e-5
    )
    assert model.pool(images).shape == (2, 32)
    np.testing.assert_allclose(
        numpy(model.pool(images)), tokens.mean(1), atol=1e-5
    )
    # Raster order: in the first block, a patch marks its own token most.
    marked = images.copy()
    marked[:, 4:8, 8:12] = 255 - marked[:, 4:8, 8:12]
    change = abs(numpy(model.encode(marked)) - tokens).sum(-1)
    assert (change.argmax(1) == 1 * 6 + 2).all()


@BOTH
def test_no_reward(name):
    model = MAKE[name][0]()
    images = MAKE[name][1]()["masked"]["image"]
    for call in (
        lambda: model.reward(images, ["a cup"]),
        lambda: model.embed_images(images),
        lambda: model.embed_annotations(["a cup"]),
    ):
        with pytest.raises(ValueError, match="learns a reward"):
            call()


@BOTH
def test_saving(name, tmp_path):
    model = MAKE[name][0](target_rate=schedules.linear(0.1, 0.0, 10))
    factory.compile(model, keras.optimizers.AdamW(1e-3, weight_decay=0.1))
    model.fit(batches(name, 1), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    assert again.get_config() == model.get_config()
    for a, b in zip(model.weights, again.weights, strict=True):
        assert a.path == b.path
        np.testing.assert_array_equal(numpy(a), numpy(b), err_msg=a.path)
    for m in (model, again):
        m.fit(batches(name, 2), verbose=0, shuffle=False)
    for a, b in zip(model.weights, again.weights):
        np.testing.assert_allclose(
            numpy(a), numpy(b), atol=1e-6, err_msg=a.path
        )


@BOTH
def test_mixed_precision(name):
    make, batch, _ = MAKE[name]
    full, mixed = make(), make(dtype="mixed_bfloat16")
    mixed.set_weights(full.get_weights())
    outputs = full(batch())
    expected = numpy(full.compute_loss(batch(), None, outputs, training=False))
    factory.compile(mixed, "adamw")
    history = mixed.fit(batches(name, 1), verbose=0).history
    np.testing.assert_allclose(history["loss"], [expected], rtol=0.02)
    assert history["skipped_steps"] == [0]
    (objective,) = mixed.online.objectives
    predictions = mixed(batch())[objective.name]["predictions"]
    assert keras.backend.standardize_dtype(predictions.dtype) == "bfloat16"


def test_a_run_learns():
    model = masked.mae()
    factory.compile(model, keras.optimizers.AdamW(3e-3))
    batch = masked.mae_batch()
    # Patches that are all alike, brighter towards their lower right.
    ramp = np.add.outer(np.arange(16) % 4, np.arange(24) % 4) * 30
    batch["masked"]["image"][:] = ramp[..., None]
    data = factory.Batches([batch] * 20)
    model.fit(data, verbose=0)
    logs = model.evaluate(factory.Batches([batch]), verbose=0, return_dict=True)
    # Their mean would cost 1.
    assert logs["loss"] < 0.3


def test_the_published_shapes():
    mae, ijepa = models.MAE("test"), models.IJEPA("test")
    decoder = mae.online.objective("pixels").decoder
    assert (decoder.hidden_dim, decoder.num_layers) == (512, 8)
    assert (decoder.num_heads, decoder.intermediate_dim) == (16, 2048)
    assert mae.target is None
    predictor = ijepa.online.objective("latents").predictor
    assert (predictor.hidden_dim, predictor.num_layers) == (384, 6)
    assert (predictor.num_heads, predictor.intermediate_dim) == (2, 1536)
    assert predictor.grid_shape == (14, 14)


def edit(name, key, change):
    batch = MAKE[name][1]()
    inputs = batch["masked"]
    if change is None:
        del inputs[key]
    else:
        inputs[key] = change(inputs[key])
    return batch


def first(x, value):
    x = x.copy()
    x[(0,) * x.ndim] = value
    return x


def repeat(x):
    x = x.copy()
    x[..., 1] = x[..., 0]
    return x


WRONG = {
    "no ids": ("mae", "kept", None, r'\["kept"\].*image'),
    "no context": ("mae", "kept", lambda x: x[:, :0], "one or more"),
    "nothing to predict": ("mae", "masked", lambda x: x[:, :0], "one or more"),
    "float ids": ("mae", "kept", lambda x: x * 1.0, "integer.*float64"),
    "fewer rows": ("mae", "masked", lambda x: x[:2], r"\(4, any\).*\(2, 18\)"),
    "out of range": (
        "mae",
        "masked",
        lambda x: first(x, 24),
        r"\[0, 24\).*to 24",
    ),
    "negative": ("mae", "kept", lambda x: first(x, -1), "from -1"),
    "repeated": ("mae", "kept", repeat, r"name a patch once.*\[0\]"),
    "left out": ("mae", "masked", lambda x: x[:, 1:], "24 ids.*6 and 17"),
    "shared": (
        "mae",
        "masked",
        lambda x: first(x, masked.mae_batch()["masked"]["kept"][0, 0]),
        "image 0 has .* in both",
    ),
    "another size": (
        "mae",
        "image",
        lambda x: x[:, :12],
        r"\(16, 24\).*Received: \(12, 24\)",
    ),
    "grey": ("ijepa", "image", lambda x: x[..., :1], "RGB"),
    "no image": ("mae", "image", lambda x: x[:0], "Received: none"),
    "no mask": ("ijepa", "context_mask", None, r'\["context_mask"\]'),
    "empty context": (
        "ijepa",
        "context_mask",
        lambda x: x & (np.arange(3)[:, None] != 1),
        r"one patch or more.*\[1\]",
    ),
    "empty target": (
        "ijepa",
        "target_mask",
        lambda x: x & (np.arange(4)[:, None] != 2),
        r"one patch or more.*\[0, 2\]",
    ),
    "int mask": (
        "ijepa",
        "context_mask",
        lambda x: x.astype("int32"),
        "bool.*int32",
    ),
    "short mask": (
        "ijepa",
        "target_mask",
        lambda x: x[..., :5],
        r"\(3, 4, 6\).*\(3, 4, 5\)",
    ),
    "flat targets": ("ijepa", "targets", lambda x: x[:, 0], "any, any"),
    "context out of range": (
        "ijepa",
        "context",
        lambda x: first(x, 99),
        r"\[0, 24\).*to 99",
    ),
    "repeated target": ("ijepa", "targets", repeat, "patch once.*0, 0"),
    "padding out of range": (
        "ijepa",
        "context",
        lambda x: np.where(np.arange(9) < 7, x, -1),
        "padding included.*from -1",
    ),
    "sizes": (
        "ijepa",
        "image",
        lambda x: x[:, ::2, ::2],
        r"Received: \(8, 12\)",
    ),
}


@pytest.fixture(scope="module")
def compiled():
    made = {name: MAKE[name][0]() for name in MAKE}
    for model in made.values():
        factory.compile(model, "adamw")
    return made


@pytest.mark.parametrize("case", WRONG)
def test_wrong_batches(compiled, case):
    name, key, change, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        compiled[name].fit(
            factory.Batches([edit(name, key, change)]), verbose=0
        )


@BOTH
def test_right_batches(compiled, name):
    compiled[name].check(MAKE[name][1]())
