"""Linear and MAP probes: against references, and rates side by side."""

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from keras_ab import layers
from keras_ab import probes
from keras_ab.probes import linear_probe
from keras_ab.probes import map_probe
from keras_ab.probes.batches import Batches

SMALL = {"epochs": 3, "min_steps": 1, "batch_size": 16}


def blobs(count, classes=5, dim=12, noise=2.0, seed=0):
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(9).normal(size=(classes, dim))
    labels = rng.integers(0, classes, count)
    x = centres[labels] + noise * rng.normal(size=(count, dim))
    # Channels of very different scale, far from zero.
    return (x * np.logspace(-2, 2, dim) + 50).astype("float32"), labels


@pytest.mark.parametrize("count", [150, 600])
def test_linear_is_logistic_regression(count):
    train, labels = blobs(count)
    test, truth = blobs(3000, seed=1)
    scaler = StandardScaler().fit(train)
    reference = LogisticRegression(C=1.0, max_iter=2000)
    reference.fit(scaler.transform(train), labels)
    expected = reference.predict(scaler.transform(test)) == truth
    probe = probes.LinearProbe(rates=(0.03,), strengths=(1.0,), min_steps=300)
    found = probe.fit(train, labels).predict(test) == truth
    # It is the same convex problem.
    assert abs(found.mean() - expected.mean()) < 0.005
    assert (found == expected).mean() > 0.98


def test_linear_chooses_the_best_rate():
    train, labels = blobs(300, noise=0.5)
    test, truth = blobs(300, noise=0.5, seed=1)
    probe = probes.LinearProbe(
        rates=(1e-8, 0.03, 1e-7), strengths=(1.0,), min_steps=100
    )
    fitted = probe.fit(train, 3 * labels + 2)
    assert fitted.details["rate"] == 0.03
    assert len(fitted.details["held_out"]) == 3
    assert (fitted.predict(test) == 3 * truth + 2).mean() > 0.9


