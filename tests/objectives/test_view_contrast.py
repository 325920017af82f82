"""SimCLR's objective: its head, its statistics, its reward."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import objectives
from keras_ab.objectives import checks
from tests import contracts
from tests.models import factory
from tests.models import rewards
from tests.reference import heads
from tests.reference import losses as reference


def numpy(x):
    return ops.convert_to_numpy(x)


def head_weights(network, head="reward/head/"):
    """A head's weights by the ends of their paths, stirred up."""
    found = {
        v.path.split(head)[1]: v for v in network.weights if head in v.path
    }
    assert found
    rng = np.random.default_rng(5)
    for name, v in found.items():
        noise = rng.uniform(0.5, 1.5, v.shape)
        moving = "norm" in name
        v.assign(noise if moving else numpy(v) + 0.1 * noise)
    return {name: numpy(v).astype("float64") for name, v in found.items()}


def pooled(network, images):
    tokens = network.encode(images.reshape(-1, *rewards.SIZE))
    return numpy(network.encoder.pool(tokens))


def test_config():
    contracts.check_config(objectives.ViewContrast(4, (8, 9), 0.3, weight=2))


def test_the_loss_is_that_of_numpy():
    model, batch = rewards.absimclr(temperature=0.3), rewards.batch()
    weights = head_weights(model.online)
    reward = model.online.objective("reward")
    views = batch["views"]["image"]
    # A call in training moves the statistics, so it comes last.
    for training in (False, True):
        outputs = model(batch, training=training)["reward"]
        loss = numpy(reward.compute_loss(outputs, {}, 0))
        assert loss.shape == (5,)
        embedded, _ = heads.projector(
            pooled(model.online, views),
            weights,
            None if training else "moving",
        )
        expected = reference.nt_xent(embedded[::2], embedded[1::2], 0.3)
        np.testing.assert_allclose(loss, expected, rtol=1e-3)


def test_statistics_are_those_of_both_views():
    model, batch = rewards.absimclr(), rewards.batch()
    before = head_weights(model.online)
    _, seen = heads.projector(
        pooled(model.online, batch["views"]["image"]), before
    )
    # A learning rate of zero leaves all but the statistics.
    factory.compile(model, keras.optimizers.SGD(0.0))
    model.fit(factory.Batches([batch]), verbose=0)
    for network in (model.online, model.target):
        after = {v.path: numpy(v) for v in network.weights}
        for index, (mean, variance) in enumerate(seen):
            prefix = f"absimclr/{network.name}/reward/head/norm_{index}"
            for name, value in (
                ("moving_mean", mean),
                ("moving_variance", variance),
            ):
                old = before[f"norm_{index}/{name}"]
                np.testing.assert_allclose(
                    after[f"{prefix}/{name}"],
                    0.9 * old + 0.1 * value,
                    rtol=1e-3,
                    atol=1e-4,
                )


def test_the_value_head_keeps_statistics_too():
    model = rewards.absimclr()
    statistics = [
        v
        for v in model.online.weights
        if "annotation_head" in v.path and "moving" in v.path
    ]
    assert len(statistics) == 4
    before = [numpy(v).copy() for v in statistics]
    factory.compile(model)
    model.evaluate(rewards.batches(1), verbose=0)
    for a, v in zip(before, statistics):
        np.testing.assert_array_equal(a, numpy(v))
    model.fit(rewards.batches(1), verbose=0)
    for a, v in zip(before, statistics):
        assert abs(a - numpy(v)).max() > 1e-4, v.path
    targets = {
        v.path: numpy(v) for v in model.target.weights if "moving" in v.path
    }
    for v in statistics:
        copied = targets[v.path.replace("online", "target")]
        np.testing.assert_array_equal(copied, numpy(v))


def test_targets_use_moving_statistics():
    model, batch = rewards.absimclr(), rewards.batch()
    before = [numpy(v).copy() for v in model.target.weights]
    whole = factory.bellman_targets(model.target, batch)
    assert whole.shape == (3, 2, 5)
    for a, v in zip(before, model.target.weights):
        np.testing.assert_array_equal(a, numpy(v))
    # Statistics of a batch would make one image's target depend on others.
    part = {**batch, "value": {k: v[:1] for k, v in batch["value"].items()}}
    alone = factory.bellman_targets(model.target, part)
    np.testing.assert_allclose(alone, whole[:1], atol=1e-5)


def test_p_is_the_softmax_over_second_views():
    model, batch = rewards.absimclr(temperature=0.2, gamma=0.0), rewards.batch()
    network = model.target
    weights = head_weights(network)
    second, _ = heads.projector(
        pooled(network, batch["views"]["image"][:, 1]), weights, "moving"
    )
    views, _ = heads.projector(
        pooled(network, batch["value"]["image"]), weights, "moving"
    )
    cosines = reference.unit(views) @ reference.unit(second).T
    expected = reference.softmax(cosines / 0.2)
    target = factory.bellman_targets(network, batch)
    np.testing.assert_allclose(target.reshape(6, 5), expected, rtol=1e-3)
    p = model.reward(
        batch["value"]["image"][:, 0], batch["views"]["image"][:, 1]
    )
    np.testing.assert_allclose(numpy(p), expected[::2], rtol=1e-3)


def test_logits_of_any_number_of_axes():
    model = rewards.simclr()
    reward = model.online.objective("reward")
    rng = np.random.default_rng(0)
    x = ops.convert_to_tensor(rng.normal(size=(2, 3, 32)), "float32")
    features = ops.convert_to_tensor(rng.normal(size=(4, 32)), "float32")
    logits = numpy(reward.reward_logits(x, features))
    assert logits.shape == (2, 3, 4)
    flat = numpy(reward.reward_logits(ops.reshape(x, (6, 32)), features))
    np.testing.assert_allclose(logits.reshape(6, 4), flat, rtol=1e-5)


def test_it_starts_at_chance():
    """Unrelated pixels, so that twins are no more alike than others."""
    model = rewards.simclr(temperature=1.0)
    reward = model.online.objective("reward")
    batch = rewards.batch(images=31)
    loss = ops.mean(
        reward.compute_loss(model(batch, training=True)["reward"], {}, 0)
    )
    chance = reward.chance_loss(batch)
    np.testing.assert_allclose(chance, np.log(2 * 32 - 1))
    assert abs(float(numpy(ops.stop_gradient(loss))) - chance) < 0.2


def test_no_second_pass_without_a_value_function():
    model, batch = rewards.simclr(), rewards.batch()
    assert model.online.targets(batch) == {"reward": {}}
    assert factory.clip().online.targets(batch) == {"reward": {}}
    bootstrapped = rewards.absimclr().target.targets(batch)
    assert set(bootstrapped["reward"]) == {"annotations"}


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), "1"])
def test_numbers_that_are_not_positive(value):
    with pytest.raises(ValueError, match="`x` must be a positive number"):
        checks.check_positive(value, "x")
