"""Weight decay that follows a schedule; clipping; exemptions."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import optimizers
from keras_ab import schedules
from tests.models import factory
from tests.reference import schedules as reference
from tests.reference.adamw import adamw

BACKEND = keras.backend.backend()
ROOT = pathlib.Path(__file__).parent.parent
STEPS = 6


def value(x):
    return np.array(ops.convert_to_numpy(x))


class Linear(keras.Model):
    """A kernel and a bias, whose gradients are what the data say."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2, name="dense")
        self.dense.build((None, 3))
        self.built = True
        rng = np.random.default_rng(0)
        self.dense.set_weights([rng.normal(size=(3, 2)), rng.normal(size=2)])

    def call(self, x):
        return self.dense(x)

    def compute_loss(self, x=None, y=None, y_pred=None, *args, **kwargs):
        return ops.mean(ops.sum(y * y_pred, axis=-1))


def data(count):
    rng = np.random.default_rng(1)
    return rng.normal(size=(count, 4, 3)), rng.normal(size=(count, 4, 2))


def gradients(x, y):
    return np.einsum("bi,bo->io", x, y) / len(x), y.mean(axis=0)


def fit(optimizer, steps, compiled):
    model = Linear()
    optimizers.decay_kernels_only(optimizer, model.trainable_variables)
    model.compile(optimizer, run_eagerly=not compiled and BACKEND != "jax")
    x, y = data(steps)
    model.fit(
        x.reshape(-1, 3),
        y.reshape(-1, 2),
        batch_size=4,
        shuffle=False,
        verbose=0,
    )
    return model


@pytest.mark.parametrize(
    "rate", [0.1, schedules.linear_warmup_cosine(0.1, 6, 2)]
)
@pytest.mark.parametrize("decay", [0.3, schedules.cosine(0.04, 0.4, 5)])
@pytest.mark.parametrize("accumulate", [None, 2])
def test_against_numpy(rate, decay, accumulate):
    optimizer = optimizers.AdamW(
        rate,
        weight_decay=decay,
        beta_2=0.98,
        gradient_accumulation_steps=accumulate,
    )
    optimizers.count_updates(optimizer)
    micro = accumulate or 1
    # Compiled by default; the schedule is read inside of the step.
    model = fit(optimizer, STEPS * micro, compiled=True)
    x, y = data(STEPS * micro)
    start = Linear().dense.get_weights()
    rates = [float(rate(s)) if callable(rate) else rate for s in range(STEPS)]
    decays = [
        reference.cosine(0.04, 0.4, 5, s) if callable(decay) else decay
        for s in range(STEPS)
    ]
    for index, used in enumerate((decays, [0.0] * STEPS)):

        def gradient(weight, step, index=index):
            parts = range(step * micro, (step + 1) * micro)
            found = [gradients(x[p], y[p])[index] for p in parts]
            return np.mean(found, axis=0)

        expected = adamw(start[index], gradient, rates, used, 0.9, 0.98, 1e-8)[
            -1
        ]
        np.testing.assert_allclose(
            model.dense.get_weights()[index], expected, atol=2e-6
        )


@pytest.mark.parametrize("step", [0, 1, 19_531, 39_062, 78_125, 100_000])
def test_the_published_ramp(step):
    # DINO: 800M views at 10,240 a step.
    optimizer = optimizers.AdamW(
        1e-3, weight_decay=schedules.cosine(0.04, 0.4, 78_125)
    )
    optimizer.iterations.assign(step)
    expected = reference.cosine(0.04, 0.4, 78_125, step)
    np.testing.assert_allclose(
        value(optimizer.weight_decay), expected, rtol=1e-5
    )


def test_it_is_keras_own_otherwise():
    ours = fit(optimizers.AdamW(0.1, weight_decay=0.3), 3, compiled=False)
    keras_own = keras.optimizers.AdamW(0.1, weight_decay=0.3, epsilon=1e-8)
    theirs = fit(keras_own, 3, compiled=False)
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert isinstance(ours.optimizer, keras.optimizers.AdamW)
    # On PyTorch too: all variables in one call.
    assert isinstance(ours.optimizer, type(keras_own))


def ramped(**kwargs):
    return optimizers.AdamW(
        schedules.linear_warmup_cosine(1e-2, 8, 2),
        weight_decay=schedules.cosine(0.04, 4.0, 6),
        **kwargs,
    )


def test_config():
    optimizer = ramped(global_clipnorm=1.0, beta_1=0.8)
    for again in (
        optimizers.AdamW.from_config(optimizer.get_config()),
        keras.optimizers.get(keras.optimizers.serialize(optimizer)),
    ):
        assert type(again) is optimizers.AdamW
        assert again.get_config() == optimizer.get_config()
        again.iterations.assign(3)
        np.testing.assert_allclose(value(again.weight_decay), 2.02, rtol=1e-6)
    for wrong in (-0.1, "cosine", None, float("nan")):
        with pytest.raises(ValueError, match="`weight_decay`.*Received"):
            optimizers.AdamW(weight_decay=wrong)


CROSS = """
import sys, keras, keras_ab, numpy as np
from tests.models import factory
from tests.test_optimizers import go_on, value
model = keras.saving.load_model(sys.argv[1])
if keras.backend.backend() != "jax":
    model.run_eagerly = True
go_on(model, np.load(sys.argv[2]))
"""


