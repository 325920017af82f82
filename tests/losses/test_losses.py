"""Values and gradients of every loss against loops in float64."""

import inspect

import keras
import numpy as np
import pytest

from keras_ab import losses
from keras_ab import ops
from tests.gradients import gradient
from tests.gradients import numeric_gradient
from tests.reference import losses as reference

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape)


# name, our function, the oracle, arguments; the first one gets the gradient.
CASES = [
    (
        f"bellman_value-{b}-{n}-{a}",
        losses.bellman_value,
        reference.bellman_value,
        (3 * normal(b, n, n, a), reference.softmax(normal(b, n, a))),
    )
    for b, n, a in [(2, 3, 4), (1, 2, 7), (3, 1, 2)]
]
CASES += [
    (
        f"info_nce-{b}-{scale}",
        lambda x, y, s=scale: losses.info_nce(x, y, s),
        lambda x, y, s=scale: reference.info_nce(x, y, s),
        (normal(b, 5), normal(b, 5)),
    )
    for b, scale in [(4, 1.0), (3, 14.3), (1, 5.0)]
]
CASES += [
    (
        f"nt_xent-{b}-{t}",
        lambda x, y, t=t: losses.nt_xent(x, y, t),
        lambda x, y, t=t: reference.nt_xent(x, y, t),
        (normal(b, 5), normal(b, 5)),
    )
    for b, t in [(4, 0.1), (2, 0.5)]
]
CASES += [
    (
        f"sigmoid_contrast-{b}-{scale}-{bias}",
        lambda x, y, s=scale, t=bias: losses.sigmoid_contrast(x, y, s, t),
        lambda x, y, s=scale, t=bias: reference.sigmoid_contrast(x, y, s, t),
        (normal(b, 5), normal(b, 5)),
    )
    for b, scale, bias in [(4, 10.0, -10.0), (3, 1.0, 0.5), (1, 20.0, -3.0)]
]
CASES += [
    (
        f"dino-{v}-{g}",
        lambda x, y: losses.dino(x, y, 0.1),
        lambda x, y: reference.dino(x, y, 0.1),
        (normal(v, 3, 6), reference.softmax(3 * normal(g, 3, 6))),
    )
    for v, g in [(2, 2), (5, 2), (3, 1)]
]
NAMES = [case[0] for case in CASES]


@pytest.mark.parametrize("name, ours, oracle, args", CASES, ids=NAMES)
def test_value(name, ours, oracle, args):
    result = keras.ops.convert_to_numpy(ours(*args))
    np.testing.assert_allclose(result, oracle(*args), rtol=1e-5, atol=1e-5)
    assert result.dtype == np.float32


@pytest.mark.parametrize("name, ours, oracle, args", CASES, ids=NAMES)
def test_gradient(name, ours, oracle, args):
    (grad,) = gradient(
        lambda x: keras.ops.sum(ours(x, args[1].astype("float32"))), args[0]
    )
    expected = numeric_gradient(lambda x: oracle(x, args[1]).sum(), args[0])
    np.testing.assert_allclose(grad, expected, rtol=1e-4, atol=1e-5)


def test_info_nce_starts_at_ln_batch():
    x, y = normal(2, 256, 512)
    loss = losses.info_nce(x, y, 1.0)
    assert abs(float(keras.ops.mean(loss)) - np.log(256)) < 0.02


def test_nt_xent_starts_at_ln_of_the_others():
    x, y = normal(2, 256, 2048)
    loss = losses.nt_xent(x, y, 1.0)
    assert abs(float(keras.ops.mean(loss)) - np.log(511)) < 0.02


def test_sigmoid_contrast_starts_at_its_bias():
    x, y = normal(2, 64, 2048)
    loss = losses.sigmoid_contrast(x, y, 10.0, -10.0)
    # The true pair is called false with certainty, the others rightly so.
    expected = 10 + 64 * np.exp(-10)
    assert abs(float(keras.ops.mean(loss)) - expected) < 0.1


def test_sigmoid_contrast_of_confident_logits():
    x = np.eye(3)
    loss = losses.sigmoid_contrast(x, x, 1000.0, -500.0)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(loss), 0, atol=1e-5)
    loss = losses.sigmoid_contrast(x, x[[1, 2, 0]], 1000.0, -500.0)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(loss), 1000)


