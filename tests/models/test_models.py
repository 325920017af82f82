"""Named methods: interface, saving, errors."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import backbones
from keras_ab import losses
from keras_ab import models
from keras_ab import objectives
from keras_ab.optimizers import is_decayed
from tests.gradients import model_gradients
from tests.models import factory

BACKEND = keras.backend.backend()
BOTH = pytest.mark.parametrize("make", [factory.abclip, factory.clip])


def numpy(x):
    return ops.convert_to_numpy(x)


def images(count=3):
    return factory.batch(images=count)["reward"]["image"]


ACTIONS = np.tile(
    np.array([[0, 0, 1, 1], [-0.5, -0.5, 1.5, 1.5]], "float32"), (3, 1, 1)
)


@BOTH
def test_shapes(make):
    model = make()
    ids = factory.batch()["reward"]["text"]
    assert model.encode(images()).shape == (3, 4, 32)
    assert model.pool(images()).shape == (3, 32)
    embedded = numpy(model.embed_images(images()))
    assert embedded.shape == (3, 8)
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, rtol=1e-5)
    assert model.embed_annotations(ids).shape == (4, 8)
    reward = numpy(model.reward(images(), ids))
    np.testing.assert_allclose(reward.sum(1), np.ones(3), rtol=1e-5)


def test_strings_are_their_ids():
    model = factory.abclip()
    texts = ["w1 w2", "w3"]
    ids = factory.tokenizer()(texts)
    np.testing.assert_array_equal(
        numpy(model.reward(images(), texts)), numpy(model.reward(images(), ids))
    )


def test_floats_and_bytes_agree():
    model = factory.abclip()
    floats = images().astype("float32") / 127.5 - 1
    np.testing.assert_allclose(
        numpy(model.encode(images())), numpy(model.encode(floats)), atol=1e-5
    )


def test_values():
    model = factory.abclip()
    values = numpy(model.value(images(), ACTIONS, ["w1", "w2", "w3"]))
    assert values.shape == (3, 2, 3)
    assert values.min() > 0 and values.max() < 1
    # The value of an action does not depend on what else is asked.
    for a in range(2):
        single = model.value(images(), ACTIONS[:, a : a + 1], ["w2"])
        np.testing.assert_allclose(
            numpy(single)[:, 0, 0], values[:, a, 1], atol=1e-6
        )
    swapped = model.value(images(), ACTIONS[:, ::-1], ["w1", "w2", "w3"])
    np.testing.assert_allclose(numpy(swapped), values[:, ::-1], atol=1e-6)


def test_networks():
    model = factory.abclip()
    model.online.encoder.positions.embeddings.assign(np.ones((4, 32)))
    target = numpy(model.encode(images()))
    online = numpy(model.encode(images(), network="online"))
    assert abs(target - online).max() > 1e-3
    np.testing.assert_array_equal(
        target, numpy(model.encode(images(), network="target"))
    )


@BOTH
def test_loss_terms_are_metrics(make):
    model = make()
    factory.compile(model, "adamw")
    history = model.fit(factory.batches(2), verbose=0).history
    terms = {"loss", "skipped_steps", "reward_loss"}
    if make is factory.abclip:
        terms.add("value_loss")
        total = 2 * history["reward_loss"][0] + history["value_loss"][0]
        np.testing.assert_allclose(history["loss"][0], total, rtol=1e-4)
    assert set(history) == terms


def test_evaluate_writes_nothing():
    model = factory.abclip()
    factory.compile(model, "adamw")
    model.fit(factory.batches(1), verbose=0)
    before = model.get_weights()
    model.evaluate(factory.batches(2), verbose=0)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_the_losses_at_the_start():
    model = factory.abclip(value_bias=None, value_scale=1.0, temperature=1.0)
    batch = factory.batch(images=16, values=8)
    model._prepare(batch)
    outputs = model(batch)
    targets = model.target.targets(batch)
    losses = {
        objective.name: float(
            ops.mean(
                objective.compute_loss(
                    outputs[objective.name], targets[objective.name], 0
                )
            )
        )
        for objective in model.online.objectives
    }
    # InfoNCE of unrelated pairs, and the entropy of 16 rare events.
    assert abs(losses["reward"] - np.log(16)) < 0.4
    entropy = np.log(16) + 15 * np.log(16 / 15)
    assert 0.5 * entropy < losses["value"] < 2 * entropy
    bias = model.online.objective("value").bias.bias
    np.testing.assert_allclose(numpy(bias), -np.log(16), rtol=1e-6)
    target = model.target.objective("value").bias.bias
    np.testing.assert_allclose(numpy(target), -np.log(16), rtol=1e-6)


def test_a_given_bias_stays():
    model = factory.abclip(value_bias=-10.0)
    model._prepare(factory.batch())
    assert float(numpy(model.online.objective("value").bias.bias)) == -10


def test_every_online_weight_learns():
    loss, grads = model_gradients(factory.abclip(), factory.batch())
    assert np.isfinite(loss)
    for path, grad in grads.items():
        assert grad is not None, path
        assert np.isfinite(grad).all(), path
    # Bins that no action fell into are the only zeros there can be.
    assert sum(not g.any() for g in grads.values()) == 0


def test_gamma_at_its_ends():
    batch = factory.batch()
    targets = {}
    for gamma in (0.0, 1.0):
        keras.utils.set_random_seed(1)
        model = factory.abclip(gamma=gamma)
        value = model.target.objective("value")
        out = value.target(model.target.targets(batch)["value"])
        targets[gamma] = numpy(out)
    # γ = 0 distils the reward: a distribution over annotations.
    np.testing.assert_allclose(targets[0.0].sum(-1), 1, rtol=1e-5)
    # γ = 1 bootstraps alone: the best Q, wherever it leads.
    q = value.q_logits(model.target(batch)["value"])
    best = numpy(ops.sigmoid(ops.max(q, axis=2)))
    np.testing.assert_allclose(targets[1.0], best, rtol=1e-4)


def test_decay_is_for_kernels():
    model = factory.abclip()
    factory.compile(model, keras.optimizers.AdamW(1.0, weight_decay=0.5))
    decayed = {v.path for v in model.trainable_weights if is_decayed(v)}
    assert all(path.endswith("kernel") for path in decayed)
    assert len(decayed) > 10
    before = factory.weights(model)
    zeros = [ops.zeros(v.shape) for v in model.trainable_variables]
    model.optimizer.apply(zeros, model.trainable_variables)
    for path, after in factory.weights(model).items():
        expected = before[path] * (0.5 if path in decayed else 1.0)
        np.testing.assert_allclose(after, expected, atol=1e-6, err_msg=path)


@BOTH
def test_saving(make, tmp_path):
    model = make()
    factory.compile(model, keras.optimizers.AdamW(1e-2, weight_decay=0.5))
    model.fit(factory.batches(2), verbose=0, shuffle=False)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    assert again.get_config() == model.get_config()
    assert [v.path for v in again.variables] == [
        v.path for v in model.variables
    ]
    for a, b in zip(model.weights, again.weights):
        np.testing.assert_array_equal(numpy(a), numpy(b), err_msg=a.path)
    texts = ["w1", "w2 w3"]
    np.testing.assert_array_equal(
        numpy(model.reward(images(), texts)),
        numpy(again.reward(images(), texts)),
    )
    # They go on alike, with the same exemptions from weight decay.
    for m in (model, again):
        m.fit(factory.batches(2), verbose=0, shuffle=False)
    for a, b in zip(model.weights, again.weights):
        np.testing.assert_allclose(
            numpy(a), numpy(b), atol=1e-6, err_msg=a.path
        )


def test_a_method_of_ones_own(tmp_path):
    reward = objectives.ImageTextContrast(
        factory.text_encoder(), factory.tokenizer(), projection_dim=8
    )
    value = objectives.BellmanValue(
        backbones.AnnotationDecoder.from_size("test", num_layers=1),
        gamma=0.9,
        projection_dim=8,
    )
    encoder = backbones.ViT.from_size(
        "test", image_shape=(16, 16, 3), patch_size=8
    )
    model = models.AnnotationBootstrapping(encoder, reward, value)
    factory.compile(model, "adamw")
    model.fit(factory.batches(1), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.online.objective("value").gamma == 0.9
    np.testing.assert_allclose(
        numpy(model.value(images(), ACTIONS, ["w1"])),
        numpy(again.value(images(), ACTIONS, ["w1"])),
        atol=1e-6,
    )


def test_mixed_precision_keeps_the_bins():
    full, mixed = factory.abclip(), factory.abclip(dtype="mixed_bfloat16")
    batch = factory.batch()
    rng = np.random.default_rng(3)
    batch["value"]["boxes"] = factory.boxes(rng, 3, 2)
    seen = []
    for model in (full, mixed):
        layer = model.online.objective("value").action_tokens
        bins = layer.bins
        layer.bins = lambda x, bins=bins: seen.append(bins(x)) or seen[-1]
        outputs = model(batch)
        for output in outputs["value"].values():
            dtype = keras.backend.standardize_dtype(output.dtype)
            assert dtype == "float32"
    np.testing.assert_array_equal(numpy(seen[0]), numpy(seen[1]))


def edit(path, change):
    batch = factory.batch()
    node = batch
    for key in path[:-1]:
        node = node[key]
    if change is None:
        del node[path[-1]]
    else:
        node[path[-1]] = change(node[path[-1]])
    return batch


VALUE_BOXES = ("value", "boxes")
WRONG_BATCHES = {
    "no reward": (edit(("reward",), None), r'batch\["reward"\].*value'),
    "no text": (edit(("reward", "text"), None), r'\["text"\].*image'),
    "no boxes": (edit(VALUE_BOXES, None), r'\["boxes"\].*image'),
    "grey": (
        edit(("reward", "image"), lambda x: x[..., :1]),
        r"RGB.*Received: shape \(4, 16, 16, 1\)",
    ),
    "alpha": (
        edit(("value", "image"), lambda x: x[..., [0, 1, 2, 0]]),
        r"RGB.*\(3, 2, 16, 16, 4\)",
    ),
    "0 to 255": (
        edit(("reward", "image"), lambda x: x.astype("float32")),
        r"\[-1, 1\].*Received: values from",
    ),
    "NaN": (
        edit(("reward", "image"), lambda x: np.full(x.shape, np.nan)),
        r"\[-1, 1\].*nan",
    ),
    "swapped corners": (
        edit(VALUE_BOXES, lambda x: x[..., [2, 1, 0, 3]]),
        r"ymin < ymax.*Received",
    ),
    "outside": (
        edit(VALUE_BOXES, lambda x: x + 0.5),
        r"inside the image.*Received",
    ),
    "NaN boxes": (edit(VALUE_BOXES, lambda x: x * np.nan), "finite"),
    "boxes of pixels": (
        edit(VALUE_BOXES, lambda x: x * 96),
        r"inside the image.*Received",
    ),
    "fewer boxes": (
        edit(VALUE_BOXES, lambda x: x[:, :1]),
        r"shape \(3, 2, 4\).*Received: shape \(3, 1, 4\)",
    ),
    "fewer texts": (
        edit(("reward", "text"), lambda x: x[:3]),
        "4 images and 3 texts",
    ),
    "other length": (
        edit(("reward", "text"), lambda x: x[:, :5]),
        r"\(B, 6\).*Received.*\(4, 5\)",
    ),
    "unknown ids": (
        edit(("reward", "text"), lambda x: x + 20),
        r"\[0, 20\).*Received",
    ),
    "one view": (factory.batch(views=1), "at least 2 views"),
    "one image": (factory.batch(images=1), "at least 2 examples"),
    "no views": (
        edit(("value", "image"), lambda x: x[:, 0]),
        r"\(B, N, H, W, 3\)",
    ),
}


@pytest.fixture(scope="module")
def compiled():
    model = factory.abclip()
    factory.compile(model, "adamw")
    return model


@pytest.mark.parametrize("name", WRONG_BATCHES)
def test_wrong_batches(compiled, name):
    batch, message = WRONG_BATCHES[name]
    with pytest.raises(ValueError, match=message):
        compiled.fit(factory.Batches([batch]), verbose=0)


WRONG_CALLS = {
    "grey": (lambda m: m.encode(images()[..., :1]), "RGB"),
    "one image": (lambda m: m.encode(images()[0]), r"\(B, H, W, 3\)"),
    "0 to 255": (lambda m: m.encode(images() * 1.0), r"\[-1, 1\]"),
    "ints": (lambda m: m.encode(images().astype("int64")), "uint8.*int64"),
    "sides": (lambda m: m.encode(images()[:, :15]), "multiples.*15 x 16"),
    "network": (
        lambda m: m.encode(images(), network="teacher"),
        "'online' or 'target'.*'teacher'",
    ),
    "length": (
        lambda m: m.embed_annotations(np.zeros((2, 7), "int32")),
        r"\(B, 6\)",
    ),
    "actions": (
        lambda m: m.value(images(), ACTIONS[0], ["w1"]),
        r"\(3, A, 4\).*Received: shape \(2, 4\)",
    ),
    "images and actions": (
        lambda m: m.value(images(2), ACTIONS, ["w1"]),
        r"\(2, A, 4\)",
    ),
    "order": (
        lambda m: m.value(images(), ACTIONS[..., ::-1], ["w1"]),
        "ymin < ymax",
    ),
    "loss": (lambda m: m.compile("adamw", loss="mse"), "Received: `loss`"),
}


@pytest.mark.parametrize("name", WRONG_CALLS)
def test_wrong_calls(compiled, name):
    call, message = WRONG_CALLS[name]
    with pytest.raises(ValueError, match=message):
        call(compiled)


def _views():
    return objectives.ViewContrast(4, hidden_dims=(8,))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: factory.abclip(gamma=1.5), r"\[0, 1\].*Received: 1.5"),
        (lambda: factory.abclip(gamma=None), r"\[0, 1\].*None"),
        (lambda: models.ABCLIP("resnet", "S", factory.tokenizer()), "'resnet'"),
        (lambda: models.CLIP("S", "S"), "tokenizer=None"),
        (
            lambda: models.Pretrainer(factory.clip().encoder, []),
            "one objective or more",
        ),
        (lambda: factory.abclip(target_rate="slow"), "Received: 'slow'"),
        (
            lambda: models.Pretrainer(factory.image_encoder(), _views()),
            "must be a list .*ViewContrast",
        ),
        (
            lambda: models.Pretrainer(
                factory.image_encoder(), [losses.NTXent()]
            ),
            "a loss or a layer is none.*NTXent",
        ),
        (
            lambda: models.AnnotationBootstrapping(
                factory.image_encoder(), losses.NTXent()
            ),
            "`reward` must be.*NTXent",
        ),
        (
            lambda: models.AnnotationBootstrapping("S", _views()),
            "ViT.from_size.*Received: 'S', without",
        ),
        (
            lambda: models.Pretrainer(None, [_views()]),
            "The encoder must be.*Received: None",
        ),
        (
            lambda: models.SimCLR("test", image_shape=32),
            r"\(height, width, channels\).*Received: 32",
        ),
        (lambda: factory.clip(temperature=0), "positive.*Received: 0"),
        (
            lambda: factory.clip(temperature=2.0),
            r"`temperature`.*\[0.01, 1\].*Received: 2.0",
        ),
        (
            lambda: models.SimCLR("test", image_shape=(16, 16, 4)),
            r"RGB.*Received: \(16, 16, 4\)",
        ),
        (
            lambda: models.SimCLR("test", patch_size=0),
            "patch size.*Received: 0",
        ),
        (
            lambda: models.CLIP(
                factory.image_encoder(), factory.image_encoder()
            ),
            "`text_encoder`.*ViT.*without .*'vocabulary_size'",
        ),
        (
            lambda: factory.abclip(value_weight=float("nan")),
            "`weight`.*Received: nan",
        ),
        (lambda: factory.abclip(reward_weight=-1), "`weight`.*Received: -1"),
        (
            lambda: factory.abclip(value_bias=float("inf")),
            "`value_bias`.*Received: inf",
        ),
    ],
)
def test_wrong_models(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_without_a_tokenizer():
    model = models.CLIP(
        "test", factory.text_encoder(), image_shape=(16, 16, 3), patch_size=8
    )
    with pytest.raises(ValueError, match="no tokenizer"):
        model.embed_annotations(["w1"])


CROSS = """
import sys, keras, keras_ab, numpy as np
from tests.gradients import model_gradients
from tests.models import factory
model = keras.saving.load_model(sys.argv[1])
x = np.load(sys.argv[2])
out = model.value(x["images"], x["actions"], ["w1", "w2"])
np.testing.assert_allclose(
    keras.ops.convert_to_numpy(out), x["values"], atol=1e-4)
