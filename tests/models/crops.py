"""Tiny models of self-distillation and their batches."""

import numpy as np

from keras_ab import backbones
from keras_ab import models
from tests.models import factory

PROTOTYPES = 12
HEAD = {
    "num_prototypes": PROTOTYPES,
    "head_dims": (10,),
    "bottleneck_dim": 6,
}


def encoder(num_layers=1, drop_path_rate=0.0, dtype=None):
    return backbones.ViT.from_size(
        "test",
        image_shape=(16, 16, 3),
        patch_size=4,
        num_layers=num_layers,
        drop_path_rate=drop_path_rate,
        dtype=dtype,
        name="image_encoder",
    )


def dino(dtype=None, **kwargs):
    return models.DINO(encoder(dtype=dtype), dtype=dtype, **HEAD | kwargs)


def silc(dtype=None, **kwargs):
    return models.SiLC(
        encoder(dtype=dtype),
        factory.text_encoder(dtype=dtype),
        factory.tokenizer(),
        projection_dim=8,
        dtype=dtype,
        **HEAD | kwargs,
    )


def abdino(dtype=None, value_bias=-3.0, **kwargs):
    return models.ABDINO(
        encoder(dtype=dtype),
        decoder=backbones.AnnotationDecoder.from_size(
            "test", num_layers=1, dtype=dtype, name="decoder"
        ),
        projection_dim=8,
        value_bias=value_bias,
        dtype=dtype,
        **HEAD | kwargs,
    )


def crops(images=4, globals_=2, locals_=3, seed=0):
    rng = np.random.default_rng(seed)

    def pixels(count, size):
        shape = (images, count, size, size, 3)
        return rng.integers(0, 256, shape).astype("uint8")

    parts = {"global": pixels(globals_, 16)}
    if locals_:
        parts["local"] = pixels(locals_, 8)
    return parts


def batch(seed=0, images=4, **kwargs):
    """What each of the three models takes, with parts to spare."""
    rest = factory.batch(images=images, seed=seed)
    return {**rest, "crops": crops(images=images, seed=seed, **kwargs)}


def of(model, batch):
    """The parts of a batch that a model takes."""
    parts = {
        "dino": ("crops",),
        "silc": ("reward", "crops"),
        "abdino": ("crops", "value"),
    }
    return {part: batch[part] for part in parts[model.name]}


def batches(model, count, **kwargs):
    made = [of(model, batch(seed=seed, **kwargs)) for seed in range(count)]
    return factory.Batches(made)