def test_value_loss_grows_with_annotations_not_with_views():
    one = losses.bellman_value(np.zeros((1, 2, 2, 8)), np.zeros((1, 2, 8)))
    views = losses.bellman_value(np.zeros((1, 4, 4, 8)), np.zeros((1, 4, 8)))
    more = losses.bellman_value(np.zeros((1, 2, 2, 16)), np.zeros((1, 2, 16)))
    np.testing.assert_allclose(float(views[0]), float(one[0]), rtol=1e-6)
    np.testing.assert_allclose(float(more[0]), 2 * float(one[0]), rtol=1e-6)


def test_large_logits_stay_finite():
    logits = np.full((1, 2, 2, 3), 1e4)
    loss = losses.bellman_value(logits, np.zeros((1, 2, 3)))
    assert np.isfinite(keras.ops.convert_to_numpy(loss)).all()


DINO = next(case for case in CASES if case[0].startswith("dino"))
CLASSES = [
    (losses.BellmanValueLoss, losses.bellman_value, CASES[0][3], {}),
    (losses.InfoNCE, losses.info_nce, CASES[3][3], {"logit_scale": 3.0}),
    (losses.NTXent, losses.nt_xent, CASES[6][3], {"temperature": 0.2}),
    (losses.DINOLoss, losses.dino, DINO[3], {"temperature": 0.2}),
    (
        losses.SigmoidContrast,
        losses.sigmoid_contrast,
        CASES[6][3],
        {"logit_scale": 3.0, "logit_bias": -2.0},
    ),
]


@pytest.mark.parametrize("cls, function, args, config", CLASSES)
def test_class_form(cls, function, args, config):
    loss = cls(**config)
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(loss)
    )
    assert again.get_config() == loss.get_config()
    # y_true carries the target, y_pred the prediction.
    expected = keras.ops.mean(function(*args, **config))
    for instance in (loss, again):
        np.testing.assert_allclose(
            float(instance(args[1], args[0])), float(expected), rtol=1e-5
        )


@pytest.mark.parametrize("cls", [c[0] for c in CLASSES])
def test_config_is_complete(cls):
    parameters = set(inspect.signature(cls.__init__).parameters) - {
        "self",
        "dtype",
    }
    assert parameters <= set(cls().get_config())


@pytest.mark.parametrize(
    "call",
    [
        lambda: losses.info_nce(np.zeros((3, 4)), np.zeros((2, 4)), 1.0),
        lambda: losses.nt_xent(np.zeros((3, 4)), np.zeros((3, 5))),
        lambda: losses.sigmoid_contrast(*np.zeros((2, 3)), 1.0, 0.0),
        lambda: losses.sigmoid_contrast(
            np.zeros((3, 4)), np.zeros((2, 4)), 1.0, 0.0
        ),
        lambda: losses.nt_xent(*np.zeros((2, 3, 4)), temperature=0.0),
        lambda: losses.dino(np.zeros((2, 3, 4)), np.zeros((3, 3, 4))),
        lambda: losses.dino(*np.zeros((2, 2, 3, 4)), temperature=0.0),
        lambda: losses.bellman_value(np.zeros((2, 3, 4)), np.zeros((2, 3))),
    ],
)
def test_wrong_input(call):
    with pytest.raises(ValueError, match="Received"):
        call()


def test_dino_does_not_cancel():
    logits = np.zeros((2, 1, 2), "float32")
    logits[0, 0] = [0, 1000]
    teacher = np.array([[[1.0, 0.0]]], "float32")
    result = keras.ops.convert_to_numpy(losses.dino(logits, teacher, 0.1))
    np.testing.assert_allclose(result, np.log(2), atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 1, 4), (1, 2, 4), (3, 2, 1)])
def test_targets_of_another_size(shape):
    with pytest.raises(ValueError, match="Received"):
        losses.bellman_value(np.zeros((3, 2, 2, 4)), np.zeros(shape))
    with pytest.raises(ValueError, match="Received"):
        ops.bellman_target(np.zeros(shape), np.zeros((3, 2, 2, 4)))
