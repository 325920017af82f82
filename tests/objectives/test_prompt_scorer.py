"""A list of prompts in a model of two towers."""

import types

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import objectives
from tests import contracts
from tests.models import rewards
from tests.reference import losses as reference


def numpy(x):
    return ops.convert_to_numpy(x)


def tower():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(6),
        ]
    )


def normal(*shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def test_config():
    contracts.check_config(
        objectives.PromptScorer(
            tower(), normal(5, 6), 20.0, scale=[1.0, 2.0, 3.0]
        )
    )


def test_scores_are_scaled_cosines():
    encoder, prompts = tower(), normal(5, 6)
    scorer = objectives.PromptScorer(
        encoder, prompts, 20.0, scale=0.01, offset=[0.1, 0.2, 0.3]
    )
    images = normal(4, 8, 8, 3).clip(-1, 1)
    pixels = (images + 1) * 127.5 * 0.01 + [0.1, 0.2, 0.3]
    embedded = numpy(encoder(pixels.astype("float32")))
    expected = 20 * reference.unit(embedded) @ reference.unit(prompts).T
    np.testing.assert_allclose(numpy(scorer(images)), expected, rtol=1e-3)
    # Images of another size are resized to the encoder's.
    assert scorer(normal(4, 16, 16, 3)).shape == (4, 5)


def check_in_use(scorer, size, tmp_path):
    """It bootstraps, and is saved with its prompts."""
    model = rewards.bootstrapping(objectives.FrozenReward(scorer, size))
    model.compile("adamw", run_eagerly=keras.backend.backend() != "jax")
    model.fit(rewards.batches(1), verbose=0)
    images = rewards.batch()["reward"]["image"]
    before = numpy(model.reward(images, None))
    assert before.std(0).max() > 0
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(numpy(again.reward(images, None)), before)


def test_in_use(tmp_path):
    check_in_use(objectives.PromptScorer(tower(), normal(5, 6)), 5, tmp_path)


def test_from_two_towers():
    text = keras.Sequential(
        [
            keras.layers.Embedding(9, 6),
            keras.layers.GlobalAveragePooling1D(),
        ]
    )
    image = tower()
    backbone = types.SimpleNamespace(
        vision_encoder=types.SimpleNamespace(image_shape=(8, 8, 3)),
        get_vision_embeddings=image,
        get_text_embeddings=text,
        clip_head=types.SimpleNamespace(logit_scale=np.log(30.0)),
    )
    ids = np.arange(6).reshape(3, 2)
    scorer = objectives.PromptScorer.from_backbone(backbone, ids)
    np.testing.assert_allclose(scorer.logit_scale, 30)
    images = normal(4, 8, 8, 3).clip(-1, 1)
    expected = 30 * reference.unit(numpy(image(images)))
    expected = expected @ reference.unit(numpy(text(ids))).T
    np.testing.assert_allclose(numpy(scorer(images)), expected, rtol=1e-3)


@pytest.mark.parametrize("kind", ["CLIP", "SigLIP"])
def test_of_keras_hub(kind, tmp_path):
    hub = pytest.importorskip("keras_hub").models
    small = {"num_layers": 1, "num_heads": 2, "intermediate_dim": 16}
    words = {"vocabulary_size": 50, "max_sequence_length": 7}
    vision = getattr(hub, f"{kind}VisionEncoder")(
        patch_size=8, hidden_dim=8, image_shape=(16, 16, 3), **small
    )
    text = getattr(hub, f"{kind}TextEncoder")(
        embedding_dim=8, hidden_dim=8, **words, **small
    )
    more = {"projection_dim": 8} if kind == "CLIP" else {}
    backbone = getattr(hub, f"{kind}Backbone")(
        vision_encoder=vision, text_encoder=text, **more
    )
    ids = np.arange(1, 36).reshape(5, 7)
    scorer = objectives.PromptScorer.from_backbone(backbone, ids)
    images = normal(3, 16, 16, 3).clip(-1, 1)
    logits = backbone({"images": images, "token_ids": ids})["vision_logits"]
    scores, logits = numpy(scorer(images)), numpy(logits)
    # SigLIP's bias is left out.
    np.testing.assert_allclose(
        scores - scores[:, :1], logits - logits[:, :1], atol=1e-3
    )
    check_in_use(scorer, 5, tmp_path)
