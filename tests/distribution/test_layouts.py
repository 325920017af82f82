"""Layouts match every path once, in both networks alike."""

import re

import keras
import pytest

from keras_ab import backbones
from keras_ab import distribution
from keras_ab import models
from tests.distribution import methods
from tests.models import factory

# Tables and kernels of more than one axis that are whole on every device:
# small ones, and those whose sizes are anything.
WHOLE = (
    r".*positions/embeddings",
    r".*slot_embeddings",
    r".*class_embedding",
    r".*annotation_head/embeddings",
    r".*annotation_head/table",
    r".*annotation_head/projection/projection/kernel",
    r".*pooling/query",
    # The model of a frozen reward.
    r"(?!.*/(online|target)/).*",
)


def layouts():
    mesh = keras.distribution.DeviceMesh(
        (1, 1), ("batch", "model"), devices=["cpu:0"]
    )
    return distribution.layout_map(mesh)


def with_attention_pooling():
    encoder = backbones.ViT.from_size(
        "test", image_shape=(16, 16, 3), patch_size=8, pooling="map"
    )
    return models.CLIP(
        encoder, factory.text_encoder(), factory.tokenizer(), target_rate=0.1
    )


MODELS = {**methods.MODELS, "map": with_attention_pooling}


@pytest.mark.parametrize("name", MODELS)
def test_every_path_matches_once(name):
    model, found = MODELS[name](), layouts()
    for weight in model.weights:
        layout = found[weight.path]  # More than one match is an error.
        if layout is not None:
            assert len(layout.axes) == len(weight.shape), weight.path
            assert layout.axes.count("model") == 1
        elif len(weight.shape) > 1:
            assert any(re.fullmatch(w, weight.path) for w in WHOLE), weight.path
    if model.target is None:
        return
    for online, target in zip(model.online.weights, model.target.weights):
        first, second = found[online.path], found[target.path]
        assert (first and first.axes) == (second and second.axes)


def test_an_axis_that_is_none():
    mesh = keras.distribution.DeviceMesh((1,), ("batch",), devices=["cpu:0"])
    with pytest.raises(ValueError, match=r"one of \['batch'\]"):
        distribution.layout_map(mesh)
