"""Two small rewards on pairs of views, that can be made to collapse."""

import math

import keras
import numpy as np
from keras import ops

from keras_ab import backbones
from keras_ab import layers
from keras_ab import losses
from keras_ab import models
from keras_ab import objectives
from keras_ab import ops as ab_ops


class Twins(objectives.Reward):
    """NT-Xent on the encoder's features; annotations are images."""

    def __init__(self, temperature=0.1, **kwargs):
        super().__init__(**{"name": "reward", **kwargs})
        self.temperature = temperature
        self.head = layers.ProjectionHead(16, name="head")

    def build_on(self, network):
        self.annotation_dim = network.encoder.hidden_dim
        self.head.build((None, self.annotation_dim))

    def check(self, batch):
        pass

    def num_annotations(self, batch):
        return len(batch["views"]["image"])

    def pooled(self, batch, network, view):
        images = batch["views"]["image"][:, view]
        return network.encoder.pool(network.encode(images))

    def annotations(self, batch, network):
        return self.pooled(batch, network, 1)

    def reward_logits(self, pooled, features):
        cosines = ab_ops.cosine_similarity(
            self.head(pooled), self.head(features)
        )
        return cosines / self.temperature

    def call(self, batch, network=None, peers=None, training=False):
        pooled = [self.pooled(batch, network, view) for view in (0, 1)]
        return {"a": self.head(pooled[0]), "b": self.head(pooled[1])}

    def compute_loss(self, outputs, targets, updates):
        return losses.nt_xent(outputs["a"], outputs["b"], self.temperature)

    def chance_loss(self, batch):
        return math.log(2 * self.num_annotations(batch) - 1)

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}


class Clusters(Twins):
    """Self-distillation into K prototypes, with a centre or without one."""

    def __init__(self, centred=True, temperature=0.04, count=32, **kwargs):
        super().__init__(temperature=temperature, **kwargs)
        self.centred, self.count = centred, count

    def build_on(self, network):
        super().build_on(network)
        self.prototypes = self.add_weight(
            shape=(self.count, 16), initializer="normal", name="prototypes"
        )
        self.centre = self.add_weight(
            shape=(self.count,),
            initializer="zeros",
            trainable=False,
            name="centre",
        )

    def num_annotations(self, batch):
        return self.count

    def annotations(self, batch, network):
        return self.prototypes

    def raw(self, pooled, features):
        return ab_ops.cosine_similarity(self.head(pooled), features)

    def reward_logits(self, pooled, features):
        return (self.raw(pooled, features) - self.centre) / self.temperature

    def call(self, batch, network=None, peers=None, training=False):
        pooled = [self.pooled(batch, network, view) for view in (0, 1)]
        return {"logits": [self.raw(p, self.prototypes) for p in pooled]}

    def targets(self, batch, network, peers):
        pooled = [self.pooled(batch, network, view) for view in (0, 1)]
        features = ops.convert_to_tensor(self.prototypes)
        return {
            "raw": [self.raw(p, features) for p in pooled],
            "p": [ops.softmax(self.reward_logits(p, features)) for p in pooled],
        }

    def compute_loss(self, outputs, targets, updates):
        return losses.dino(
            ops.stack(outputs["logits"]), ops.stack(targets["p"])
        )

    def update_state(self, outputs, targets, updates):
        if self.centred:
            mean = ops.mean(ops.concatenate(targets["raw"]), axis=0)
            self.centre.assign(0.9 * self.centre + 0.1 * mean)

    def chance_loss(self, batch):
        return math.log(self.count)

    def get_config(self):
        return {
            **super().get_config(),
            "centred": self.centred,
            "count": self.count,
        }


def batch(seed, count=16):
    """Two views of images that differ in colour and in a gradient."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(40, 215, (count, 1, 1, 1, 3))
    slope = rng.uniform(-40, 40, (count, 1, 16, 1, 3))
    slope = slope * np.linspace(-1, 1, 16).reshape(1, 1, 16, 1, 1)
    noise = rng.normal(0, 10, (count, 2, 16, 16, 3))
    image = np.clip(base + slope + noise, 0, 255).astype("uint8")
    return {"views": {"image": image}}


class Batches(keras.utils.PyDataset):
    """Batches without end enough."""

    def __init__(self, count, size=16):
        super().__init__()
        self.count, self.size = count, size

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return (batch(index, self.size),)


def build(reward, rate=1e-3, target_rate=None, pull=False):
    """A model on a reward, compiled.

    `pull` gives one prototype of `Clusters` a centre that draws all images
    to it, for as long as nothing moves the centre.
    """
    keras.utils.set_random_seed(0)
    encoder = backbones.ViT.from_size(
        "test",
        image_shape=(16, 16, 3),
        patch_size=8,
        num_layers=1,
        name="image_encoder",
    )
    with keras.saving.custom_object_scope(
        {type(reward).__name__: type(reward)}
    ):
        model = models.Pretrainer(encoder, [reward], target_rate=target_rate)
    if pull:
        for network in (model.online, model.target):
            (objective,) = network.objectives
            centre = np.zeros(objective.count, "float32")
            centre[0] = -1.0
            objective.centre.assign(centre)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=0.05))
    return model
