"""Encoding some patches alone, and predicting others from them."""

import numpy as np
import pytest
from keras import ops

from keras_ab import backbones
from tests.gradients import gradient
from tests.reference import sincos
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


def numpy(x):
    return ops.convert_to_numpy(ops.cast(x, "float32"))


def vit(**kwargs):
    network = backbones.ViT((16, 24, 3), (8, 4), **{**SIZE, **kwargs})
    network.build()
    return network


def random_ids(count, *shape):
    return RNG.permuted(
        np.broadcast_to(np.arange(12, dtype="int32"), (*shape, 12)), axis=-1
    )[..., :count]


def random_weights(layer):
    for variable in layer.weights:
        variable.assign_add(0.2 * normal(*variable.shape))
    return transformer.weights_below(
        {v.path: ops.convert_to_numpy(v) for v in layer.weights}, layer.name
    )


EVERY = pytest.mark.parametrize("positions", ["learned", "sincos"])
TOKEN = pytest.mark.parametrize("class_token", [False, True])


@EVERY
@TOKEN
def test_all_patches_are_the_image(positions, class_token):
    network = vit(positions=positions, class_token=class_token)
    images = normal(2, 16, 24, 3)
    full = numpy(network(images))
    ids = np.tile(np.arange(12, dtype="int32"), (2, 1))
    np.testing.assert_allclose(
        numpy(network(images, patch_ids=ids)), full, atol=1e-6
    )
    # In another order: the same tokens in that order.
    ids = random_ids(12, 2)
    prefix = network.num_prefix_tokens
    expected = full.copy()
    expected[:, prefix:] = np.take_along_axis(
        full[:, prefix:], ids[..., None], axis=1
    )
    np.testing.assert_allclose(
        numpy(network(images, patch_ids=ids)), expected, atol=1e-5
    )


@EVERY
@TOKEN
def test_some_patches_against_numpy(positions, class_token):
    network = vit(positions=positions, class_token=class_token)
    weights = random_weights(network)
    if positions == "sincos":
        weights["positions/embeddings"] = sincos.table(2, 6, 12)
    images, ids = normal(2, 16, 24, 3), random_ids(5, 2)
    # Patches and positions alone, then blocks over the chosen ones.
    prefix = {
        k: v for k, v in weights.items() if k.split("/")[0] != "class_embedding"
    }
    tokens = _embedded(images, prefix)
    tokens = np.take_along_axis(tokens, ids[..., None], axis=1)
    if class_token:
        first = np.broadcast_to(weights["class_embedding"], (2, 1, 12))
        tokens = np.concatenate([first, tokens], axis=1)
    expected, between = transformer.encoder(tokens, weights, **SHARED)
    result, intermediates = network(
        images, patch_ids=ids, return_intermediates=True
    )
    np.testing.assert_allclose(numpy(result), expected, atol=2e-5)
    for a, b in zip(intermediates, between, strict=True):
        np.testing.assert_allclose(numpy(a), b, atol=2e-5)


def _embedded(images, weights):
    patches = images.reshape(2, 2, 8, 6, 4, 3).transpose(0, 1, 3, 2, 4, 5)
    patches = patches.reshape(2, 12, 96).astype("float64")
    part = transformer.weights_below(weights, "patches/projection")
    return transformer.dense(patches, part) + weights["positions/embeddings"]


@TOKEN
@pytest.mark.parametrize(
    "dtype, tolerance",
    [("float32", 1e-5), ("mixed_bfloat16", 0.1), ("mixed_float16", 1e-2)],
)
def test_padding_changes_nothing(class_token, dtype, tolerance):
    network = vit(class_token=class_token, dtype=dtype)
    images, ids = normal(2, 16, 24, 3), random_ids(5, 2)
    prefix = network.num_prefix_tokens
    alone = numpy(network(images, patch_ids=ids))
    for padding in (np.zeros((2, 4)), random_ids(4, 2)):
        padded = np.concatenate([ids, padding.astype("int32")], axis=1)
        mask = np.arange(9) < 5
        mask = np.tile(mask, (2, 1))
        result = network(images, patch_ids=padded, patch_mask=mask)
        np.testing.assert_allclose(
            numpy(result)[:, : prefix + 5], alone, atol=tolerance
        )


