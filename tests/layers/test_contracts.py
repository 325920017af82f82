"""The contracts of tests/contracts.py, for every layer and backbone."""

import functools

import numpy as np
import pytest

import keras_ab
from keras_ab import backbones
from keras_ab import layers
from tests import contracts

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


TOKENS = ((None, 5, 8),), (normal(2, 5, 8),)
PAIR = ((None, 3, 8), (None, 5, 12)), (normal(2, 3, 8), normal(2, 5, 12))
ACTIONS = (
    ((None, 3, 4, 8), (None, 5, 12)),
    (normal(2, 3, 4, 8), normal(2, 5, 12)),
)
IMAGES = ((None, 16, 24, 3),), (normal(2, 16, 24, 3).clip(-1, 1),)
SMALL = {
    "hidden_dim": 8,
    "num_layers": 2,
    "num_heads": 2,
    "intermediate_dim": 16,
}

# name: constructor, (shapes for build, arguments of call).
CASES = {
    "MLP": (functools.partial(layers.MLP, 16), TOKENS),
    "CrossAttention": (functools.partial(layers.CrossAttention, 2), PAIR),
    "DecoderBlock": (
        functools.partial(layers.DecoderBlock, 2, 16),
        ACTIONS,
    ),
    "DINOHead": (
        functools.partial(
            layers.DINOHead, 12, hidden_dims=(7,), bottleneck_dim=6
        ),
        TOKENS,
    ),
    "Dense": (functools.partial(layers.Dense, 6), TOKENS),
    "DropPath": (functools.partial(layers.DropPath, 0.5, seed=1), TOKENS),
    "LayerNorm": (layers.LayerNorm, TOKENS),
    "LayerNorm-plain": (
        functools.partial(layers.LayerNorm, affine=False),
        TOKENS,
    ),
    "PatchEmbedding": (
        functools.partial(layers.PatchEmbedding, (8, 4), 8),
        IMAGES,
    ),
    "PositionEmbedding": (
        functools.partial(layers.PositionEmbedding, (1, 5), 8),
        TOKENS,
    ),
    "ProjectionHead": (functools.partial(layers.ProjectionHead, 6), TOKENS),
    "ProjectionHead-deep": (
        functools.partial(
            layers.ProjectionHead, 6, hidden_dims=(7, 9), batch_norm=True
        ),
        (((None, 8),), (normal(5, 8),)),
    ),
    "Prototypes": (
        functools.partial(layers.Prototypes, 12, 6),
        (((None, 1),), (np.array([[3], [5], [3]], "int32"),)),
    ),
    "SelfAttention": (functools.partial(layers.SelfAttention, 2), TOKENS),
    "SelfAttention-causal": (
        functools.partial(layers.SelfAttention, 2, causal=True),
        TOKENS,
    ),
    "TokenPooling": (functools.partial(layers.TokenPooling, "gap"), TOKENS),
    "TokenPooling-map": (
        functools.partial(layers.TokenPooling, "map", num_heads=2),
        TOKENS,
    ),
    "TransformerBlock": (
        functools.partial(layers.TransformerBlock, 2, 16, drop_path_rate=0.1),
        TOKENS,
    ),
    "BinTokens": (
        functools.partial(layers.BinTokens, num_bins=8, hidden_dim=8),
        (((None, 3, 4),), (normal(2, 3, 4),)),
    ),
    "SinCosPositions": (
        functools.partial(layers.SinCosPositions, (1, 5), 8),
        TOKENS,
    ),
    "MaskPredictor": (
        functools.partial(backbones.MaskPredictor, (2, 3), **SMALL),
        (
            ((None, 4, 12), (None, 3), (None, 2, 2)),
            (
                normal(2, 4, 12),
                np.array([[0, 2, 5], [1, 2, 3]], "int32"),
                np.array([[[1, 3], [3, 4]], [[0, 5], [4, 5]]], "int32"),
            ),
        ),
    ),
    "MaskPredictor-normal": (
        functools.partial(
            backbones.MaskPredictor, (1, 5), kernel_stddev=0.5, **SMALL
        ),
        (
            ((None, 2, 12), (None, 2), (None, 1, 3)),
            (
                normal(2, 2, 12),
                np.array([[0, 2], [1, 2]], "int32"),
                np.array([[[1, 3, 4]], [[0, 3, 4]]], "int32"),
            ),
        ),
    ),
    "ViT-sincos": (
        functools.partial(
            backbones.ViT,
            (16, 24, 3),
            (8, 4),
            positions="sincos",
            kernel_stddev=0.2,
            **SMALL,
        ),
        IMAGES,
    ),
    "ConstantTokens": (
        functools.partial(layers.ConstantTokens, num_tokens=4, hidden_dim=8),
        (((None, 3, 4),), (normal(2, 3, 4),)),
    ),
    "TableHead": (
        functools.partial(layers.TableHead, normal(7, 5), 6),
        (((None,),), (np.arange(4, dtype="int32"),)),
    ),
    "ViT": (
        functools.partial(
            backbones.ViT, (16, 24, 3), (8, 4), class_token=True, **SMALL
        ),
        IMAGES,
    ),
    "TextTransformer": (
        functools.partial(backbones.TextTransformer, 11, 5, **SMALL),
        (((None, 5),), (np.arange(10, dtype="int32").reshape(2, 5),)),
    ),
    "AnnotationDecoder": (
        functools.partial(backbones.AnnotationDecoder, **SMALL),
        ACTIONS,
    ),
}
SCALARS = {
    "SimilarityScale": functools.partial(layers.SimilarityScale, 10.0, 100.0),
    "LearnedBias": functools.partial(layers.LearnedBias, -1.0),
}
# Their inputs are read as discrete, or not at all.
WITHOUT_GRADIENTS = {"BinTokens", "ConstantTokens"}
every_case = pytest.mark.parametrize("name", CASES)


