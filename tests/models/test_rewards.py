"""Every reward: alone, beside others, and bootstrapped on."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import actions
from keras_ab import models
from keras_ab import objectives
from keras_ab.callbacks.reading import Reading
from tests.gradients import model_gradients
from tests.models import factory
from tests.models import rewards

BACKEND = keras.backend.backend()
EVERY = pytest.mark.parametrize("name", rewards.ALL)
# Compiling a step takes JAX a while.
SLOW = [pytest.mark.slow] if BACKEND == "jax" else []
FITTED = pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=[] if n in ("absimclr", "frozen") else SLOW)
        for n in rewards.ALL
    ],
)
BOOTSTRAPPED = pytest.mark.parametrize("name", rewards.AB)
BOXES = np.tile(
    np.array([[0, 0, 1, 1], [-0.5, -0.5, 1.5, 1.5]], "float32"), (3, 1, 1)
)


def numpy(x):
    return ops.convert_to_numpy(x)


def images():
    return factory.batch(images=3)["reward"]["image"]


def fit(model, count=2, **kwargs):
    factory.compile(model, keras.optimizers.AdamW(1e-2), **kwargs)
    data = rewards.batches(count)
    return model.fit(data, verbose=0, shuffle=False).history


@EVERY
def test_probabilities(name):
    model = rewards.ALL[name]()
    given = rewards.annotations(model)
    reward = numpy(model.reward(images(), given))
    assert reward.shape == (3, 2)
    np.testing.assert_allclose(reward.sum(1), 1, rtol=1e-5)
    if name in rewards.AB:
        values = numpy(model.value(images(), BOXES, given))
        assert values.shape == (3, 2, 2)
        assert values.min() > 0 and values.max() < 1
        # Neither other actions nor other annotations matter.
        alone = model.value(images(), BOXES[:, 1:], given[1:])
        np.testing.assert_allclose(
            numpy(alone)[:, 0, 0], values[:, 1, 1], atol=1e-5
        )


@FITTED
def test_it_trains(name):
    model = rewards.ALL[name]()
    history = fit(model)
    terms = {"loss", "skipped_steps", "reward_loss"}
    if name in rewards.AB:
        terms.add("value_loss")
    if name == "slip":
        terms.add("ssl_loss")
    assert set(history) == terms
    assert np.isfinite(history["loss"][0])
    assert history["skipped_steps"] == [0]
    parts = sum(history[key][0] for key in terms - {"loss"})
    np.testing.assert_allclose(history["loss"][0], parts, rtol=1e-4)


@EVERY
def test_gradients_reach_the_encoder(name):
    model = rewards.ALL[name]()
    loss, grads = model_gradients(model, rewards.batch())
    assert np.isfinite(loss)
    for path, grad in grads.items():
        assert grad is not None, path
        assert np.isfinite(grad).all(), path
        # Biases before a batch normalisation have no say.
        assert grad.any(), path
    assert any("image_encoder" in path for path in grads)
    assert not any("target" in path for path in grads)


@FITTED
def test_saving(name, tmp_path):
    model = rewards.ALL[name]()
    fit(model)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    # Keras' own layers write down tuples, which come back as lists.
    assert json.dumps(again.get_config()) == json.dumps(model.get_config())
    for a, b in zip(model.weights, again.weights):
        np.testing.assert_array_equal(numpy(a), numpy(b), err_msg=a.path)
    assert [v.path for v in again.trainable_variables] == [
        v.path for v in model.trainable_variables
    ]
    assert [v.shape for v in again.variables] == [
        v.shape for v in model.variables
    ]
    given = rewards.annotations(model)
    np.testing.assert_allclose(
        numpy(model.reward(images(), given)),
        numpy(again.reward(images(), given)),
        atol=1e-6,
    )
    if name in rewards.AB:
        np.testing.assert_allclose(
            numpy(model.value(images(), BOXES, given)),
            numpy(again.value(images(), BOXES, given)),
            atol=1e-6,
        )
    again.fit(rewards.batches(1), verbose=0)


@FITTED
def test_evaluate_writes_nothing(name):
    model = rewards.ALL[name]()
    fit(model, 1)
    before = model.get_weights()
    model.evaluate(rewards.batches(1), verbose=0)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


@BOOTSTRAPPED
def test_the_value_starts_at_its_annotations(name):
    model = rewards.AB[name]()
    batch = rewards.batch()
    model._prepare(batch)
    reward, value = model.online.objectives
    annotations = reward.num_annotations(batch)
    bias = float(numpy(value.bias.bias))
    np.testing.assert_allclose(bias, -np.log(annotations), rtol=1e-6)
    target = factory.bellman_targets(model.target, batch)
    assert target.shape == (3, 2, annotations)
    assert target.min() >= 0 and target.max() <= 1


@BOOTSTRAPPED
def test_without_a_discount_p_is_the_target(name):
    model = rewards.AB[name]()
    for network in (model.online, model.target):
        network.objective("value").gamma = 0.0
    batch = rewards.batch()
    target = factory.bellman_targets(model.target, batch)
    views = batch["value"]["image"]
    given = {
        "absimclr": batch["views"]["image"][:, 1],
        "sigmoid": batch["reward"]["text"],
    }
    p = model.reward(views.reshape(-1, *rewards.SIZE), given.get(name))
    np.testing.assert_allclose(target.reshape(6, -1), numpy(p), atol=1e-5)


def test_saved_before_it_is_compiled(tmp_path):
    model = rewards.simclr()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert not again.compiled
    for a, b in zip(model.weights, again.weights):
        np.testing.assert_array_equal(numpy(a), numpy(b), err_msg=a.path)


def test_slip_is_both_its_terms():
    history = fit(rewards.slip(reward_weight=0.5, ssl_weight=3.0), 1)
    total = 0.5 * history["reward_loss"][0] + 3 * history["ssl_loss"][0]
    np.testing.assert_allclose(history["loss"][0], total, rtol=1e-5)


def test_views_beside_captions_and_values():
    """ABCLIP with a contrast of views as a third term."""
    model = models.Pretrainer(
        factory.image_encoder(),
        [
            objectives.ImageTextContrast(factory.text_encoder()),
            objectives.BellmanValue(rewards.decoder()),
            objectives.ViewContrast(8, (12,), name="ssl"),
        ],
        target_rate=0.1,
    )
    history = fit(model, 1)
    assert {"reward_loss", "value_loss", "ssl_loss"} <= set(history)


ABLATIONS = {
    "no target network": {"target_rate": None},
    "no reward loss": {"reward_weight": 0},
    "no value loss": {"value_weight": 0},
    "distilled": {"gamma": 0.0},
    "bootstrapped alone": {"gamma": 1.0},
    "no actions": {"actions": actions.MaskedActions()},
}


@pytest.mark.parametrize(
    "make",
    [rewards.absimclr, pytest.param(factory.abclip, marks=SLOW)],
)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=[] if n == "no actions" else SLOW)
        for n in ABLATIONS
    ],
)
def test_ablations(name, make):
    model = make(**ABLATIONS[name])
    before = factory.weights(model.online)
    history = fit(model)
    assert np.isfinite(history["loss"][0])
    assert history["skipped_steps"] == [0]
    again = type(model).from_config(model.get_config())
    assert again.get_config() == model.get_config()
    after = factory.weights(model.online)
    assert any(abs(after[p] - before[p]).max() > 1e-3 for p in before)


def test_a_weight_of_zero_takes_the_gradient_away():
    batch = rewards.batch()
    _, grads = model_gradients(rewards.absimclr(reward_weight=0), batch)
    heads = {p: g for p, g in grads.items() if "/reward/head/" in p}
    assert heads and not any(g is not None and g.any() for g in heads.values())
    _, grads = model_gradients(rewards.absimclr(value_weight=0), batch)
    value = {p: g for p, g in grads.items() if "/value/" in p}
    assert value and not any(g is not None and g.any() for g in value.values())


@pytest.mark.parametrize(
    "make, part",
    [(factory.abclip, "text_encoder"), (rewards.absimclr, "image_encoder")],
    ids=["abclip", "absimclr"],
)
def test_the_value_loss_teaches_what_embeds_annotations(
    make, part, monkeypatch
):
    """No stop between its head for annotations and their encoder.

    ABSimCLR's annotations are views, so that crops reach the same encoder: the
    part of the gradient that comes by the annotations is what is followed.
    """
    model = make(reward_weight=0, value_bias=-1.0, value_scale=5.0)
    batch = (factory if make is factory.abclip else rewards).batch()
    moved = [v for v in model.trainable_variables if f"/{part}/" in v.path]
    start = [numpy(v).copy() for v in moved]

    def gradients():
        _, found = model_gradients(model, batch, training=False)
        found = [found[v.path] for v in moved]
        return np.concatenate(
            [
                np.zeros(w.size) if g is None else np.ravel(g)
                for g, w in zip(found, start)
            ]
        )

    whole = gradients()
    reward = model.online.objective("reward")
    of_all = reward.all_annotations
    with monkeypatch.context() as patch:
        patch.setattr(
            reward, "all_annotations", lambda x: ops.stop_gradient(of_all(x))
        )
        by_annotations = whole - gradients()
    length = np.linalg.norm(by_annotations)
    assert length > 1e-3
    ends = np.cumsum([w.size for w in start])[:-1]
    direction = np.split(by_annotations / length, ends)

    def loss(distance):
        # The target network stays where it is, and so do the targets.
        for variable, value, towards in zip(moved, start, direction):
            variable.assign(value + distance * towards.reshape(value.shape))
        return model_gradients(model, batch, training=False)[0]

    slope = (loss(0.004) - loss(-0.004)) / 0.008
    np.testing.assert_allclose(
        slope, whole @ by_annotations / length, rtol=0.03
    )


def test_masked_actions_all_have_one_value():
    model = factory.abclip(actions=actions.MaskedActions())
    values = numpy(model.value(images(), BOXES, ["w1", "w2"]))
    np.testing.assert_array_equal(values[:, 0], values[:, 1])
    values = numpy(factory.abclip().value(images(), BOXES, ["w1", "w2"]))
    assert abs(values[:, 0] - values[:, 1]).max() > 1e-4


@pytest.mark.parametrize("name", ["absimclr", "simclr"])
def test_mixed_precision(name):
    model = rewards.ALL[name](dtype="mixed_bfloat16")
    history = fit(model, 1)
    assert np.isfinite(history["loss"][0])
    assert {v.dtype for v in model.weights if "updates" not in v.path} == {
        "float32"
    }


def edit(part, key, change):
    batch = rewards.batch()
    batch[part] = {**batch[part], key: change(batch[part][key])}
    return batch


def without(part):
    return {k: v for k, v in rewards.batch().items() if k != part}


VIEWS = ("views", "image")
LABEL = ("reward", "label")
WRONG = {
    "no views": ("simclr", without("views"), r'\["views"\].*Received'),
    "one image": (
        "simclr",
        edit(*VIEWS, lambda x: x[:1]),
        "at least 2 images.*Received: 1",
    ),
    "three views": (
        "absimclr",
        edit(*VIEWS, lambda x: x[:, [0, 1, 0]]),
        r"two views.*\(5, 3, 16, 16, 3\)",
    ),
    "one view": (
        "slip",
        edit(*VIEWS, lambda x: x[:, :1]),
        r"two views.*\(5, 1, 16, 16, 3\)",
    ),
    "flat views": (
        "simclr",
        edit(*VIEWS, lambda x: x[:, 0]),
        r"\(B, N, H, W, 3\)",
    ),
    "one caption": (
        "sigmoid",
        rewards.batch(images=1),
        "at least 2 examples",
    ),
    "no labels": (
        "classes",
        factory.batch(),
        r'\["label"\].*Received',
    ),
    "label too large": (
        "classes",
        edit(*LABEL, lambda x: x + 5),
        r"\[0, 5\).*Received: from",
    ),
    "label below zero": (
        "classes",
        edit(*LABEL, lambda x: x - 5),
        r"\[0, 5\).*Received: from",
    ),
    "labels one-hot": (
        "cosine_classes",
        edit(*LABEL, lambda x: np.eye(5, dtype="int32")[x]),
        r"shape \(B,\).*\(4, 5\)",
    ),
    "labels as floats": (
        "classes",
        edit(*LABEL, lambda x: x.astype("float32")),
        "integer.*float32",
    ),
    "fewer labels": (
        "classes",
        edit(*LABEL, lambda x: x[:3]),
        "4 images and 3 labels",
    ),
    "more images than annotations": (
        "frozen",
        rewards.batch(values=6),
        r"5 annotations, fewer than the 6 images",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_batches(case):
    name, batch, message = WRONG[case]
    model = rewards.ALL[name]()
    factory.compile(model)
    with pytest.raises(ValueError, match=message):
        model.fit(factory.Batches([batch]), verbose=0)
    assert int(numpy(model.updates)) == 0


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: rewards.simclr(temperature=0.0), "positive.*Received: 0"),
        (lambda: rewards.simclr(temperature=-1), "positive.*Received: -1"),
        (lambda: rewards.absimclr(temperature=None), "positive.*None"),
        (lambda: rewards.classes("square"), "linear.*'square'"),
        (lambda: objectives.Classification(1), "2 or more.*Received: 1"),
        (lambda: objectives.Classification(2.5), "int.*2.5"),
        (lambda: objectives.Classification(2, ["a", "a"]), "all different"),
        (
            lambda: models.Pretrainer(
                factory.image_encoder(),
                [objectives.ViewContrast(8), objectives.ViewContrast(8)],
            ),
            r"name of its own.*\['reward', 'reward'\]",
        ),
    ],
)
def test_wrong_models(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "name, given, message",
    [
        ("simclr", np.zeros((2, 16, 16)), "`annotations`.*RGB"),
        ("simclr", np.zeros((1, 16, 16, 3)) + 9, r"\[-1, 1\]"),
        ("classes", ["w1", "w9"], r"names out of.*Received: \['w9'\]"),
        ("classes", [0, 5], r"\[0, 5\).*to 5"),
        ("frozen", [[0, 1]], r"shape \(1, 2\)"),
    ],
)
def test_wrong_annotations(name, given, message):
    model = rewards.ALL[name]()
    with pytest.raises(ValueError, match=message):
        model.reward(images(), given)


def test_annotations_as_users_have_them():
    model = rewards.classes()
    every = numpy(model.reward(images(), None))
    assert every.shape == (3, 5)
    for given in (["w2", "w4"], [1, 3], np.array([1, 3]), ("w2", "w4")):
        some = numpy(model.reward(images(), given))
        expected = every[:, [1, 3]] / every[:, [1, 3]].sum(1, keepdims=True)
        np.testing.assert_allclose(some, expected, rtol=1e-5)
    model = rewards.simclr()
    pixels = images()
    floats = pixels.astype("float64") / 127.5 - 1
    listed = list(pixels)
    for given in (floats, listed, ops.convert_to_tensor(pixels)):
        np.testing.assert_allclose(
            numpy(model.reward(pixels, given)),
            numpy(model.reward(pixels, pixels)),
            atol=1e-5,
        )


@BOOTSTRAPPED
def test_a_monitor_reads_every_reward(name):
    model = rewards.AB[name]()
    batch = rewards.batch()
    reading = Reading(model, {})
    inputs = {"images": batch["value"]["image"][:, 0], "batch": batch}
    read = reading(inputs)
    reward = model.online.objectives[0]
    p = numpy(read["rewards"][reward.name])
    assert p.shape == (3, reward.num_annotations(batch))
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-5)
    assert 0 <= float(numpy(read["values"]["value"])) <= 1