def test_patches_left_out_get_no_gradient():
    network = vit()
    ids = np.array([[0, 7, 3, 11]], "int32")
    mask = np.array([[True, True, False, False]])

    # The plain sum of squares hardly changes behind a norm.
    weights = ops.convert_to_tensor(np.arange(12, dtype="float32"))

    def loss(images):
        tokens = network(images, patch_ids=ids, patch_mask=mask)
        return ops.sum(ops.square(tokens[:, :2]) * weights)

    (grad,) = gradient(loss, normal(1, 16, 24, 3))
    touched = [
        grad[0, 8 * r : 8 * r + 8, 4 * c : 4 * c + 4].any()
        for r in range(2)
        for c in range(6)
    ]
    assert np.nonzero(touched)[0].tolist() == [0, 7]


def test_fixed_positions_are_no_weights():
    paths = {v.path for v in vit(name="vit").weights}
    fixed = {v.path for v in vit(name="vit", positions="sincos").weights}
    assert paths - fixed == {"vit/positions/embeddings"}
    assert not fixed - paths


def test_kernels_that_start_normal():
    network = backbones.ViT.from_size("tiny", kernel_stddev=0.02)
    network.build()
    kernels = [v for v in network.weights if v.name == "kernel"]
    assert len(kernels) == 1 + 4 * 4
    for kernel in kernels:
        assert abs(numpy(kernel).std() / 0.02 - 1) < 0.05, kernel.path
    # No two of one shape alike.
    seen = [numpy(k)[0, 0] for k in kernels]
    assert len(set(map(float, seen))) == len(seen)


def test_wrong_positions():
    with pytest.raises(ValueError, match="'sincos'.*Received: 'rotary'"):
        vit(positions="rotary")
    with pytest.raises(ValueError, match="multiple of 4. Received: 6"):
        vit(positions="sincos", hidden_dim=6)


@pytest.fixture
def predictor():
    network = backbones.MaskPredictor((2, 6), **SIZE)
    network.build((None, None, 10))
    random_weights(network)
    return network


@pytest.mark.parametrize("prefix", [0, 1])
@pytest.mark.parametrize("targets", [1, 3])
def test_predictor_against_numpy(prefix, targets):
    network = backbones.MaskPredictor((2, 6), **SIZE)
    network.build((None, None, 10))
    weights = random_weights(network)
    tokens, ids = normal(2, prefix + 5, 10), random_ids(5, 2)
    target_ids = random_ids(4, 2, targets)
    expected = transformer.mask_predictor(
        tokens, ids, target_ids, weights, sincos.table(2, 6, 12), **SHARED
    )
    result = network(tokens, ids, target_ids)
    np.testing.assert_allclose(numpy(result), expected, atol=2e-5)


def test_predictor_does_not_see_padding(predictor):
    tokens, ids = normal(2, 1 + 5, 10), random_ids(5, 2)
    target_ids = random_ids(4, 2, 3)
    expected = numpy(predictor(tokens, ids, target_ids))
    more = np.concatenate([tokens, 100 * normal(2, 3, 10)], axis=1)
    padded = np.concatenate([ids, np.zeros((2, 3), "int32")], axis=1)
    padded_targets = np.concatenate(
        [target_ids, np.zeros((2, 3, 2), "int32")], axis=2
    )
    result = predictor(
        more,
        padded,
        padded_targets,
        patch_mask=np.tile(np.arange(8) < 5, (2, 1)),
        target_mask=np.tile(np.arange(6) < 4, (2, 3, 1)),
    )
    np.testing.assert_allclose(numpy(result)[:, :, :4], expected, atol=1e-5)
    # Either mask by itself.
    result = predictor(
        more,
        padded,
        target_ids,
        patch_mask=np.tile(np.arange(8) < 5, (2, 1)),
    )
    np.testing.assert_allclose(numpy(result), expected, atol=1e-5)
    result = predictor(
        tokens,
        ids,
        padded_targets,
        target_mask=np.tile(np.arange(6) < 4, (2, 3, 1)),
    )
    np.testing.assert_allclose(numpy(result)[:, :, :4], expected, atol=1e-5)


def test_each_target_by_itself(predictor):
    tokens, ids = normal(2, 5, 10), random_ids(5, 2)
    target_ids = random_ids(4, 2, 3)
    together = numpy(predictor(tokens, ids, target_ids))
    for m in range(3):
        alone = numpy(predictor(tokens, ids, target_ids[:, m : m + 1]))
        np.testing.assert_allclose(together[:, m], alone[:, 0], atol=1e-5)
