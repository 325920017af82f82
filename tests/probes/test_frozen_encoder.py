"""Any encoder through one wrapper, which leaves it to the bit as it was."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import backbones
from keras_ab.probes import FrozenEncoder
from tests.models import factory


def images(count=5, size=16, seed=1):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, size, size, 3), dtype="uint8")


def floats(x):
    return x.astype("float32") / 127.5 - 1


def state(layer):
    """All that a layer holds: weights, statistics, random states."""
    return [np.copy(ops.convert_to_numpy(v)) for v in layer.variables]


def assert_same(before, after):
    assert len(before) == len(after)
    for a, b in zip(before, after):
        np.testing.assert_array_equal(a, b)


def numpy(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("network", ["online", "target", None])
def test_a_pretrainer(network):
    model = factory.clip(target_rate=0.1)
    for weight in model.target.weights:
        weight.assign(weight + 0.01)
    chosen = model.online if network == "online" else model.target
    frozen = FrozenEncoder(model, network)
    before = state(model)
    tokens = numpy(chosen.encode(images()))
    pooled = frozen.pooled(images(), batch_size=2)
    np.testing.assert_allclose(frozen.tokens(images()), tokens, atol=1e-5)
    expected = numpy(chosen.encoder.pool(tokens))
    np.testing.assert_allclose(pooled, expected, atol=1e-5)
    assert pooled.dtype == np.float32
    assert_same(before, state(model))
    assert frozen.branch == ("online" if network == "online" else "target")
    assert frozen.image_size == (16, 16)


def test_it_follows_the_weights():
    model = factory.clip()
    frozen = FrozenEncoder(model)
    first, mark = frozen.pooled(images()), frozen.fingerprint()
    for weight in model.encoder.weights:
        weight.assign(weight * 0.5)
    assert np.abs(frozen.pooled(images()) - first).max() > 1e-3
    assert frozen.fingerprint() != mark
    np.testing.assert_allclose(
        frozen.pooled(images()), FrozenEncoder(model).pooled(images()), 1e-5
    )


def test_equal_weights_have_one_fingerprint():
    model = factory.clip(target_rate=0.1)
    online, target = FrozenEncoder(model, "online"), FrozenEncoder(model)
    assert online.fingerprint() == target.fingerprint()
    described = target.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["branch"] == "target"
    assert described["parameters"] == model.encoder.count_params()


def test_a_backbone_and_its_blocks():
    vit = backbones.ViT.from_size(
        "test", image_shape=(16, 16, 3), patch_size=8, class_token=True
    )
    frozen = FrozenEncoder(vit, image_size=24)
    tokens = numpy(vit(floats(images(size=24))))
    result = frozen.tokens(images(size=24))
    assert result.shape[1] == 9 == tokens.shape[1] - 1
    np.testing.assert_allclose(result, tokens[:, 1:], atol=1e-5)
    first = FrozenEncoder(vit, image_size=24, pooling="first")
    np.testing.assert_allclose(
        first.pooled(images(size=24)), tokens[:, 0], atol=1e-5
    )
    _, inner = vit(floats(images()), return_intermediates=True)
    early = FrozenEncoder(vit, layer=0).tokens(images())
    np.testing.assert_allclose(early, numpy(inner[0])[:, 1:], atol=1e-5)
    with pytest.raises(ValueError, match="number of a block"):
        FrozenEncoder(vit, layer=vit.num_layers)
    with pytest.raises(ValueError, match="branch of a keras_ab Pretrainer"):
        FrozenEncoder(vit, network="target")


@keras.saving.register_keras_serializable(package="tests")
class Restless(keras.layers.Layer):
    """Draws, counts and averages though it is told not to train."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm = keras.layers.BatchNormalization()
        self.dropout = keras.layers.Dropout(0.5, seed=1)

    def build(self, shape):
        self.count = self.add_weight(shape=(), initializer="zeros")
        self.norm.build(shape)
        self.built = True

    def call(self, x, training=False):
        self.count.assign(self.count + 1.0)
        # Both as in training, whatever is asked for.
        return self.dropout(self.norm(x, training=True), training=True)


def test_a_layer_that_will_not_keep_still():
    layer = Restless()
    layer.build((None, 16, 16, 3))
    frozen = FrozenEncoder(layer, image_size=16)
    before = state(layer)
    frozen.tokens(images())
    frozen.pooled(images(), batch_size=2)
    assert_same(before, state(layer))


