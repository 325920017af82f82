"""The backbones against an independent forward pass in NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import backbones
from tests.reference import transformer

RNG = np.random.default_rng(0)
SIZE = {
    "hidden_dim": 12,
    "num_layers": 2,
    "num_heads": 3,
    "intermediate_dim": 20,
}
SHARED = {"num_layers": 2, "num_heads": 3, "epsilon": 1e-6}


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


def random_weights(layer):
    """Moves every weight off its start, which is 0 or 1 for many."""
    for variable in layer.weights:
        noise = 0.2 * normal(*variable.shape)
        variable.assign_add(noise)
    return transformer.weights_below(
        {v.path: ops.convert_to_numpy(v) for v in layer.weights}, layer.name
    )


def assert_close(result, expected):
    np.testing.assert_allclose(
        ops.convert_to_numpy(result), expected, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(
    "image_shape",
    [(16, 24, 3), (32, 32, 3), (8, 8, 3)],
    ids=["own grid", "finer grid", "coarser grid"],
)
@pytest.mark.parametrize("class_token", [False, True])
def test_vit(image_shape, class_token):
    vit = backbones.ViT(
        (16, 24, 3), (8, 4), class_token=class_token, pooling="map", **SIZE
    )
    vit.build()
    weights = random_weights(vit)
    images = RNG.uniform(-1, 1, (2, *image_shape)).astype("float32")
    tokens, between = vit(images, return_intermediates=True)
    expected, expected_between = transformer.vit(
        images, weights, (8, 4), vit.grid_shape, **SHARED
    )
    assert_close(tokens, expected)
    for result, want in zip(between, expected_between, strict=True):
        assert_close(result, want)
    pooled = transformer.attention_pooling(
        expected, transformer.weights_below(weights, "pooling"), 3, 1e-6
    )
    assert_close(vit.pool(tokens), pooled)


@pytest.mark.parametrize("causal", [False, True])
def test_text_transformer(causal):
    text = backbones.TextTransformer(11, 6, causal=causal, **SIZE)
    text.build()
    weights = random_weights(text)
    ids = RNG.integers(0, 11, (3, 6)).astype("int32")
    expected = transformer.text_transformer(
        ids, weights, causal=causal, **SHARED
    )
    assert_close(text(ids), expected)


def test_annotation_decoder():
    decoder = backbones.AnnotationDecoder(**SIZE)
    decoder.build((None, None, 4, 12), (None, None, 16))
    weights = random_weights(decoder)
    tokens, context = normal(2, 3, 4, 12), normal(2, 7, 16)
    expected = transformer.annotation_decoder(
        tokens, context, weights, **SHARED
    )
    assert_close(decoder(tokens, context), expected)


@pytest.mark.parametrize(
    "name, limit",
    [
        ("attention/qkv/kernel", np.sqrt(6 / 128)),
        ("attention/output_projection/kernel", np.sqrt(6 / 128)),
        ("mlp/expand/kernel", np.sqrt(6 / 320)),
        ("mlp/contract/kernel", np.sqrt(6 / 320)),
    ],
)
def test_kernels_start_xavier_uniform(name, limit):
    vit = backbones.ViT.from_size("tiny", num_layers=1, name="vit")
    vit.build()
    (kernel,) = [v for v in vit.weights if v.path == f"vit/block_0/{name}"]
    kernel = ops.convert_to_numpy(kernel)
    assert 0.98 * limit < abs(kernel).max() <= limit * (1 + 1e-6)
    assert abs(kernel.std() / (limit / np.sqrt(3)) - 1) < 0.03


def test_the_other_weights_start_as_documented():
    vit = backbones.ViT.from_size(
        "tiny", num_layers=1, class_token=True, name="vit"
    )
    vit.build()
    weights = {
        v.path.removeprefix("vit/"): ops.convert_to_numpy(v)
        for v in vit.weights
    }
    for name in (
        "class_embedding",
        "patches/projection/bias",
        "block_0/attention/qkv/bias",
        "block_0/attention/output_projection/bias",
        "norm/beta",
    ):
        assert not weights[name].any(), name
    for name in ("block_0/mlp/expand/bias", "block_0/mlp/contract/bias"):
        assert 0 < abs(weights[name]).max() < 1e-5, name
    positions = weights["positions/embeddings"]
    assert abs(positions.std() * 64**0.5 - 1) < 0.05


def test_the_decoder_has_no_attention_biases():
    decoder = backbones.AnnotationDecoder(**SIZE)
    decoder.build((None, None, 4, 12), (None, None, 16))
    biases = [v.path for v in decoder.weights if v.path.endswith("bias")]
    assert biases
    assert all("/mlp/" in path for path in biases)


def test_intermediates_in_a_functional_model():
    vit = backbones.ViT((16, 24, 3), (8, 4), **SIZE)
    inputs = keras.Input((16, 24, 3))
    tokens, between = vit(inputs, return_intermediates=True)
    model = keras.Model(inputs, [tokens, *between])
    outputs = model(normal(2, 16, 24, 3))
    assert [tuple(x.shape) for x in outputs] == [(2, 12, 12)] * 3