def go_on(model, wanted):
    """Two more steps, which end in given weights."""
    optimizer = optimizers.innermost(model.optimizer)
    assert type(optimizer) is optimizers.AdamW
    assert int(value(optimizer.iterations)) == 2
    np.testing.assert_allclose(
        value(optimizer.weight_decay),
        reference.cosine(0.04, 4.0, 6, 2),
        rtol=1e-6,
    )
    model.fit(factory.batches(2), verbose=0, shuffle=False)
    for v in model.online.weights:
        np.testing.assert_allclose(
            value(v), wanted[v.path], rtol=1e-3, atol=2e-3, err_msg=v.path
        )


def saved(folder):
    """A file of a model after two updates, and its weights after three."""
    model = factory.clip()
    factory.compile(model, ramped(gradient_accumulation_steps=2))
    model.fit(factory.batches(4), verbose=0, shuffle=False)
    model.save(folder / "model.keras")
    model.fit(factory.batches(2), verbose=0, shuffle=False)
    return folder / "model.keras", factory.weights(model.online)


def test_saved_and_loaded(tmp_path):
    file, wanted = saved(tmp_path)
    model = keras.saving.load_model(file)
    for v in model.trainable_variables:
        decayed = model.optimizer._use_weight_decay(v)
        assert decayed == (v.name == "kernel")
    model.run_eagerly = BACKEND != "jax"
    go_on(model, wanted)


@pytest.mark.slow
def test_another_backend_goes_on(tmp_path):
    file, wanted = saved(tmp_path)
    arrays = tmp_path / "weights.npz"
    np.savez(arrays, **wanted)
    other = {"jax": "torch", "torch": "tensorflow", "tensorflow": "torch"}
    subprocess.run(
        [sys.executable, "-c", CROSS, file, arrays],
        check=True,
        env={**os.environ, "KERAS_BACKEND": other[BACKEND]},
        cwd=ROOT,
    )


@pytest.mark.parametrize("scaled", [False, True])
def test_decay_in_the_trainer(scaled):
    """With gradients of nothing, kernels shrink as scheduled, alone."""
    model = factory.clip()
    optimizer = optimizers.AdamW(
        0.1, weight_decay=schedules.cosine(0.5, 0.1, 4)
    )
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(
            optimizer, initial_scale=2.0
        )
    model.online.objectives[0].weight = 0.0
    factory.compile(model, optimizer)
    before = factory.weights(model.online)
    model.fit(factory.batches(3), verbose=0, shuffle=False)
    left = np.prod(
        [1 - 0.1 * reference.cosine(0.5, 0.1, 4, s) for s in range(3)]
    )
    for path, weight in factory.weights(model.online).items():
        factor = left if path.endswith("/kernel") else 1.0
        np.testing.assert_allclose(
            weight, factor * before[path], rtol=1e-5, atol=1e-7, err_msg=path
        )


@pytest.mark.parametrize("weight, norm", [(20.0, 1.0), (1e-3, None)])
def test_clipping_by_the_global_norm(weight, norm):
    """What Table 7 means: one norm for all gradients, at most 1."""
    changes = []
    for clip in (1.0, None):
        keras.utils.set_random_seed(0)
        model = factory.clip()
        model.online.objectives[0].weight = weight
        # A large epsilon makes AdamW linear: a step of 0.01 gradients, with
        # which the temperature stays far from its bound.
        optimizer = optimizers.AdamW(
            1e4 / 0.001**0.5,
            weight_decay=0.0,
            epsilon=1e6,
            global_clipnorm=clip,
        )
        factory.compile(model, optimizer)
        before = factory.weights(model.online)
        model.fit(factory.batches(1), verbose=0, shuffle=False)
        after = factory.weights(model.online)
        changes.append({k: 100 * (after[k] - before[k]) for k in before})
        assert int(value(model.updates)) == 1
    clipped, free = (
        np.concatenate([v.ravel() for v in c.values()]) for c in changes
    )
    length = np.linalg.norm(free)
    assert (length > 1) == (norm is not None)
    np.testing.assert_allclose(
        clipped, free * min(1.0, 1.0 / length), rtol=2e-3, atol=2e-5
    )


def test_clipping_lets_no_step_through_that_is_not_finite():
    model = factory.clip()
    factory.compile(model, ramped(global_clipnorm=1.0))
    good, bad = factory.batch(), factory.batch(seed=1)
    for part in (good["reward"], bad["reward"]):
        part["image"] = part["image"].astype("float32") / 127.5 - 1
    bad["reward"]["image"][0, 0, 0, 0] = np.inf
    model.fit(factory.Batches([good]), verbose=0)
    before = factory.weights(model)
    history = model.fit(factory.Batches([good, bad]), verbose=0, shuffle=False)
    assert history.history["skipped_steps"] == [1.0]
    assert int(value(model.updates)) == 2
    after = factory.weights(model)
    assert all(np.isfinite(v).all() for v in after.values())
    assert any((after[k] != before[k]).any() for k in before)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="shapes are known")
def test_a_gradient_of_unknown_shape():
    import tensorflow as tf

    optimizer = optimizers.AdamW(0.1, weight_decay=0.0)
    weight = keras.Variable(np.ones((4, 3), "float32"))
    optimizer.build([weight])

    @tf.function(input_signature=[tf.TensorSpec(None, "float32")])
    def step(gradient):
        optimizer.apply([gradient], [weight])

    step(np.ones((4, 3), "float32"))
    # The first step of Adam is the learning rate.
    np.testing.assert_allclose(value(weight), 0.9, rtol=1e-4)
