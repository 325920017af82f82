"""Tiny models over every reward, and the batches that they train on."""

import keras
import numpy as np

from keras_ab import backbones
from keras_ab import models
from keras_ab import objectives
from tests.models import factory

SIZE = (16, 16, 3)
CLASSES = ["w1", "w2", "w3", "w4", "w5"]


def decoder(dtype=None):
    return backbones.AnnotationDecoder.from_size(
        "test", num_layers=1, dtype=dtype, name="decoder"
    )


def simclr(**kwargs):
    return models.SimCLR(
        factory.image_encoder(kwargs.get("dtype")),
        **{"projection_dim": 8, "hidden_dims": (12, 12), **kwargs},
    )


def slip(**kwargs):
    return models.SLIP(
        factory.image_encoder(),
        factory.text_encoder(),
        factory.tokenizer(),
        projection_dim=8,
        ssl_projection_dim=6,
        ssl_hidden_dims=(12, 12),
        **kwargs,
    )


def absimclr(**kwargs):
    dtype = kwargs.get("dtype")
    return models.ABSimCLR(
        factory.image_encoder(dtype),
        decoder(dtype),
        **{
            "projection_dim": 8,
            "hidden_dims": (12, 12),
            "value_projection_dim": 7,
            **kwargs,
        },
    )


def bootstrapping(reward, **kwargs):
    value = objectives.BellmanValue(
        decoder(), reward=reward.name, projection_dim=8, **kwargs
    )
    return models.AnnotationBootstrapping(
        factory.image_encoder(), reward, value
    )


def sigmoid():
    return bootstrapping(
        objectives.ImageTextSigmoid(
            factory.text_encoder(), factory.tokenizer(), projection_dim=8
        )
    )


def classes(head="linear"):
    return bootstrapping(
        objectives.Classification(len(CLASSES), CLASSES, head=head)
    )


def cosine_classes():
    return classes("cosine")


def scorer(units=5):
    """A trained model, as it were: some function of the image."""
    return keras.Sequential(
        [
            keras.Input(SIZE),
            keras.layers.Conv2D(4, 4, strides=4),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(units),
        ]
    )


def frozen(**kwargs):
    return bootstrapping(
        objectives.FrozenReward(scorer(), 5, annotation_names=CLASSES, **kwargs)
    )


def frozen_with_features():
    table = np.random.default_rng(3).normal(size=(5, 6))
    return frozen(annotation_features=table)


AB = {
    "absimclr": absimclr,
    "sigmoid": sigmoid,
    "classes": classes,
    "cosine_classes": cosine_classes,
    "frozen": frozen,
    "frozen_with_features": frozen_with_features,
}
ALL = {"simclr": simclr, "slip": slip, **AB}


def batch(images=4, values=3, seed=0):
    """Every part that any of these models reads, and no other."""
    rng = np.random.default_rng(seed + 100)
    whole = factory.batch(images, values, seed=seed)
    shape = (images + 1, 2, *SIZE)
    whole["views"] = {"image": rng.integers(0, 256, shape).astype("uint8")}
    whole["reward"]["label"] = rng.integers(0, 5, images).astype("int32")
    return whole


def batches(count, **kwargs):
    return factory.Batches([batch(seed=s, **kwargs) for s in range(count)])


def annotations(model):
    """Some annotations that a model understands."""
    if isinstance(model, (models.SimCLR, models.ABSimCLR)):
        return batch(seed=9)["views"]["image"][:2, 0]
    return ["w1", "w3"]
