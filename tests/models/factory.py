"""Tiny models and batches."""

import keras
import numpy as np

from keras_ab import backbones
from keras_ab import data
from keras_ab import models

VOCABULARY, LENGTH = 20, 6


def text_encoder(**kwargs):
    return backbones.TextTransformer.from_size(
        "test",
        vocabulary_size=VOCABULARY,
        sequence_length=LENGTH,
        num_layers=1,
        name="text_encoder",
        **kwargs,
    )


def image_encoder(dtype=None):
    return backbones.ViT.from_size(
        "test",
        image_shape=(16, 16, 3),
        patch_size=8,
        num_layers=1,
        dtype=dtype,
        name="image_encoder",
    )


def compile(model, optimizer="adamw", run_eagerly=None, **kwargs):
    """Compiles for whatever kind of step starts fastest on the backend."""
    if run_eagerly is None:
        run_eagerly = keras.backend.backend() != "jax"
    model.compile(optimizer, run_eagerly=run_eagerly, **kwargs)


def tokenizer():
    words = [f"w{i}" for i in range(VOCABULARY - 2)]
    return data.WordTokenizer(words, sequence_length=LENGTH)


def abclip(dtype=None, value_bias=-3.0, **kwargs):
    return models.ABCLIP(
        image_encoder(dtype),
        text_encoder(dtype=dtype),
        tokenizer(),
        decoder=backbones.AnnotationDecoder.from_size(
            "test", num_layers=1, dtype=dtype, name="decoder"
        ),
        projection_dim=8,
        value_bias=value_bias,
        dtype=dtype,
        **kwargs,
    )


def clip(**kwargs):
    return models.CLIP(
        image_encoder(),
        text_encoder(),
        tokenizer(),
        projection_dim=8,
        **kwargs,
    )


def boxes(rng, *shape):
    corners = rng.uniform(0, 0.5, (*shape, 2))
    sizes = rng.uniform(0.2, 0.5, (*shape, 2))
    return np.concatenate([corners, corners + sizes], -1).astype("float32")


def batch(images=4, values=3, views=2, seed=0):
    rng = np.random.default_rng(seed)

    def pixels(*shape):
        return rng.integers(0, 256, (*shape, 16, 16, 3)).astype("uint8")

    return {
        "reward": {
            "image": pixels(images),
            "text": rng.integers(0, VOCABULARY, (images, LENGTH), "int32"),
        },
        "value": {
            "image": pixels(values, views),
            "boxes": boxes(rng, values, views),
        },
    }


class Batches(keras.utils.PyDataset):
    """A list of batches as data for fit."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return (self.batches[index],)


def batches(count, **kwargs):
    return Batches([batch(seed=seed, **kwargs) for seed in range(count)])


def weights(network):
    return {v.path: keras.ops.convert_to_numpy(v) for v in network.weights}


def bellman_targets(network, batch):
    """The Bellman targets `(B, N, L)` of a network's value objective."""
    value = network.objective("value")
    return keras.ops.convert_to_numpy(value.bellman_targets(batch, network))
