"""The target network is the exact moving average, and nothing else."""

import keras
import numpy as np
import pytest

from keras_ab import schedules
from tests.gradients import model_gradients
from tests.models import factory

BACKEND = keras.backend.backend()


class Record(keras.callbacks.Callback):
    """The online weights after each batch."""

    def __init__(self):
        super().__init__()
        self.online = []

    def on_train_batch_end(self, batch, logs=None):
        if BACKEND == "jax":
            self.model.jax_state_sync()
        self.online.append(self.model.online.get_weights())


def closed_form(start, online, rate):
    target = [np.asarray(w, "float64") for w in start]
    for update, weights in enumerate(online):
        tau = float(rate(update)) if callable(rate) else rate
        target = [t + tau * (w - t) for t, w in zip(target, weights)]
    return target


def check(model, expected, tolerance=1e-6):
    for variable, value in zip(model.target.weights, expected):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(variable),
            value,
            atol=tolerance,
            err_msg=variable.path,
        )


@pytest.mark.parametrize(
    "rate, compiled",
    [
        (schedules.cosine(0.5, 0.1, 4), BACKEND != "torch"),
        pytest.param(
            0.3,
            False,
            marks=pytest.mark.slow if BACKEND == "jax" else (),
        ),
    ],
)
def test_closed_form(rate, compiled):
    model = factory.abclip(target_rate=rate)
    factory.compile(
        model,
        keras.optimizers.AdamW(1e-2),
        run_eagerly=not compiled,
        jit_compile=compiled,
    )
    start = model.target.get_weights()
    record = Record()
    model.fit(factory.batches(4), verbose=0, shuffle=False, callbacks=[record])
    check(model, closed_form(start, record.online, rate))
    assert int(model.updates.value) == 4
    moved = [
        abs(a - b).max() for a, b in zip(start, model.target.get_weights())
    ]
    assert max(moved) > 1e-3


def test_accumulated_gradients_tick_once():
    model = factory.abclip(target_rate=0.3)
    optimizer = keras.optimizers.AdamW(1e-2, gradient_accumulation_steps=2)
    factory.compile(model, optimizer, run_eagerly=False)
    start = model.target.get_weights()
    record = Record()
    model.fit(factory.batches(6), verbose=0, shuffle=False, callbacks=[record])
    # The weights move at every second micro-step.
    for before, after in zip(record.online[1::2], record.online[2::2]):
        for a, b in zip(before, after):
            np.testing.assert_array_equal(a, b)
    check(model, closed_form(start, record.online[1::2], 0.3))
    assert int(model.updates.value) == 3


@pytest.mark.skipif(BACKEND == "torch", reason="refused by Keras")
def test_several_steps_an_execution():
    models = []
    for steps in (1, 4):
        keras.utils.set_random_seed(0)
        model = factory.abclip(target_rate=0.3)
        factory.compile(
            model,
            keras.optimizers.SGD(1e-2),
            run_eagerly=False,
            steps_per_execution=steps,
        )
        model.fit(factory.batches(8), verbose=0, shuffle=False)
        models.append(model)
    assert int(models[1].updates.value) == 8
    check(models[1], models[0].target.get_weights(), 1e-5)


def test_no_gradient_and_no_optimizer_state():
    model = factory.abclip()
    factory.compile(model, "adamw")
    _, grads = model_gradients(model, factory.batch())
    assert not any("target" in path for path in grads)
    assert not any("target" in v.path for v in model.optimizer.variables)
    assert not model.target.trainable_variables
    # Were the targets not detached, this would be another gradient.
    assert all(
        v.path.split("/")[1] == "online" for v in model.trainable_weights
    )


def test_it_starts_as_a_copy_by_value():
    model = factory.abclip()
    for a, b in zip(model.online.weights, model.target.weights):
        assert a.path.replace("online", "target") == b.path
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b)
        )
    factory.compile(model, keras.optimizers.SGD(1.0))
    # A shared buffer would be donated twice by the first step on JAX.
    model.fit(factory.batches(2), verbose=0)
    model.fit(factory.batches(2), verbose=0)


def test_targets_come_from_the_target_network():
    model = factory.abclip(target_rate=0.5)
    batch = factory.batch()
    value = model.target.objective("value")
    before = value.target(model.target.targets(batch)["value"])
    for variable in model.online.weights:
        variable.assign(variable * 1.5 + 0.01)
    after = value.target(model.target.targets(batch)["value"])
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(before), keras.ops.convert_to_numpy(after)
    )


def test_without_a_target_network():
    model = factory.abclip(target_rate=None)
    assert model.target is None
    factory.compile(model, keras.optimizers.SGD(1e-2))
    model.fit(factory.batches(2), verbose=0)
    with pytest.raises(ValueError, match="must be 'online'"):
        model.network("target")


def test_the_learning_rate_counts_updates():
    schedule = schedules.cosine(1.0, 0.0, 4)
    model = factory.abclip()
    factory.compile(
        model, keras.optimizers.SGD(schedule, gradient_accumulation_steps=2)
    )
    rates = []

    class Rate(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if BACKEND == "jax":
                self.model.jax_state_sync()
            rate = self.model.optimizer.learning_rate
            rates.append(float(keras.ops.convert_to_numpy(rate)))

    model.fit(factory.batches(6), verbose=0, callbacks=[Rate()])
    expected = [float(schedule(step // 2)) for step in range(6)]
    np.testing.assert_allclose(rates, expected, rtol=1e-5)


def test_weights_in_bfloat16_are_refused():
    with pytest.raises(ValueError, match="mixed_bfloat16"):
        factory.abclip(dtype="bfloat16")
