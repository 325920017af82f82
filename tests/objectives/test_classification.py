"""Classes as a reward."""

import numpy as np
import pytest
from keras import ops

from keras_ab import objectives
from tests import contracts
from tests.gradients import model_gradients
from tests.models import rewards
from tests.reference import losses as reference


def numpy(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("head", ["linear", "cosine"])
def test_config(head):
    contracts.check_config(
        objectives.Classification(3, ["a", "b", "c"], head, 0.5, name="x")
    )


@pytest.mark.parametrize("head", ["linear", "cosine"])
def test_the_loss_is_that_of_numpy(head):
    model, batch = rewards.classes(head), rewards.batch()
    reward = model.online.objective("reward")
    kernel = np.random.default_rng(0).normal(size=(32, 5))
    reward.classifier.kernel.assign(kernel)
    network = model.online
    pooled = numpy(
        network.encoder.pool(network.encode(batch["reward"]["image"]))
    )
    if head == "linear":
        bias = np.arange(5) / 5
        reward.classifier.bias.assign(bias)
        logits = pooled @ kernel + bias
    else:
        logits = reference.unit(pooled) @ reference.unit(kernel.T).T / 0.07
    labels = batch["reward"]["label"]
    expected = -np.log(reference.softmax(logits)[np.arange(4), labels])
    loss = reward.compute_loss(model(batch)["reward"], {}, 0)
    np.testing.assert_allclose(numpy(loss), expected, rtol=1e-3, atol=1e-5)


def test_it_starts_at_ln_k():
    model, batch = rewards.classes(), rewards.batch()
    reward = model.online.objective("reward")
    reward.classifier.kernel.assign(np.zeros((32, 5)))
    loss = numpy(reward.compute_loss(model(batch)["reward"], {}, 0))
    np.testing.assert_allclose(loss, np.log(5), rtol=1e-6)
    # Nearly so with weights as they are drawn.
    model = rewards.classes()
    reward = model.online.objective("reward")
    loss = numpy(reward.compute_loss(model(batch)["reward"], {}, 0))
    assert abs(loss.mean() - np.log(5)) < 1.0
    np.testing.assert_allclose(reward.chance_loss(batch), np.log(5))


def test_embeddings():
    model, batch = rewards.cosine_classes(), rewards.batch()
    images = numpy(model.embed_images(batch["reward"]["image"]))
    classes = numpy(model.embed_annotations(["w5", "w1"]))
    assert images.shape == (4, 32) and classes.shape == (2, 32)
    p = numpy(model.reward(batch["reward"]["image"], ["w5", "w1"]))
    expected = reference.softmax(images @ classes.T / 0.07)
    np.testing.assert_allclose(p, expected, rtol=1e-3)


def test_the_value_function_has_vectors_of_its_own():
    """One for each class, which the reward's loss does not touch."""
    model = rewards.classes()
    value = model.online.objective("value")
    rows = numpy(value.annotation_head.embeddings)
    assert rows.shape == (5, 8)
    assert 0.5 < np.linalg.norm(rows, axis=1).mean() < 1.5
    path = value.annotation_head.embeddings.path
    _, grads = model_gradients(model, rewards.batch())
    assert np.abs(grads[path]).max() > 0
    value.weight = 0.0
    _, grads = model_gradients(model, rewards.batch())
    assert grads[path] is None or not np.any(grads[path])