def test_keras_applications_with_its_own_scale():
    preprocess = keras.applications.resnet50.preprocess_input
    model = keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), weights=None, include_top=False, alpha=0.35
    )
    frozen = FrozenEncoder(model, scale=preprocess)
    before = state(model)
    map_ = numpy(model(preprocess(images(3, 32).astype("float32"))))
    tokens = frozen.tokens(images(3, 32))
    assert tokens.shape == (3, 1, 1280)
    np.testing.assert_allclose(tokens[:, 0], map_[:, 0, 0], atol=1e-4)
    np.testing.assert_allclose(
        frozen.pooled(images(3, 32)), map_.mean((1, 2)), atol=1e-4
    )
    assert_same(before, state(model))
    other = FrozenEncoder(model)
    assert other.fingerprint() == frozen.fingerprint()
    assert other.describe()["scale"] != frozen.describe()["scale"]
    inner = FrozenEncoder(model, layer="block_2_add")
    assert inner.tokens(images(1, 32)).shape[1] == 8 * 8
    # The name of a layer is no block's number.
    with pytest.raises(ValueError, match="name of one of its layers"):
        FrozenEncoder(model, layer=3)


def test_mean_and_deviation():
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    frozen = FrozenEncoder(lambda x: x, image_size=16, scale=(mean, std))
    expected = (images() / 255.0 - mean) / std
    np.testing.assert_allclose(
        frozen.tokens(images()), expected.reshape(5, 256, 3), atol=1e-5
    )
    with pytest.raises(ValueError, match="`scale` must be"):
        FrozenEncoder(lambda x: x, image_size=16, scale=(mean, (0, 1, 1)))


def test_a_callable():
    def halves(x):
        assert isinstance(x, np.ndarray)
        return x[:, ::2, ::2]

    frozen = FrozenEncoder(halves, image_size=(16, 16))
    expected = floats(images())[:, ::2, ::2].reshape(5, 64, 3)
    np.testing.assert_allclose(frozen.tokens(images()), expected, atol=1e-6)
    np.testing.assert_allclose(
        frozen.pooled(images(), batch_size=2), expected.mean(1), atol=1e-6
    )
    assert frozen.name == "halves" and frozen.kind == "callable"
    other = FrozenEncoder(lambda x: -halves(x), image_size=16)
    assert other.fingerprint() != frozen.fingerprint()
    assert FrozenEncoder(frozen) is frozen
    with pytest.raises(ValueError, match="has its settings"):
        FrozenEncoder(frozen, image_size=32)


def test_kerashub():
    hub = pytest.importorskip("keras_hub")
    vit = hub.models.ViTBackbone(
        image_shape=(32, 32, 3),
        patch_size=8,
        num_layers=1,
        num_heads=2,
        hidden_dim=16,
        mlp_dim=32,
    )
    frozen = FrozenEncoder(vit)
    before = state(vit)
    expected = numpy(vit(floats(images(3, 32))))
    tokens = frozen.tokens(images(3, 32))
    assert tokens.shape == (3, 17, 16)
    np.testing.assert_allclose(tokens, expected, atol=1e-5)
    assert_same(before, state(vit))
    sizes = {
        "patch_size": 8,
        "hidden_dim": 16,
        "num_layers": 1,
        "num_heads": 2,
        "intermediate_dim": 32,
        "image_shape": (32, 32, 3),
    }
    siglip = hub.models.SigLIPVisionEncoder(**sizes)
    frozen = FrozenEncoder(siglip)
    assert frozen.tokens(images(3, 32)).shape == (3, 16, 16)
    expected = numpy(siglip({"images": floats(images(3, 32))}))
    np.testing.assert_allclose(
        frozen.pooled(images(3, 32)), expected.reshape(3, 16), atol=1e-5
    )
    clip = hub.models.CLIPVisionEncoder(**sizes)
    assert FrozenEncoder(clip).tokens(images(3, 32)).shape == (3, 17, 16)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.Sequential(
            [keras.Input((16, 16, 3)), keras.layers.Flatten()]
        ),
        lambda: keras.Model(
            i := keras.Input((16, 16, 3)), {"a": i, "b": keras.ops.abs(i)}
        ),
    ],
)
def test_an_output_that_is_no_token(make):
    with pytest.raises(ValueError, match=r"tokens \(B, T, D\) or a map"):
        FrozenEncoder(make())


def test_wrong_use():
    for output in (lambda x: x.mean((1, 2)), lambda x: {"a": x}):
        frozen = FrozenEncoder(output, image_size=16)
        with pytest.raises(ValueError, match=r"tokens \(B, T, D\) or a map"):
            frozen.pooled(images())
    with pytest.raises(ValueError, match="pass `image_size`"):
        FrozenEncoder(lambda x: x)
    with pytest.raises(ValueError, match="must be a keras_ab model"):
        FrozenEncoder("ViT", image_size=16)
    frozen = FrozenEncoder(lambda x: x, image_size=16)
    with pytest.raises(ValueError, match="center_crop"):
        frozen.tokens(images(size=24))
    with pytest.raises(ValueError, match="uint8"):
        frozen.tokens(images().astype("float32"))
    pair = [keras.Input((16, 16, 3)), keras.Input((16, 16, 3))]
    with pytest.raises(ValueError, match="images alone"):
        FrozenEncoder(keras.Model(pair, pair[0] + pair[1]))
