"""A reward of one's own, as ARCHITECTURE.md says: all of it is here."""

import keras
import numpy as np
from keras import ops

from keras_ab import models
from keras_ab import objectives
from tests.models import factory
from tests.models import rewards


@keras.saving.register_keras_serializable(package="tests")
class Brightness(objectives.Reward):
    """Which of three brightnesses an image has: dark, middling or bright."""

    annotation_dim = 3

    def __init__(self, weight=1.0, name="reward", **kwargs):
        super().__init__(weight=weight, name=name, **kwargs)
        self.head = keras.layers.Dense(3, name="head")

    def build_on(self, network):
        self.head.build((None, network.encoder.hidden_dim))

    def check(self, batch):
        if "shown" not in batch:
            raise ValueError('The batch must have "shown".')

    def num_annotations(self, batch):
        return 3

    def annotations(self, batch, network):
        return ops.eye(3)

    def featurize(self, annotations, network):
        return ops.take(ops.eye(3), np.asarray(annotations), axis=0)

    def reward_logits(self, pooled, features):
        return ops.matmul(self.head(pooled), ops.transpose(features))

    def call(self, batch, network=None, peers=None, training=False):
        images = batch["shown"]
        pooled = network.encoder.pool(network.encode(images, training))
        mean = ops.mean(ops.cast(images, "float32"), axis=(1, 2, 3))
        bounds = ops.convert_to_tensor([120.0, 135.0])
        return {
            "annotations": self.annotations(batch, network),
            "logits": self.head(pooled),
            "labels": ops.sum(
                ops.cast(mean[:, None] > bounds[None], "int32"), axis=1
            ),
        }

    def compute_loss(self, outputs, targets, updates):
        return keras.losses.sparse_categorical_crossentropy(
            outputs["labels"], outputs["logits"], from_logits=True
        )


def batch(seed):
    rng = np.random.default_rng(seed)
    levels = rng.choice([40, 128, 215], (6, 1, 1, 1))
    noise = rng.integers(-20, 21, (6, *rewards.SIZE))
    return {
        "shown": (levels + noise).astype("uint8"),
        "value": factory.batch(seed=seed)["value"],
    }


def test_a_reward_in_one_file(tmp_path):
    value = objectives.BellmanValue(rewards.decoder(), projection_dim=8)
    model = models.AnnotationBootstrapping(
        factory.image_encoder(), Brightness(), value
    )
    factory.compile(model, keras.optimizers.AdamW(3e-3), run_eagerly=False)
    data = factory.Batches([batch(seed) for seed in range(8)])
    history = model.fit(data, epochs=4, verbose=0).history
    assert history["reward_loss"][-1] < 0.7 * history["reward_loss"][0]
    assert history["value_loss"][-1] < history["value_loss"][0]
    bias = ops.convert_to_numpy(model.target.objective("value").bias.bias)
    assert -2 < bias < 0
    flat = np.stack([np.full(rewards.SIZE, v) for v in (40, 128, 215)])
    p = model.reward(flat.astype("uint8"), [0, 1, 2], network="online")
    # Bright images are told from dark ones.
    p = ops.convert_to_numpy(p)
    assert p[2, 2] > p[0, 2] and p[0, 0] > p[2, 0]
    out = [[[-0.5, -0.5, 1.5, 1.5]]] * 3
    values = model.value(flat.astype("uint8"), np.array(out), [2])
    assert values.shape == (3, 1, 1)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        ops.convert_to_numpy(again.reward(flat.astype("uint8"), [0, 1, 2])),
        ops.convert_to_numpy(model.reward(flat.astype("uint8"), [0, 1, 2])),
        atol=1e-6,
    )
