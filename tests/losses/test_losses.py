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
CASES += [
    (
        f"masked_pixels-{normalize}-{masked is None}",
        lambda x, y, m=masked, n=normalize: losses.masked_pixels(x, y, m, n),
        lambda x, y, m=masked, n=normalize: reference.masked_pixels(x, y, m, n),
        (normal(2, 5, 6), 2 + normal(2, 5, 6)),
    )
    for normalize in (True, False)
    for masked in (None, np.array([[0, 3, 4], [2, 1, 0]]))
]
MEANT = RNG.random((3, 2, 4)) < 0.6
CASES += [
    (
        f"masked_latents-{mask is None}",
        lambda x, y, m=mask: losses.masked_latents(x, y, m),
        lambda x, y, m=mask: reference.masked_latents(x, y, m),
        (normal(3, 2, 4, 5), normal(3, 2, 4, 5)),
    )
    for mask in (None, MEANT)
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


@pytest.mark.parametrize("name, ours, oracle, args", CASES, ids=NAMES)
def test_gradient_of_the_other_side(name, ours, oracle, args):
    """Both embeddings learn from a contrast; a teacher's side does not."""
    (grad,) = gradient(
        lambda y: keras.ops.sum(ours(args[0].astype("float32"), y)), args[1]
    )
    if name.startswith(("dino", "masked_latents")):
        np.testing.assert_array_equal(grad, 0.0)
        return
    expected = numeric_gradient(lambda y: oracle(args[0], y).sum(), args[1])
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


def arguments(name):
    """The arguments of the first case of a loss."""
    return next(case[3] for case in CASES if case[0].startswith(name))


CLASSES = [
    (losses.BellmanValueLoss, losses.bellman_value, arguments("bellman"), {}),
    (
        losses.InfoNCE,
        losses.info_nce,
        arguments("info_nce"),
        {"logit_scale": 3.0},
    ),
    (losses.NTXent, losses.nt_xent, arguments("nt_xent"), {"temperature": 0.2}),
    (
        losses.MaskedPixelsLoss,
        losses.masked_pixels,
        arguments("masked_pixels"),
        {"normalize": False},
    ),
    (
        losses.MaskedLatentsLoss,
        losses.masked_latents,
        arguments("masked_latents"),
        {},
    ),
    (losses.DINOLoss, losses.dino, arguments("dino"), {"temperature": 0.2}),
    (
        losses.SigmoidContrast,
        losses.sigmoid_contrast,
        arguments("sigmoid"),
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
        lambda: losses.NTXent(temperature=0.0),
        lambda: losses.DINOLoss(temperature=-1.0),
        lambda: losses.dino(np.zeros((2, 3, 4)), np.zeros((3, 3, 4))),
        lambda: losses.dino(*np.zeros((2, 2, 3, 4)), temperature=0.0),
        lambda: losses.bellman_value(np.zeros((2, 3, 4)), np.zeros((2, 3))),
        lambda: losses.masked_pixels(np.zeros((2, 3, 4)), np.zeros((2, 4, 4))),
        lambda: losses.masked_pixels(
            *np.zeros((2, 2, 3, 4)), masked=np.zeros((1, 3), "int32")
        ),
        lambda: losses.masked_latents(np.zeros((2, 3)), np.zeros((2, 4))),
        lambda: losses.masked_latents(
            *np.zeros((2, 2, 3, 4)), mask=np.ones((2, 4), bool)
        ),
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


def test_flat_patches_cost_nothing_but_their_prediction():
    patches = np.full((1, 2, 6), 0.7)
    loss = losses.masked_pixels(np.zeros((1, 2, 6)), patches)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(loss), 0, atol=1e-6)


def test_the_mean_costs_about_one():
    patches = normal(4, 9, 768)
    loss = losses.masked_pixels(np.zeros((4, 9, 768)), patches)
    expected = np.full(4, 767 / 768)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(loss), expected, rtol=1e-4
    )


def test_padding_costs_nothing_whatever_it_holds():
    predictions, targets = normal(2, 3, 4, 5), normal(2, 3, 4, 5)
    mask = np.ones((2, 3, 4), bool)
    mask[:, :, 2:] = False
    wild = np.where(mask[..., None], predictions, 1e30)
    results = [
        keras.ops.convert_to_numpy(losses.masked_latents(x, targets, mask))
        for x in (predictions, wild)
    ]
    np.testing.assert_array_equal(*results)
    (grad,) = gradient(
        lambda x: keras.ops.sum(
            losses.masked_latents(x, targets.astype("float32"), mask)
        ),
        predictions,
    )
    assert grad[mask].all() and not grad[~mask].any()


def test_no_gradient_to_the_latents_aimed_at():
    x = normal(2, 3, 4).astype("float32")
    (grad,) = gradient(
        lambda y: keras.ops.sum(losses.masked_latents(x, y)), normal(2, 3, 4)
    )
    assert not grad.any()


def test_what_little_is_left_is_not_rounded():
    """Losses and gradients of pairs that are all but told apart."""
    rng, scale = np.random.default_rng(0), 100.0
    a = (1 + 0.4 * rng.standard_normal((6, 16))).astype("float32")
    b = (a + 0.05 * rng.standard_normal((6, 16))).astype("float32")
    for loss, oracle in (
        (
            lambda x, y: losses.info_nce(x, y, scale),
            lambda x, y: reference.info_nce(x, y, scale),
        ),
        (
            lambda x, y: losses.nt_xent(x, y, 1 / scale),
            lambda x, y: reference.nt_xent(x, y, 1 / scale),
        ),
    ):
        found = keras.ops.convert_to_numpy(loss(a, b))
        wanted = oracle(a, b)
        assert 1e-5 < wanted.max() < 0.1
        np.testing.assert_allclose(found, wanted, rtol=1e-3)
        (grad,) = gradient(lambda x, f=loss: keras.ops.mean(f(x, b)), a)
        step = 1e-5 * rng.standard_normal(a.shape)
        ahead, behind = oracle(a + step, b), oracle(a - step, b)
        slope = (ahead - behind).mean() / 2
        np.testing.assert_allclose((grad * step).sum(), slope, rtol=2e-3)