def test_all_layers_have_a_case():
    names = {name.partition("-")[0] for name in (*CASES, *SCALARS)}
    exported = set(layers.__all__) | {
        name
        for name in backbones.__all__
        if isinstance(getattr(backbones, name), type)
        and name != "TransformerSize"
    }
    assert exported <= names
    assert keras_ab.layers is layers


@pytest.mark.parametrize("name", [*CASES, *SCALARS])
def test_config(name):
    make = SCALARS.get(name) or CASES[name][0]
    contracts.check_config(make())


@every_case
def test_build(name):
    make, (shapes, arrays) = CASES[name]
    contracts.check_build(make(), shapes, arrays)


# Their results are float32 whatever the policy; tested where they are.
FULL = {"DINOHead", "Prototypes"}


@pytest.mark.parametrize("name", sorted({*CASES} - FULL))
def test_dtype(name):
    make, (shapes, arrays) = CASES[name]
    contracts.check_dtype(make, shapes, arrays)


@pytest.mark.parametrize("name", sorted({*CASES} - WITHOUT_GRADIENTS))
def test_gradients(name):
    make, (shapes, arrays) = CASES[name]
    contracts.check_gradients(make(), shapes, arrays)


@every_case
def test_weight_gradients(name):
    make, (shapes, arrays) = CASES[name]
    contracts.check_weight_gradients(make(), shapes, arrays)


@every_case
def test_paths(name):
    make, (shapes, _) = CASES[name]
    contracts.check_paths(make, shapes)


@every_case
def test_saved(name, tmp_path):
    make, (_, arrays) = CASES[name]
    contracts.check_saved(make(), arrays, tmp_path / "model.keras")


@every_case
def test_deterministic(name):
    make, (_, arrays) = CASES[name]
    contracts.check_deterministic(make(), arrays)


@every_case
def test_clone(name):
    make, (shapes, arrays) = CASES[name]
    contracts.check_clone(make(), shapes, arrays)