loss, grads = model_gradients(model, factory.batch(seed=7))
np.testing.assert_allclose(loss, x["loss"], rtol=1e-4)
for path, grad in grads.items():
    np.testing.assert_allclose(grad, x[path], atol=1e-4, err_msg=path)
model.fit(factory.batches(2), verbose=0, shuffle=False)
np.testing.assert_allclose(
    [keras.ops.convert_to_numpy(w).sum() for w in model.online.weights],
    x["sums"], rtol=1e-3, atol=2e-3)
"""
OTHER = {"jax": "torch", "torch": "tensorflow", "tensorflow": "jax"}


def test_another_backend_agrees_and_goes_on(tmp_path):
    """Outputs, loss, every gradient, and two further steps."""
    other = OTHER[BACKEND]
    model = factory.abclip()
    # Not Adam, which makes steps of rounding errors where gradients vanish.
    optimizer = keras.optimizers.SGD(1e-2, momentum=0.9, weight_decay=0.5)
    factory.compile(model, optimizer, run_eagerly="jax" not in (BACKEND, other))
    model.fit(factory.batches(2), verbose=0, shuffle=False)
    model.save(tmp_path / "model.keras")
    loss, grads = model_gradients(model, factory.batch(seed=7))
    values = numpy(model.value(images(), ACTIONS, ["w1", "w2"]))
    model.fit(factory.batches(2), verbose=0, shuffle=False)
    np.savez(
        tmp_path / "x.npz",
        images=images(),
        actions=ACTIONS,
        values=values,
        loss=loss,
        sums=[numpy(w).sum() for w in model.online.weights],
        **grads,
    )
    code = [sys.executable, "-c", CROSS]
    files = [str(tmp_path / "model.keras"), str(tmp_path / "x.npz")]
    environment = {
        **os.environ,
        "KERAS_BACKEND": other,
        "OMP_NUM_THREADS": "1",
    }
    subprocess.run([*code, *files], check=True, env=environment)
