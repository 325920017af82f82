"""A reward that is used as it is."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import objectives
from tests import contracts
from tests.models import factory
from tests.models import rewards
from tests.reference import losses as reference


def numpy(x):
    return ops.convert_to_numpy(x)


@keras.saving.register_keras_serializable(package="tests")
def brightness(images):
    """Three logits of an image: its mean, twice that, and none."""
    mean = ops.mean(images, axis=(1, 2, 3))
    return ops.stack([mean, 2 * mean, 0 * mean], axis=1)


@keras.saving.register_keras_serializable(package="tests")
def darker(images):
    return images - 0.5


@keras.saving.register_keras_serializable(package="tests")
def pairs(images):
    return ops.reshape(images, (-1, 2))


def value_batch(**kwargs):
    return {"value": factory.batch(**kwargs)["value"]}


@pytest.mark.parametrize("features", [None, np.eye(3)])
def test_config(features):
    contracts.check_config(
        objectives.FrozenReward(
            brightness,
            3,
            temperature=0.1,
            preprocess=darker,
            annotation_names="abc",
            annotation_features=features,
            fewer_than_images=True,
        )
    )


def test_p_is_that_of_the_function():
    model = rewards.bootstrapping(
        objectives.FrozenReward(
            brightness, 3, temperature=0.2, preprocess=darker
        ),
        gamma=0.0,
    )
    batch = value_batch()
    views = batch["value"]["image"]
    mean = (views / 127.5 - 1.5).mean((2, 3, 4)).reshape(-1)
    logits = np.stack([mean, 2 * mean, 0 * mean], 1) / 0.2
    expected = reference.softmax(logits)
    target = factory.bellman_targets(model.target, batch)
    np.testing.assert_allclose(target.reshape(-1, 3), expected, rtol=1e-4)
    p = model.reward(views[:, 0], None)
    np.testing.assert_allclose(numpy(p), expected[::2], rtol=1e-4)
    some = numpy(model.reward(views[:, 0], [2, 0]))
    expected = reference.softmax(logits[::2][:, [2, 0]])
    np.testing.assert_allclose(some, expected, rtol=1e-4)


def test_only_views_are_needed_and_only_the_rest_learns():
    model = rewards.frozen()
    factory.compile(model, keras.optimizers.AdamW(1e-2, weight_decay=0.5))
    scorer = model.online.objective("reward").model
    before = [numpy(v).copy() for v in scorer.weights]
    encoder = [numpy(v).copy() for v in model.encoder.weights]
    data = factory.Batches([value_batch(seed=s) for s in range(3)])
    history = model.fit(data, verbose=0).history
    assert history["reward_loss"] == [0]
    np.testing.assert_allclose(
        history["loss"], history["value_loss"], rtol=1e-5
    )
    for network in (model.online, model.target):
        frozen = network.objective("reward").model
        for a, v in zip(before, frozen.weights):
            np.testing.assert_array_equal(a, numpy(v), err_msg=v.path)
    moved = [
        abs(a - numpy(v)).max() for a, v in zip(encoder, model.encoder.weights)
    ]
    assert min(moved) > 0


def test_it_stays_frozen():
    model = rewards.frozen()
    model.trainable = True
    reward = model.online.objective("reward")
    assert not reward.trainable and not reward.trainable_variables
    assert not any("conv2d" in v.path for v in model.trainable_variables)
    assert model.encoder.trainable_variables
    factory.compile(model)
    model.fit(factory.Batches([value_batch()]), verbose=0)


def test_it_is_not_in_training():
    """Neither dropout nor statistics of a batch, in a training step too."""
    model = rewards.frozen()
    images = value_batch()["value"]["image"][:, 0]
    first = numpy(model.reward(images, None))
    np.testing.assert_array_equal(first, numpy(model.reward(images, None)))
    alone = numpy(model.reward(images[:1], None))
    np.testing.assert_allclose(alone, first[:1], atol=1e-6)
    reward = model.online.objective("reward")
    logits = numpy(reward.model(images / 127.5 - 1, training=False))
    np.testing.assert_allclose(first, reference.softmax(logits), rtol=1e-4)


def test_given_features_are_projected():
    model = rewards.frozen_with_features()
    heads = [n.objective("value").annotation_head for n in networks(model)]
    table = np.random.default_rng(3).normal(size=(5, 6))
    for head in heads:
        np.testing.assert_allclose(numpy(head.table), table, rtol=1e-6)
    factory.compile(model, keras.optimizers.AdamW(1e-1, weight_decay=0.5))
    before = numpy(heads[0].projection.projection.kernel).copy()
    model.fit(factory.Batches([value_batch()]), verbose=0)
    for head in heads:
        np.testing.assert_allclose(numpy(head.table), table, rtol=1e-6)
    after = numpy(heads[0].projection.projection.kernel)
    assert abs(after - before).max() > 1e-3


def networks(model):
    return model.online, model.target


def test_preprocessing_by_a_layer(tmp_path):
    encoder = factory.image_encoder()
    small = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(5),
        ]
    )
    reward = objectives.FrozenReward(
        small, 5, preprocess=keras.layers.Resizing(4, 4)
    )
    reward.build_on(type("Stub", (), {"encoder": encoder}))
    images = value_batch()["value"]["image"]
    logits = reward.image_logits(images, None, ops.arange(5))
    assert logits.shape == (6, 5)


def test_few_annotations_where_they_are_meant():
    batch = value_batch(values=4)
    few = objectives.FrozenReward(brightness, 3)
    with pytest.raises(ValueError, match="3 annotations, fewer than the 4"):
        few.check(batch)
    objectives.FrozenReward(brightness, 3, fewer_than_images=True).check(batch)
    objectives.FrozenReward(brightness, 4).check(batch)


class Callable:
    def __call__(self, images):
        return images


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: objectives.FrozenReward(3, 3), "`model`.*Received: 3"),
        (
            lambda: objectives.FrozenReward(lambda x: x, 3),
            "`model` is copied.*register_keras_serializable.*lambda",
        ),
        (
            lambda: objectives.FrozenReward(value_batch, 3),
            "`model` is copied.*register_keras_serializable.*value_batch",
        ),
        (
            lambda: objectives.FrozenReward(Callable(), 3),
            "`model` is copied.*register_keras_serializable.*Callable",
        ),
        (
            lambda: objectives.FrozenReward(brightness, 3, preprocess=len),
            "`preprocess` is copied",
        ),
        (lambda: objectives.FrozenReward(brightness, 0), "Received: 0"),
        (
            lambda: objectives.FrozenReward(brightness, 3, temperature=0),
            "`temperature` must be a positive number. Received: 0",
        ),
        (
            lambda: objectives.FrozenReward(
                brightness, 3, annotation_features=np.eye(4)
            ),
            "each of the 3 annotations. Received: 4 rows",
        ),
        (
            lambda: objectives.FrozenReward(
                brightness, 3, annotation_features=np.full((3, 2), np.nan)
            ),
            "NaN",
        ),
        (
            lambda: objectives.FrozenReward(brightness, 3, ["a", "b"]),
            "must be a positive number",
        ),
        (
            lambda: objectives.FrozenReward(
                brightness, 3, annotation_names=["a", "b"]
            ),
            "each of the 3 annotations.*2 names",
        ),
        (
            lambda: rewards.bootstrapping(
                objectives.FrozenReward(brightness, 4)
            ),
            r"\(B, 4\).*Received.*\(2, 3\)",
        ),
        (
            lambda: rewards.bootstrapping(objectives.FrozenReward(pairs, 2)),
            r"\(B, 2\).*Received.*\(768, 2\)",
        ),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_it_cannot_do():
    model = rewards.frozen()
    images = value_batch()["value"]["image"][:, 0]
    with pytest.raises(ValueError, match="scores images and embeds none"):
        model.embed_images(images)
    with pytest.raises(ValueError, match="embeds no annotations"):
        model.embed_annotations(None)
