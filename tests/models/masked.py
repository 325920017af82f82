"""Tiny MAE and I-JEPA models and their batches."""

import numpy as np

from keras_ab import models

IMAGE = {"image_shape": (16, 24, 3), "patch_size": 4}
PATCHES = 24


def mae(**kwargs):
    config = {"decoder_dim": 16, "decoder_layers": 1, "decoder_heads": 2}
    return models.MAE("test", **IMAGE, **{**config, **kwargs})


def ijepa(**kwargs):
    config = {"predictor_dim": 16, "predictor_layers": 1}
    return models.IJEPA("test", **IMAGE, **{**config, **kwargs})


def images(rng, count):
    return rng.integers(0, 256, (count, 16, 24, 3)).astype("uint8")


def mae_batch(count=4, kept=6, seed=0):
    rng = np.random.default_rng(seed)
    order = np.argsort(rng.random((count, PATCHES)), axis=1).astype("int32")
    return {
        "masked": {
            "image": images(rng, count),
            "kept": order[:, :kept],
            "masked": order[:, kept:],
        }
    }


def ijepa_batch(count=3, seed=0):
    """As `keras_ab.data.ijepa_batches` makes them, padding and all."""
    rng = np.random.default_rng(seed)
    context = np.argsort(rng.random((count, PATCHES)), axis=1)[:, :9]
    context_mask = np.tile(np.arange(9) < 7, (count, 1))
    targets = np.argsort(rng.random((count, 4, PATCHES)), axis=2)[:, :, :6]
    target_mask = np.tile(np.arange(6) < 4, (count, 4, 1))
    return {
        "masked": {
            "image": images(rng, count),
            "context": np.where(context_mask, context, 0).astype("int32"),
            "context_mask": context_mask,
            "targets": np.where(target_mask, targets, 0).astype("int32"),
            "target_mask": target_mask,
        }
    }
