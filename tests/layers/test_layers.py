"""What each layer does."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import layers
from tests.reference.losses import softmax

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


def numpy(x):
    return ops.convert_to_numpy(x)


def test_patches_are_a_strided_convolution():
    layer = layers.PatchEmbedding((4, 2), 5)
    images = normal(2, 8, 6, 3)
    result = numpy(layer(images))
    kernel = numpy(layer.projection.kernel).reshape(4, 2, 3, 5)
    expected = ops.conv(images, kernel, strides=(4, 2))
    np.testing.assert_allclose(
        result, numpy(expected).reshape(2, 6, 5), atol=1e-5
    )


def test_patches_need_a_fitting_image():
    layer = layers.PatchEmbedding(4, 5)
    with pytest.raises(ValueError, match=r"multiples.*Received: 10 x 8"):
        layer(normal(1, 10, 8, 3))


def test_positions_resize_and_stay():
    layer = layers.PositionEmbedding((4, 4), 8)
    layer.build()
    zeros = np.zeros((1, 16, 8), "float32")
    np.testing.assert_array_equal(
        numpy(layer(zeros))[0], numpy(layer(zeros, grid_shape=(4, 4)))[0]
    )
    # A smooth field stays the same field on a finer grid.
    ramp = np.linspace(-1, 1, 4, dtype="float32")
    field = np.broadcast_to(ramp[:, None, None], (4, 4, 8))
    layer.embeddings.assign(field.reshape(16, 8))
    fine = numpy(layer(np.zeros((1, 64, 8), "float32"), grid_shape=(8, 8)))
    fine = fine.reshape(8, 8, 8)
    assert (np.diff(fine[:, 0, 0]) > 0).all()
    np.testing.assert_allclose(fine[:, 0], fine[:, 5], atol=1e-5)


@pytest.mark.parametrize(
    "grid, other", [((14, 14), (6, 6)), ((3, 5), (8, 5)), ((4, 2), (1, 7))]
)
def test_positions_resize_as_images_do(grid, other):
    layer = layers.PositionEmbedding(grid, 4)
    layer.build()
    count = other[0] * other[1]
    zeros = np.zeros((1, count, 4), "float32")
    expected = ops.image.resize(
        numpy(layer.embeddings).reshape(*grid, 4),
        other,
        interpolation="bicubic",
        antialias=True,
        data_format="channels_last",
    )
    np.testing.assert_allclose(
        numpy(layer(zeros, grid_shape=other))[0],
        numpy(expected).reshape(count, 4),
        atol=1e-5,
    )


@pytest.mark.parametrize("causal", [False, True])
def test_self_attention_against_loops(causal):
    layer = layers.SelfAttention(2, causal=causal)
    tokens = normal(2, 5, 8)
    result = numpy(layer(tokens))
    qkv = tokens @ numpy(layer.qkv.kernel) + numpy(layer.qkv.bias)
    q, k, v = np.split(qkv, 3, axis=-1)
    expected = np.zeros_like(tokens)
    for b in range(2):
        for head in (slice(0, 4), slice(4, 8)):
            scores = q[b, :, head] @ k[b, :, head].T / np.sqrt(4)
            if causal:
                scores = np.where(np.tri(5), scores, -np.inf)
            expected[b, :, head] = softmax(scores) @ v[b, :, head]
    out = layer.output_projection
    expected = expected @ numpy(out.kernel) + numpy(out.bias)
    np.testing.assert_allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_a_key_mask_hides_tokens(causal):
    layer = layers.SelfAttention(2, causal=causal)
    tokens = normal(2, 5, 8)
    mask = np.array([[1, 0, 1, 1, 0], [1, 1, 0, 0, 0]], bool)
    result = numpy(layer(tokens, key_mask=mask))
    for b in range(2):
        alone = numpy(layer(tokens[b : b + 1, mask[b]]))
        np.testing.assert_allclose(result[b, mask[b]], alone[0], atol=1e-5)
    other = np.where(mask[..., None], tokens, 100.0).astype("float32")
    changed = numpy(layer(other, key_mask=mask))
    np.testing.assert_array_equal(changed[mask], result[mask])
    seen = numpy(layer(tokens, key_mask=np.ones((2, 5), bool)))
    np.testing.assert_allclose(seen, numpy(layer(tokens)), atol=1e-6)


def test_cross_attention_against_loops():
    layer = layers.CrossAttention(2)
    queries, context = normal(2, 3, 8), normal(2, 5, 12)
    result = numpy(layer(queries, context))
    q = queries @ numpy(layer.query.kernel)
    k, v = np.split(context @ numpy(layer.key_value.kernel), 2, axis=-1)
    expected = np.zeros_like(queries)
    for b in range(2):
        for head in (slice(0, 4), slice(4, 8)):
            scores = q[b, :, head] @ k[b, :, head].T / np.sqrt(4)
            expected[b, :, head] = softmax(scores) @ v[b, :, head]
    expected = expected @ numpy(layer.output_projection.kernel)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_qkv_starts_as_three_matrices():
    layer = layers.SelfAttention(1)
    layer.build((None, 4, 64))
    limit = np.sqrt(6 / 128)
    kernel = numpy(layer.qkv.kernel)
    assert abs(kernel).max() <= limit
    assert abs(kernel).max() > 0.98 * limit


def test_heads_must_divide():
    with pytest.raises(ValueError, match=r"hidden_dim=8, num_heads=3"):
        layers.SelfAttention(3).build((None, 4, 8))


def test_mlp_is_tanh_gelu():
    layer = layers.MLP(16)
    x = normal(3, 8)
    result = numpy(layer(x))
    h = x @ numpy(layer.expand.kernel) + numpy(layer.expand.bias)
    h = 0.5 * h * (1 + np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3)))
    expected = h @ numpy(layer.contract.kernel) + numpy(layer.contract.bias)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_drop_path():
    layer = layers.DropPath(0.25, seed=0)
    x = np.ones((4000, 2, 3), "float32")
    result = numpy(layer(x, training=True))
    rows = result.reshape(4000, 6)
    assert ((rows == rows[:, :1]).all(1)).all()
    dropped = (rows[:, 0] == 0).mean()
    assert abs(dropped - 0.25) < 0.03
    np.testing.assert_allclose(rows[rows[:, 0] > 0], 1 / 0.75, rtol=1e-6)
    np.testing.assert_array_equal(numpy(layer(x)), x)
    with pytest.raises(ValueError, match="Received: 1"):
        layers.DropPath(1.0)


def test_pooling():
    tokens = normal(2, 5, 8)
    gap = layers.TokenPooling("gap", num_prefix_tokens=1)
    np.testing.assert_allclose(
        numpy(gap(tokens)), tokens[:, 1:].mean(1), atol=1e-6
    )
    cls = layers.TokenPooling("cls", num_prefix_tokens=1)
    np.testing.assert_array_equal(numpy(cls(tokens)), tokens[:, 0])
    last = layers.TokenPooling("last")
    np.testing.assert_array_equal(numpy(last(tokens)), tokens[:, -1])
    pooled = layers.TokenPooling("map", num_heads=2)(tokens)
    assert pooled.shape == (2, 8)
    with pytest.raises(ValueError, match=r"one of.*'gap'.*Received: 'mean'"):
        layers.TokenPooling("mean")
    with pytest.raises(ValueError, match="class token"):
        layers.TokenPooling("cls")


@pytest.mark.parametrize("spacing", ["uniform", "tanh"])
def test_bins(spacing):
    layer = layers.BinTokens(
        num_bins=512, minimum=-4.2, maximum=5.2, spacing=spacing, hidden_dim=4
    )
    x = np.linspace(-6, 7, 4001).astype("float32")
    bins = numpy(layer.bins(x))
    assert bins.dtype == np.int32
    assert (np.diff(bins) >= 0).all()
    assert bins[0] == 0 and bins[-1] == 511
    inside = (x > -4.2) & (x < 5.2)
    assert len(np.unique(bins[inside])) == 512
    if spacing == "uniform":
        expected = np.floor((x.astype("float64") + 4.2) / 9.4 * 512)
        exact = abs((x + 4.2) / 9.4 * 512 % 1 - 0.5) < 0.49
        np.testing.assert_array_equal(bins[exact], expected.clip(0, 511)[exact])
    else:
        near = np.diff(bins[(x > 0) & (x < 1)]).sum()
        far = np.diff(bins[(x > -4.2) & (x < -3.2)]).sum()
        assert near > 2 * far


@pytest.mark.parametrize("spacing", ["uniform", "tanh"])
def test_bins_at_the_borders(spacing):
    layer = layers.BinTokens(
        num_bins=8, minimum=-4.0, maximum=4.0, spacing=spacing, hidden_dim=4
    )
    x = [-np.inf, -1e20, -4.0, 4.0, 1e20, np.inf]
    np.testing.assert_array_equal(
        numpy(layer.bins(np.array(x, "float32"))), [0, 0, 0, 7, 7, 7]
    )
    if spacing == "uniform":
        # A border belongs to the bin above it.
        borders = np.arange(-4, 4).astype("float32")
        np.testing.assert_array_equal(numpy(layer.bins(borders)), range(8))
        np.testing.assert_array_equal(
            numpy(layer.bins(borders - np.float32(1e-5))), [0, *range(7)]
        )
    else:
        assert int(numpy(layer.bins(np.float32(0.0)))) == 4


def test_bin_tokens_are_bin_plus_slot():
    layer = layers.BinTokens(num_bins=16, hidden_dim=4)
    x = np.array([[0.0, 0.2, 1.0, 1.5]], "float32")
    result = numpy(layer(x))[0]
    bins = numpy(layer.bins(x))[0]
    expected = numpy(layer.bin_embeddings)[bins] + numpy(layer.slot_embeddings)
    np.testing.assert_allclose(result, expected, atol=1e-6)


@pytest.mark.parametrize("spacing", ["uniform", "tanh"])
def test_bins_start_as_waves(spacing):
    layer = layers.BinTokens(
        num_bins=64, minimum=-4.0, maximum=4.0, spacing=spacing, hidden_dim=7
    )
    layer.build()
    centres = layer.centres()
    np.testing.assert_array_equal(
        numpy(layer.bins(centres.astype("float32"))), np.arange(64)
    )
    table = numpy(layer.bin_embeddings)
    assert table.shape == (64, 7)
    # The first wave has twice the range as its period, the last four bins.
    first = np.sin(2 * np.pi * centres / 16)
    np.testing.assert_allclose(table[:, 0], first, atol=1e-5)
    last = np.sin(2 * np.pi * centres / 0.5)
    np.testing.assert_allclose(table[:, 3], last, atol=1e-5)
    apart = np.linalg.norm(table[32] - table, axis=1)
    assert apart[33] < apart[45] and apart[31] < apart[5]


def test_bins_are_those_of_float32_under_bfloat16():
    x = RNG.uniform(-1, 2, (1, 100, 4)).astype("float32")
    full = layers.BinTokens(hidden_dim=4)
    mixed = layers.BinTokens(hidden_dim=4, dtype="mixed_bfloat16")
    mixed.build()
    full.build()
    mixed.set_weights(full.get_weights())
    np.testing.assert_allclose(
        numpy(full(x)), numpy(ops.cast(mixed(x), "float32")), atol=3e-2
    )
    np.testing.assert_array_equal(numpy(full.bins(x)), numpy(mixed.bins(x)))


@pytest.mark.parametrize(
    "config",
    [{"spacing": "log"}, {"num_bins": 1}, {"minimum": 1.0, "maximum": 0.0}],
)
def test_wrong_bins(config):
    with pytest.raises(ValueError, match="Received"):
        layers.BinTokens(**config)


def test_similarity_scale():
    layer = layers.SimilarityScale(1 / 0.07, maximum=100.0)
    cosines = np.array([1.0, -0.5], "float32")
    np.testing.assert_allclose(numpy(layer(cosines)), cosines / 0.07, rtol=1e-5)
    layer.log_scale.assign(9.0)
    np.testing.assert_allclose(float(numpy(layer.value())), 100, rtol=1e-5)
    layer.log_scale.assign(-1.0)
    np.testing.assert_allclose(float(numpy(layer.value())), 1.0)
    with pytest.raises(ValueError, match="positive"):
        layers.SimilarityScale(0.0)
    for wrong in (0.5, 101.0):
        with pytest.raises(ValueError, match=rf"initial={wrong}, maximum=100"):
            layers.SimilarityScale(wrong, maximum=100.0)


def test_a_scale_at_its_maximum_can_come_back():
    layer = layers.SimilarityScale(99.0, maximum=100.0)
    layer.build()
    variable = layer.log_scale
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.build([variable])

    def step(gradient):
        gradient = ops.convert_to_tensor(np.float32(gradient))
        optimizer.apply([gradient], [variable])

    step(-5.0)
    np.testing.assert_allclose(float(numpy(layer.value())), 100.0, rtol=1e-5)
    np.testing.assert_allclose(numpy(variable), np.log(100.0), rtol=1e-6)
    step(1.0)
    np.testing.assert_allclose(
        float(numpy(layer.value())), 100.0 / np.e, rtol=1e-5
    )


def test_positions_need_their_tokens():
    layer = layers.PositionEmbedding((2, 3), 4)
    with pytest.raises(ValueError, match="6 tokens. Received: 5 tokens"):
        layer(normal(1, 5, 4))


@pytest.mark.parametrize(
    "layer", [layers.SimilarityScale(10.0), layers.LearnedBias(-10.0)]
)
def test_scalars_stay_float32(layer):
    again = type(layer).from_config(
        {**layer.get_config(), "dtype": "mixed_bfloat16"}
    )
    again.build(())
    assert again.weights[0].dtype == "float32"
    result = again(np.array([0.1234567], "float32"))
    assert keras.backend.standardize_dtype(result.dtype) == "float32"