def tokens(count, classes=3, seed=0):
    """Images whose class shows in one token of nine, anywhere."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 9, 12)).astype("float32")
    labels = rng.integers(0, classes, count)
    marks = 4 * np.random.default_rng(9).normal(size=(classes, 12))
    x[np.arange(count), rng.integers(0, 9, count)] = marks[labels]
    return x, labels


def makers(optimizer):
    x, y = blobs(80)
    linear = probes.LinearProbe(optimizer=optimizer)
    standard = (x - x.mean(0)) / x.std(0)
    yield (
        lambda rates: linear_probe._Linear(
            linear, [(rate, 1.0) for rate in rates], standard, 5
        ),
        standard,
        y,
    )
    x, y = tokens(80)
    head = probes.MAPProbe(optimizer=optimizer)
    one = np.ones(12, "float32")
    yield (
        lambda rates: map_probe._MAP(head, rates, 2, 0 * one, one, 3),
        x,
        y,
    )


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_each_rate_is_what_it_would_be_alone(optimizer):
    for make, x, y in makers(optimizer):
        rates = (0.01, 0.05)
        together = make(rates)
        together.learn(x, y, epochs=2, batch_size=32)
        logits = together.logits(x)
        assert np.abs(logits[:, 0] - logits[:, 1]).max() > 1e-2
        for place, rate in enumerate(rates):
            alone = make([rate])
            alone.learn(x, y, epochs=2, batch_size=32)
            np.testing.assert_allclose(
                logits[:, place], alone.logits(x)[:, 0], atol=2e-3
            )


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_rate_is_keras_own(optimizer):
    """The trick with factors against a plain Dense layer."""
    (make, x, y), _ = makers(optimizer)
    model = make([0.02])
    model.shares = 0 * model.shares
    model.learn(x, y, epochs=2, batch_size=32, warmup=0.0)
    inputs = keras.Input((12,))
    dense = keras.layers.Dense(5, kernel_initializer="zeros")
    plain = keras.Model(inputs, dense(inputs))
    batches = Batches(x, y, 2, 32)
    rate = keras.optimizers.schedules.CosineDecay(0.02, len(batches))
    chosen = (
        keras.optimizers.SGD(rate, momentum=0.9)
        if optimizer == "sgd"
        else keras.optimizers.Adam(rate, epsilon=1e-12)
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plain.compile(chosen, loss)
    plain.fit(batches, shuffle=False, verbose=0)
    np.testing.assert_allclose(
        model.logits(x)[:, 0], plain.predict(x, verbose=0), atol=1e-4
    )


def test_map_is_attention_pooling_and_a_dense_layer():
    x, _ = tokens(6)
    one = np.ones(12, "float32")
    rates = (0.1, 0.2)
    model = map_probe._MAP(probes.MAPProbe(), rates, 3, 0 * one, one, 4)
    rng = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    logits = model.logits(x)
    for place in range(2):
        values = {
            name: ops.convert_to_numpy(model.many(name))[place]
            for name in model._starts
        }
        pooling = layers.TokenPooling("map", num_heads=3)
        pooling.build((None, 9, 12))
        assign(pooling, values)
        pooled = ops.convert_to_numpy(pooling(x))
        expected = pooled @ values["class_kernel"] + values["class_bias"]
        np.testing.assert_allclose(
            logits[:, place], expected, rtol=1e-3, atol=1e-2
        )


def assign(pooling, values):
    """The probe's weights into the layer's."""
    attention = pooling.attention
    pooling.query.assign(values["query"][None])
    no_bias = np.zeros_like(values["value_bias"])
    fused = [
        (attention.query, ["query"]),
        (attention.output_projection, ["output"]),
        (pooling.mlp.expand, ["inner"]),
        (pooling.mlp.contract, ["outer"]),
    ]
    for layer, (name,) in fused:
        layer.kernel.assign(values[f"{name}_kernel"])
        layer.bias.assign(values[f"{name}_bias"])
    kernels = [values["key_kernel"], values["value_kernel"]]
    attention.key_value.kernel.assign(np.concatenate(kernels, 1))
    biases = [no_bias, values["value_bias"]]
    attention.key_value.bias.assign(np.concatenate(biases))
    scale, bias = pooling.norm.weights
    scale.assign(values["norm_scale"])
    bias.assign(values["norm_bias"])


def test_map_finds_the_token_that_counts():
    train, labels = tokens(400)
    test, truth = tokens(200, seed=1)
    probe = probes.MAPProbe(rates=(1e-7, 3e-3), min_steps=200, epochs=1)
    fitted = probe.fit(train, labels)
    assert fitted.details["rate"] == 3e-3
    assert fitted.details["num_heads"] == 6
    assert (fitted.predict(test) == truth).mean() > 0.9


def test_nothing_is_found_in_noise():
    rng = np.random.default_rng(0)
    labels, truth = rng.integers(0, 4, (2, 400))
    features = rng.normal(size=(2, 400, 5, 8))
    for probe, x in (
        (probes.LinearProbe(**SMALL), features[:, :, 0]),
        (probes.MAPProbe(**SMALL), features),
    ):
        hits = probe.fit(x[0], labels).predict(x[1]) == truth
        assert abs(hits.mean() - 0.25) < 0.1


def test_batches_show_every_example_equally():
    batches = Batches(np.arange(10, 15), np.arange(5), 4, 3)
    assert len(batches) == 8
    seen = np.concatenate([batches[i][1] for i in range(8)])
    # Two batches of three have one too many.
    for epoch in range(4):
        part = seen[6 * epoch : 6 * epoch + 5]
        assert sorted(part) == list(range(5))
    again = Batches(np.arange(10, 15), np.arange(5), 4, 3)
    features, numbers = again[5]
    np.testing.assert_array_equal(batches[5][1], numbers)
    np.testing.assert_array_equal(features, numbers + 10)


def test_crops_of_one_image_are_held_together():
    rng = np.random.default_rng(0)
    # What tells an image tells nothing of others.
    x = np.tile(np.eye(40, dtype="float32"), (3, 1))
    y = np.tile(rng.integers(0, 2, 40), 3)
    probe = probes.LinearProbe(rates=(0.01, 0.1), min_steps=60)
    groups = np.tile(np.arange(40), 3)
    leaking = probe.fit(x, y).details["held_out"]
    honest = probe.fit(x, y, groups=groups).details["held_out"]
    assert max(leaking) == 1.0 and max(honest) < 0.9


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_what_is_held_is_as_if_it_were_not_there(optimizer):
    (make, x, y), _ = makers(optimizer)
    rates = (0.01, 0.05, 0.01, 0.05)
    without = [False, False, True, True]
    held = np.arange(3, 80, 5)
    logits = []
    for wrong in (y, np.where(np.isin(np.arange(80), held), 4 - y, y)):
        model = make(rates)
        model.learn(x, wrong, 2, 32, held=held, without=without)
        logits.append(model.logits(x))
    # Other labels of theirs change those alone who see them.
    np.testing.assert_allclose(logits[0][:, 2:], logits[1][:, 2:], atol=1e-6)
    assert np.abs(logits[0] - logits[1])[:, :2].max(axis=(0, 2)).min() > 1e-3
    plain = make(rates[:2])
    plain.learn(x, y, 2, 32)
    # Who sees everything is as if alone.
    np.testing.assert_allclose(logits[0][:, :2], plain.logits(x), atol=2e-3)
    one = make(rates[1:2])
    one.take(plain, 1)
    np.testing.assert_allclose(
        one.logits(x)[:, 0], plain.logits(x)[:, 1], atol=1e-5
    )
