"""The value objective gives one loss, whole or in chunks."""

import keras
import numpy as np
import pytest

from keras_ab import losses
from keras_ab import objectives
from keras_ab import ops
from tests.gradients import model_gradients
from tests.models import factory


def chunked(model, size):
    model.online.objective("value").annotations_per_chunk = size
    return model


def terms(model, batch):
    return (
        model.online.objective("value"),
        model(batch)["value"],
        model.target.targets(batch)["value"],
    )


@pytest.mark.parametrize("size", [None, 3])
def test_the_loss_is_that_of_the_plain_functions(size):
    model = chunked(factory.abclip(), size)
    value, outputs, targets = terms(model, factory.batch())
    loss = value.compute_loss(outputs, targets, 0)
    backup = ops.bellman_target(
        targets["reward"], value.q_logits(targets), value.gamma
    )
    expected = losses.bellman_value(value.q_logits(outputs), backup)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(loss),
        keras.ops.convert_to_numpy(expected),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(value.target(targets)),
        keras.ops.convert_to_numpy(backup),
        atol=1e-6,
    )


def test_the_logits_are_those_of_the_value_function():
    model = factory.abclip()
    value, outputs, _ = terms(model, factory.batch())
    batch = factory.batch()["value"]
    actions = value.actions.relative(
        keras.ops.convert_to_tensor(batch["boxes"])
    )
    expected = value.value_logits(
        model.online.encode(batch["image"]),
        keras.ops.reshape(actions, (-1, 2, 4)),
        model(factory.batch())["reward"]["annotations"],
    )
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(value.q_logits(outputs)).reshape(6, 2, 4),
        keras.ops.convert_to_numpy(expected),
        atol=1e-5,
    )


def test_every_weight_gets_the_same_gradient():
    batch = factory.batch()
    model = factory.abclip()
    factory.compile(model, "adamw")
    loss, expected = model_gradients(model, batch)
    again, grads = model_gradients(chunked(model, 3), batch)
    np.testing.assert_allclose(again, loss, rtol=1e-5)
    assert set(grads) == set(expected)
    for path, grad in grads.items():
        np.testing.assert_allclose(
            grad, expected[path], rtol=1e-4, atol=1e-5, err_msg=path
        )


def test_fit_in_chunks():
    weights = []
    for size in (None, 3):
        keras.utils.set_random_seed(0)
        model = chunked(factory.abclip(), size)
        factory.compile(
            model,
            keras.optimizers.SGD(0.1),
            run_eagerly=False,
            jit_compile=keras.backend.backend() == "jax",
        )
        model.fit(factory.batches(2), verbose=0, shuffle=False)
        assert int(model.updates.value) == 2
        weights.append(model.online.get_weights())
    for a, b in zip(*weights):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_the_size_of_chunks_is_saved():
    value = objectives.BellmanValue(annotations_per_chunk=256)
    config = value.get_config()
    assert config["annotations_per_chunk"] == 256
    again = objectives.BellmanValue.from_config(config)
    assert again.annotations_per_chunk == 256


@pytest.mark.parametrize("size", [0, -1, 1.5, "all"])
def test_wrong_sizes_of_chunks(size):
    with pytest.raises(ValueError, match="annotations_per_chunk"):
        objectives.BellmanValue(annotations_per_chunk=size)
