"""A step that is not finite changes nothing but a counter."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import models
from keras_ab.objectives import ImageTextContrast
from tests.models import factory

BACKEND = keras.backend.backend()


def snapshot(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [ops.convert_to_numpy(v).copy() for v in variables]


def check_equal(model, expected, tolerance=0.0):
    variables = [*model.variables, *model.optimizer.variables]
    for variable, value in zip(variables, expected):
        np.testing.assert_allclose(
            ops.convert_to_numpy(variable),
            value,
            atol=tolerance,
            rtol=0,
            err_msg=variable.path,
        )


def good_float_batch():
    batch = factory.batch()
    for part in batch.values():
        part["image"] = part["image"].astype("float32") / 127.5 - 1
    return batch


def bad_float_batch(value):
    batch = good_float_batch()
    batch["reward"]["image"][0, 3, 4, 1] = value
    return batch


@pytest.mark.parametrize(
    "policy, value",
    [
        ("float32", np.inf),
        ("mixed_bfloat16", np.nan),
        pytest.param("float32", np.nan, marks=pytest.mark.slow),
        pytest.param("mixed_bfloat16", np.inf, marks=pytest.mark.slow),
    ],
)
def test_bad_pixels(policy, value):
    model = factory.abclip(dtype=policy)
    optimizer = keras.optimizers.SGD(1e-2, momentum=0.9)
    factory.compile(model, optimizer)
    batches = [good_float_batch(), good_float_batch()]
    model.fit(factory.Batches(batches), verbose=0, shuffle=False)
    before = snapshot(model)
    logs = {}

    class Last(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, log=None):
            logs.update(log)

    # The first batch is checked, so the bad one comes second.
    batches = [good_float_batch(), bad_float_batch(value), good_float_batch()]
    model.fit(
        factory.Batches(batches), verbose=0, shuffle=False, callbacks=[Last()]
    )
    after = snapshot(model)
    assert int(model.updates.value) == 4
    assert logs["skipped_steps"] == 1
    assert np.isfinite(list(logs.values())).all()
    # Had the bad step been left out, the weights would be the same.
    again = factory.abclip(dtype=policy)
    factory.compile(again, keras.optimizers.SGD(1e-2, momentum=0.9))
    batches = [good_float_batch()]
    again.fit(factory.Batches(batches), verbose=0)
    variables = [*again.variables, *again.optimizer.variables]
    for variable, value_before in zip(variables, before):
        variable.assign(value_before)
    batches = [good_float_batch()] * 2
    again.fit(factory.Batches(batches), verbose=0, shuffle=False)
    check_equal(again, after, 1e-5)


@keras.saving.register_keras_serializable(package="keras_ab_test")
class Exploding(ImageTextContrast):
    """A reward whose loss is off by a constant inf at its second step."""

    def compute_loss(self, outputs, targets, updates):
        loss = super().compute_loss(outputs, targets, updates)
        return loss + ops.where(ops.equal(updates, 1), np.inf, 0.0)


@keras.saving.register_keras_serializable(package="keras_ab_test")
class Cliff(ImageTextContrast):
    """A reward whose gradient alone is not finite at its second step."""

    def compute_loss(self, outputs, targets, updates):
        loss = super().compute_loss(outputs, targets, updates)
        return loss + ops.sqrt(
            ops.where(ops.equal(updates, 1), 0.0, 1.0) * loss
        )


@pytest.mark.parametrize("reward", [Exploding, Cliff])
def test_a_loss_or_a_gradient_alone(reward):
    model = models.AnnotationBootstrapping(
        factory.image_encoder(),
        reward(factory.text_encoder(), projection_dim=8),
    )
    factory.compile(model, keras.optimizers.AdamW(1e-2))
    model.fit(factory.batches(1), verbose=0)
    before = snapshot(model)
    # The counter stays at one, and with it what is not finite.
    history = model.fit(factory.batches(2), verbose=0).history
    assert history["skipped_steps"] == [2]
    check_equal(model, before)
    # What a skipped step measured is taken back, so it is measured apart.
    loss = model.evaluate(factory.batches(1), verbose=0, return_dict=True)
    assert np.isfinite(loss["reward_loss"]) == (reward is Cliff)


def test_an_optimizer_without_state():
    model = factory.abclip()
    factory.compile(model, keras.optimizers.SGD(1e-2))
    model.fit(factory.Batches([good_float_batch()]), verbose=0)
    before = snapshot(model)
    # Past the check of the first batch, which would refuse it.
    bad = factory.Batches([bad_float_batch(np.nan)] * 2)
    model._prepare = lambda batch: None
    model.fit(bad, verbose=0)
    check_equal(model, before)


def test_accumulated_gradients_survive():
    model = factory.abclip()
    factory.compile(
        model, keras.optimizers.AdamW(1e-2, gradient_accumulation_steps=2)
    )
    batches = [good_float_batch(), bad_float_batch(np.inf), good_float_batch()]
    model.fit(factory.Batches(batches), verbose=0, shuffle=False)
    assert int(model.updates.value) == 1
    for variable in (*model.variables, *model.optimizer.variables):
        assert np.isfinite(ops.convert_to_numpy(variable)).all()


def test_loss_scaling_falls():
    model = factory.abclip(dtype="mixed_float16")
    factory.compile(model, keras.optimizers.AdamW(1e-3))
    scale = model.optimizer.dynamic_scale
    batches = [good_float_batch(), bad_float_batch(np.inf)]
    before = float(ops.convert_to_numpy(scale))
    weights = model.get_weights()
    model.fit(factory.Batches(batches[:1]), verbose=0)
    steps = int(model.updates.value)
    first = float(ops.convert_to_numpy(scale))
    assert first in (before, before / 2)
    model.fit(factory.Batches(batches), verbose=0, shuffle=False)
    assert float(ops.convert_to_numpy(scale)) < first
    assert int(model.updates.value) <= steps + 1
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert len(weights) == len(model.get_weights())
