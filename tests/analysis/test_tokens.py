"""Colours of tokens and attention, by plain NumPy."""

import numpy as np
import pytest
from keras import ops
from sklearn.decomposition import PCA

from keras_ab import analysis
from keras_ab import backbones
from keras_ab.analysis.token_colours import principal_components
from tests.models import factory
from tests.reference.losses import softmax


def array(x):
    return np.array(ops.convert_to_numpy(x), "float64")


def test_components_are_scikit_learns():
    features = np.random.default_rng(0).normal(size=(40, 6)) @ np.diag(
        [5, 4, 3, 2, 1, 0.5]
    )
    found = principal_components(features, 3)
    wanted = PCA(3, svd_solver="full").fit_transform(features)
    np.testing.assert_allclose(np.abs(found), np.abs(wanted), atol=1e-9)
    # The same whatever the solver's signs.
    axes = np.linalg.lstsq(features - features.mean(0), found)[0]
    assert (axes.sum(0) > 0).all()
    mirrored = principal_components(-features, 3)
    np.testing.assert_allclose(mirrored, -found, atol=1e-9)
    assert principal_components(features[:, :2], 3)[:, 2].tolist() == [0] * 40


def test_colours():
    model, images = factory.abclip(), factory.batch()["reward"]["image"]
    colours = analysis.token_colours(model, images)
    assert colours.shape == (4, 2, 2, 3)
    tokens = array(model.encode(images)).reshape(16, -1)
    components = PCA(3, svd_solver="full").fit_transform(tokens)
    for channel in range(3):
        seen = colours.reshape(16, 3)[:, channel]
        assert (seen.min(), seen.max()) == (0, 1)
        order = np.corrcoef(seen, components[:, channel])[0, 1]
        assert abs(order) > 0.99
    with pytest.raises(ValueError, match=r"4 patches.*\(3, 2\)"):
        analysis.token_colours(model, images, grid_shape=(3, 2))


@pytest.mark.parametrize("layer", [0, -1])
def test_attention_behind_registers(layer):
    """The weights that the block's own attention mixes values with."""
    vit = backbones.ViT(
        (16, 16, 3),
        *(8, 8, 2, 2, 16),
        class_token=True,
        num_registers=2,
        pre_norm=True,
    )
    vit.build()
    images = factory.batch()["reward"]["image"]
    found = analysis.attention_maps(vit, images, layer)
    assert found.shape == (4, 2, 7, 7)
    attention = vit.blocks[layer].attention
    inner, seen = type(attention).call, []

    def recorded(self, tokens, *args, **kwargs):
        mixed = inner(self, tokens, *args, **kwargs)
        if self is attention:
            seen.append((array(tokens), array(mixed)))
        return mixed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(attention), "call", recorded)
        vit(images / 127.5 - 1)
    ((tokens, mixed),) = seen
    values = tokens @ array(attention.qkv.kernel) + array(attention.qkv.bias)
    values = np.split(values, 3, axis=-1)[2].reshape(4, 7, 2, 4)
    out = np.einsum("bhij,bjhd->bihd", found, values).reshape(4, 7, 8)
    out = out @ array(attention.output_projection.kernel)
    out = out + array(attention.output_projection.bias)
    np.testing.assert_allclose(out, mixed, atol=1e-5)
    figure = analysis.draw_attention_maps(images, found, (2, 2))
    assert len(figure.axes) == 4 * 3


@pytest.mark.parametrize("class_token", [False, True])
@pytest.mark.parametrize("layer", [0, -1])
def test_attention_by_numpy(class_token, layer):
    vit = backbones.ViT((16, 16, 3), 8, 8, 2, 2, 16, class_token=class_token)
    vit.build()
    if class_token:
        vit.class_embedding.assign(np.ones((1, 1, 8)))
    for block in vit.blocks:
        # Far from the start, where all weights are alike.
        kernel = block.attention.qkv.kernel
        kernel.assign(3 * ops.convert_to_numpy(kernel))
    images = factory.batch()["reward"]["image"]
    found = analysis.attention_maps(vit, images, layer)
    length = 4 + class_token
    assert found.shape == (4, 2, length, length)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-5)
    # The block's own residual tells what its attention was.
    _, after = vit(images / 127.5 - 1, return_intermediates=True)
    block = vit.blocks[layer]
    before = array(after[0]) if layer else first_tokens(vit, images)
    x = before - before.mean(-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)
    norm = block.attention_norm
    x = x * array(norm.gamma) + array(norm.beta)
    mixed = x @ array(block.attention.qkv.kernel)
    mixed = mixed + array(block.attention.qkv.bias)
    q, k, v = (
        part.reshape(4, length, 2, 4).transpose(0, 2, 1, 3)
        for part in np.split(mixed, 3, axis=-1)
    )
    weights = softmax(q @ k.transpose(0, 1, 3, 2) / 2)
    np.testing.assert_allclose(found, weights, atol=1e-4)
    assert found.std() > 0.01
    out = (found @ v).transpose(0, 2, 1, 3).reshape(4, length, 8)
    out = array(block.attention.output_projection(out.astype("float32")))
    x = before + out
    whole = x + array(block.mlp(block.mlp_norm(x.astype("float32"))))
    np.testing.assert_allclose(whole, array(after[layer]), atol=1e-3)


def first_tokens(vit, images):
    patches = images.reshape(4, 2, 8, 2, 8, 3).transpose(0, 1, 3, 2, 4, 5)
    patches = patches.reshape(4, 4, 192) / 127.5 - 1
    projection = vit.patches.projection
    tokens = patches @ array(projection.kernel) + array(projection.bias)
    (table,) = (array(w) for w in vit.positions.weights)
    tokens = tokens + table.reshape(4, 8)
    if vit.class_token:
        prefix = np.ones((4, 1, 8))
        tokens = np.concatenate([prefix, tokens], axis=1)
    return tokens


def test_attention_of_a_model_is_its_target_networks():
    model, images = factory.abclip(), factory.batch()["reward"]["image"]
    model.target.encoder.blocks[0].attention.qkv.kernel.assign(
        2
        * np.array(
            ops.convert_to_numpy(
                model.target.encoder.blocks[0].attention.qkv.kernel
            )
        )
    )
    found = analysis.attention_maps(model, images)
    target = analysis.attention_maps(model.target.encoder, images)
    np.testing.assert_array_equal(found, target)
    online = analysis.attention_maps(model, images, network="online")
    assert np.abs(found - online).max() > 1e-4
    with pytest.raises(ValueError, match=r"`layer`.*\[-1, 1\).*1"):
        analysis.attention_maps(model, images, layer=1)
    with pytest.raises(ValueError, match="ViT.*Received: Dense"):
        from keras import layers

        analysis.attention_maps(layers.Dense(2), images)
