"""Fine-tuning of a copy, and its layer-wise learning rates."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import backbones
from keras_ab import probes
from keras_ab.probes.fine_tune import copy_encoder
from keras_ab.probes.layer_decay import ScaledAdamW
from keras_ab.probes.layer_decay import layer_shares
from tests.models import factory

PLAIN = {
    "crop": False,
    "flip": False,
    "rand_augment": 0.0,
    "erase": 0.0,
    "mixup": 0.0,
    "cutmix": 0.0,
}


def bright(count, seed=0):
    """Images that are bright in the left half or in the right one.

    A mirrored one is of the other class.
    """
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (count, 16, 16, 3), dtype="uint8")
    labels = rng.integers(0, 2, count)
    images[labels == 0, :, :8] += 150
    images[labels == 1, :, 8:] += 150
    return images, labels + 4


def state(layer):
    return [np.copy(ops.convert_to_numpy(v)) for v in layer.variables]


def assert_same(before, after):
    for a, b in zip(before, after):
        np.testing.assert_array_equal(a, b)


def test_it_learns_and_leaves_the_encoder_as_it_was():
    model = factory.clip(target_rate=0.1)
    encoder = probes.FrozenEncoder(model)
    before, mark = state(model), encoder.fingerprint()
    images, labels = bright(64)
    test, truth = bright(64, seed=1)
    probe = probes.FineTune(
        base_rate=0.02,
        layer_decay=0.9,
        epochs=20,
        warmup_epochs=2,
        batch_size=32,
        **PLAIN,
    )
    fitted = probe.fit(images, labels, encoder)
    assert (fitted.predict(test) == truth).mean() > 0.9
    assert_same(before, state(model))
    assert encoder.fingerprint() == mark
    tuned = ops.convert_to_numpy(fitted.model.encoder.weights[0])
    assert (tuned != ops.convert_to_numpy(model.encoder.weights[0])).any()


@pytest.mark.slow
def test_all_augmentations():
    images, labels = bright(16)
    probe = probes.FineTune(epochs=2, batch_size=8, warmup_epochs=0)
    fitted = probe.fit(images, labels, factory.clip())
    assert np.isfinite(fitted.scores(images)).all()


def test_a_copy_shares_nothing():
    vit = backbones.ViT.from_size(
        "test", image_shape=(16, 16, 3), patch_size=8, class_token=True
    )
    vit.build()
    encoder = probes.FrozenEncoder(vit, image_size=24)
    before = state(vit)
    copy = copy_encoder(encoder, drop_path=0.3)
    assert copy.drop_path_rate == 0.3 and vit.drop_path_rate == 0.0
    other = probes.FrozenEncoder(copy, image_size=24)
    assert other.fingerprint() == encoder.fingerprint()
    for weight in copy.weights:
        weight.assign(weight + 1.0)
    assert_same(before, state(vit))


@pytest.mark.slow
def test_a_network_of_keras():
    model = keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), weights=None, include_top=False, alpha=0.35
    )
    before = state(model)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 32, 32, 3), dtype="uint8")
    probe = probes.FineTune(epochs=1, batch_size=3, warmup_epochs=0, **PLAIN)
    fitted = probe.fit(images, np.arange(6) % 2, model)
    assert fitted.scores(images).shape == (6, 2)
    assert_same(before, state(model))


def test_earlier_layers_have_smaller_rates():
    vit = backbones.ViT.from_size(
        "test",
        image_shape=(16, 16, 3),
        patch_size=8,
        num_layers=3,
        class_token=True,
    )
    vit.build()
    shares = layer_shares(vit, 0.5)
    of = {
        v.path.split("/", 1)[-1]: share
        for v, share in zip(vit.trainable_variables, shares)
    }
    for path, share in of.items():
        for block, expected in enumerate([1 / 8, 1 / 4, 1 / 2]):
            if f"block_{block}" in path:
                assert share == expected, path
        if path.startswith(("patches", "positions", "class_embedding")):
            assert share == 1 / 16, path
        if path.startswith("norm"):
            assert share == 1.0, path
    assert sorted(set(shares)) == [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0]
    plain = keras.Sequential(
        [keras.Input((4,))] + [keras.layers.Dense(4) for _ in range(3)]
    )
    assert layer_shares(plain, 1.0) == [1.0] * 6
    assert layer_shares(plain, 0.5) == sorted(layer_shares(plain, 0.5))


def test_a_share_of_the_rate_is_a_smaller_rate():
    """Against Keras' own AdamW at that rate."""
    rng = np.random.default_rng(0)
    start = rng.normal(size=(3, 4)).astype("float32")
    steps = rng.normal(size=(5, 2, 3, 4)).astype("float32")

    def run(make):
        variables = [keras.Variable(start), keras.Variable(start)]
        optimizers = make(variables)
        for grads in steps:
            for optimizer, places in optimizers:
                optimizer.apply(
                    [ops.convert_to_tensor(grads[i]) for i in places],
                    [variables[i] for i in places],
                )
        return [ops.convert_to_numpy(v) for v in variables]

    found = run(lambda _: [(ScaledAdamW(0.1, 0.3, [0.25, 1.0]), (0, 1))])
    expected = run(
        lambda _: [
            (keras.optimizers.AdamW(0.025, 0.3, epsilon=1e-8), (0,)),
            (keras.optimizers.AdamW(0.1, 0.3, epsilon=1e-8), (1,)),
        ]
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)
    variables = [keras.Variable(start)]
    optimizer = ScaledAdamW(0.1, 0.3, [0.5])
    optimizer.build(variables)
    # On JAX, a weight that it held too would be handed over twice.
    assert not {id(v) for v in optimizer.variables} & {id(variables[0])}
    with pytest.raises(ValueError, match="1 for 2"):
        run(lambda _: [(ScaledAdamW(0.1, 0.3, [0.25]), (0, 1))])


def test_wrong_use():
    images, labels = bright(4)
    probe = probes.FineTune()
    with pytest.raises(ValueError, match="encoder=None"):
        probe.fit(images, labels)
    with pytest.raises(ValueError, match="Keras layer can be fine-tuned"):
        callable_ = probes.FrozenEncoder(lambda x: x, image_size=16)
        probe.fit(images, labels, callable_)
    with pytest.raises(ValueError, match="uint8"):
        probe.fit(images.astype("float32"), labels, factory.clip())
