"""What each backbone does."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import backbones
from tests.gradients import gradient

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


def numpy(x):
    return ops.convert_to_numpy(x)


def small_vit(**kwargs):
    config = {"image_shape": (32, 16, 3), "patch_size": 8, **kwargs}
    return backbones.ViT.from_size("test", **config)


def test_vit_shapes():
    vit = small_vit(class_token=True)
    tokens = vit(normal(2, 32, 16, 3))
    assert tokens.shape == (2, 1 + 8, 32)
    assert vit.patch_tokens(tokens).shape == (2, 8, 32)
    assert vit.pool(tokens).shape == (2, 32)
    assert vit.grid_shape == (4, 2)


def test_vit_intermediates():
    vit = small_vit()
    images = normal(1, 32, 16, 3)
    tokens, intermediates = vit(images, return_intermediates=True)
    assert len(intermediates) == 2
    np.testing.assert_allclose(
        numpy(vit.norm(intermediates[-1])), numpy(tokens), atol=1e-6
    )
    np.testing.assert_allclose(numpy(vit(images)), numpy(tokens), atol=1e-6)


def test_vit_takes_other_image_sizes():
    vit = small_vit()
    assert vit(normal(1, 48, 48, 3)).shape == (1, 36, 32)


def test_vit_raster_order():
    # Without position embeddings and blocks, tokens follow their patches.
    vit = small_vit(num_layers=0)
    vit.build()
    vit.positions.embeddings.assign(np.zeros((8, 32)))
    images = normal(1, 32, 16, 3)
    before = numpy(vit(images))
    images[:, 8:16, 8:16] += 1.0
    changed = abs(numpy(vit(images)) - before).max(-1)[0] > 1e-6
    np.testing.assert_array_equal(np.nonzero(changed)[0], [3])


def test_vit_drop_path_only_in_training():
    vit = small_vit(drop_path_rate=0.9, num_layers=4)
    images = normal(8, 32, 16, 3)
    first, second = numpy(vit(images)), numpy(vit(images))
    np.testing.assert_array_equal(first, second)
    assert abs(numpy(vit(images, training=True)) - first).max() > 1e-3
    rates = [block.drop_path_rate for block in vit.blocks]
    np.testing.assert_allclose(rates, [0, 0.3, 0.6, 0.9])


@pytest.mark.parametrize("size", backbones.SIZES)
def test_sizes(size):
    config = backbones.get_size(size)
    assert config["hidden_dim"] % config["num_heads"] == 0


def test_the_parameters_of_vit_s():
    vit = backbones.ViT.from_size("S")
    vit.build()
    # Patches, positions, 12 blocks, the last norm: 21.6M, without a head.
    block = 12 * 384**2 + 13 * 384
    expected = (768 + 1) * 384 + 196 * 384 + 12 * block + 2 * 384
    assert vit.count_params() == expected


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: backbones.ViT.from_size("Q"), r"one of.*'S'.*Received: 'Q'"),
        (lambda: small_vit(patch_size=7), "multiples of the patch size"),
        (lambda: small_vit(pooling="max"), r"one of.*Received: 'max'"),
        (lambda: small_vit(pooling="cls"), "class token"),
        (lambda: small_vit(image_shape=(32, 32)), "height, width, channels"),
        (lambda: small_vit()(normal(1, 32, 16, 1)), "3 channels.*Received"),
        (lambda: small_vit()(normal(1, 32, 16, 4)), "3 channels.*Received"),
        (lambda: small_vit()(normal(32, 16, 3)), r"Received.*\(32, 16, 3\)"),
        (
            lambda: small_vit()(normal(1, 32, 20, 3)),
            "multiples of the patch size.*Received: 32 x 20",
        ),
        (
            lambda: text()(np.zeros((2, 1), "int32")),
            r"sequence_length=6.*Received: shape \(2, 1\)",
        ),
        (
            lambda: backbones.AnnotationDecoder.from_size("test")(
                normal(1, 3, 4, 16), normal(1, 9, 16)
            ),
            r"hidden_dim=32.*Received: shape \(1, 3, 4, 16\)",
        ),
        (
            lambda: small_vit(hidden_dim=30, num_heads=4).build(),
            "multiple of `num_heads`",
        ),
    ],
)
def test_wrong_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def text(**kwargs):
    return backbones.TextTransformer.from_size(
        "test", vocabulary_size=20, sequence_length=6, **kwargs
    )


def test_text_sees_both_ways_unless_causal():
    ids = RNG.integers(0, 20, (1, 6)).astype("int32")
    other = ids.copy()
    other[0, 4] = (other[0, 4] + 1) % 20
    for causal in (False, True):
        network = text(causal=causal)
        change = abs(numpy(network(ids)) - numpy(network(other))).max(-1)[0]
        assert (change[4:] > 1e-6).all()
        assert (change[:4] > 1e-6).all() == (not causal)


def test_text_pools_its_last_token():
    network = text()
    tokens = network(np.zeros((2, 6), "int32"))
    np.testing.assert_array_equal(
        numpy(network.pool(tokens)), numpy(tokens)[:, -1]
    )


@pytest.fixture
def decoder():
    network = backbones.AnnotationDecoder.from_size("test", num_layers=2)
    network.build((None, None, 4, 32), (None, None, 16))
    return network


def test_packed_actions_equal_single_ones(decoder):
    tokens, context = normal(2, 5, 4, 32), normal(2, 9, 16)
    packed = numpy(decoder(tokens, context))
    for a in range(5):
        single = numpy(decoder(tokens[:, a : a + 1], context))
        np.testing.assert_allclose(packed[:, a], single[:, 0], atol=1e-5)


def test_permuted_actions_permute_values(decoder):
    tokens, context = normal(2, 5, 4, 32), normal(2, 9, 16)
    order = RNG.permutation(5)
    np.testing.assert_allclose(
        numpy(decoder(tokens, context))[:, order],
        numpy(decoder(tokens[:, order], context)),
        atol=1e-5,
    )


def test_no_gradient_from_action_to_action(decoder):
    tokens, context = normal(1, 3, 4, 32), normal(1, 9, 16)
    (grad,) = gradient(
        lambda t: ops.sum(ops.square(decoder(t, context)[:, 1])), tokens
    )
    assert grad[:, 1].any()
    assert not grad[:, 0].any() and not grad[:, 2].any()


def test_the_view_matters(decoder):
    tokens, context = normal(1, 3, 4, 32), normal(1, 9, 16)
    other = numpy(decoder(tokens, context + 1))
    assert abs(numpy(decoder(tokens, context)) - other).max() > 1e-3


def test_keys_and_values_are_computed_once_a_block(decoder, monkeypatch):
    calls = []
    for block in decoder.blocks:
        layer = block.cross_attention.key_value
        monkeypatch.setattr(
            layer,
            "call",
            lambda x, call=layer.call, **kwargs: (
                calls.append(tuple(x.shape)) or call(x, **kwargs)
            ),
        )
    decoder(normal(2, 5, 4, 32), normal(2, 9, 16))
    assert calls == [(2, 9, 16)] * 2


def test_a_saved_network_gives_the_same(tmp_path):
    inputs = keras.Input((32, 16, 3))
    model = keras.Model(inputs, small_vit(class_token=True)(inputs))
    model.save(tmp_path / "vit.keras")
    again = keras.saving.load_model(tmp_path / "vit.keras")
    images = normal(2, 32, 16, 3)
    np.testing.assert_allclose(
        numpy(again(images)), numpy(model(images)), atol=1e-6
    )
