"""SigLIP's loss as a reward."""

import math

import numpy as np
from keras import ops

from keras_ab import objectives
from tests import contracts
from tests.models import factory
from tests.models import rewards
from tests.reference import losses as reference


def numpy(x):
    return ops.convert_to_numpy(x)


def test_config():
    contracts.check_config(
        objectives.ImageTextSigmoid(
            factory.text_encoder(), factory.tokenizer(), initial_bias=-3.0
        )
    )


def test_the_loss_and_its_learnt_scalars():
    model, batch = rewards.sigmoid(), rewards.batch()
    reward = model.online.objective("reward")
    outputs = model(batch)["reward"]
    np.testing.assert_allclose(numpy(outputs["logit_scale"]), [10], rtol=1e-5)
    np.testing.assert_allclose(numpy(outputs["logit_bias"]), [-10])
    expected = reference.sigmoid_contrast(
        numpy(outputs["image_embeddings"]),
        numpy(outputs["text_embeddings"]),
        10,
        -10,
    )
    loss = numpy(reward.compute_loss(outputs, {}, 0))
    np.testing.assert_allclose(loss, expected, rtol=1e-4)
    # A false "false" for the one true pair: about the bias.
    assert abs(loss.mean() - 10) < 5


def test_chance_is_the_entropy_of_one_true_pair_in_four():
    chance = (
        rewards.sigmoid()
        .online.objective("reward")
        .chance_loss(rewards.batch(images=4))
    )
    entropy = -math.log(1 / 4) - 3 * math.log(3 / 4)
    np.testing.assert_allclose(chance, entropy)


def test_p_is_the_posterior_of_one_true_caption():
    """Against the product of sigmoids that the docstring speaks of."""
    model, batch = rewards.sigmoid(), rewards.batch()
    network = model.target
    reward = network.objective("reward")
    pooled = network.encoder.pool(network.encode(batch["reward"]["image"]))
    features = reward.annotations(batch, network)
    logits = numpy(reward.reward_logits(pooled, features))
    true = reference.sigmoid(logits)
    only = np.array(
        [
            [
                row[j] * np.prod([1 - s for k, s in enumerate(row) if k != j])
                for j in range(len(row))
            ]
            for row in true
        ]
    )
    expected = only / only.sum(1, keepdims=True)
    p = model.reward(batch["reward"]["image"], batch["reward"]["text"])
    np.testing.assert_allclose(numpy(p), expected, rtol=1e-4)


def test_it_shares_paths_with_the_other_contrast():
    """One text tower in both: the same weights, and a bias more."""

    def paths(model):
        found = [v.path.split("/", 1)[1] for v in model.online.weights]
        return {path for path in found if path.startswith("online/reward")}

    more = paths(rewards.sigmoid()) - paths(factory.abclip())
    assert more == {"online/reward/bias/bias"}
    assert not paths(factory.abclip()) - paths(rewards.sigmoid())
