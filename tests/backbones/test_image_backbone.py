"""Models of other libraries as image encoders."""

import keras
import numpy as np
import pytest

from keras_ab import backbones
from keras_ab import models
from keras_ab import presets
from keras_ab import probes
from keras_ab.backbones.image_backbone import PIXELS
from tests import contracts
from tests.models import factory


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def convolutions(side=16):
    """A small network with statistics, to a map."""
    inputs = keras.Input((side, side, 3))
    x = keras.layers.Conv2D(8, 4, strides=4)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Conv2D(12, 2, strides=2, activation="relu")(x)
    return keras.Model(inputs, x, name="convolutions")


def floats(count=2, side=16):
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (count, side, side, 3)).astype("float32")


def abclip(encoder, **kwargs):
    return models.ABCLIP(
        encoder,
        factory.text_encoder(),
        factory.tokenizer(),
        decoder=backbones.AnnotationDecoder.from_size("test", num_layers=1),
        projection_dim=8,
        value_bias=-3.0,
        **kwargs,
    )


def test_a_map_becomes_tokens():
    model = convolutions()
    encoder = backbones.ImageBackbone(model)
    assert (encoder.hidden_dim, encoder.image_shape) == (12, (16, 16, 3))
    tokens = numpy(encoder(floats()))
    expected = numpy(model(floats())).reshape(2, 4, 12)
    np.testing.assert_allclose(tokens, expected, atol=1e-6)
    np.testing.assert_allclose(
        numpy(encoder.pool(tokens)), expected.mean(1), atol=1e-6
    )
    np.testing.assert_array_equal(numpy(encoder.patch_tokens(tokens)), tokens)


def test_contracts(tmp_path):
    def make():
        return backbones.ImageBackbone(convolutions())

    shapes, arrays = [(None, 16, 16, 3)], [floats()]
    config = make().get_config()
    again = backbones.ImageBackbone.from_config(config).get_config()
    held, held_again = config.pop("model"), again.pop("model")
    assert again == config
    assert held_again["config"] == held["config"]
    contracts.check_weight_gradients(make(), shapes, arrays)
    contracts.check_saved(make(), arrays, tmp_path / "model.keras")
    contracts.check_deterministic(make(), arrays)
    contracts.check_clone(make(), shapes, arrays)


def test_it_trains_in_one_argument(tmp_path):
    model = abclip(convolutions(), target_rate=0.5)
    factory.compile(model)
    before = [v.copy() for v in model.online.get_weights()]
    history = model.fit(factory.batches(2), verbose=0).history
    assert history["skipped_steps"] == [0]
    moved = [
        not np.array_equal(a, b)
        for a, b in zip(before, model.online.get_weights())
    ]
    # Every weight but those whose gradient is zero: all of the encoder's.
    count = len(model.encoder.weights)
    assert count == 8 and all(moved[:count])
    # Statistics are copied, weights averaged.
    for online, target in zip(
        model.encoder.weights, model.target.encoder.weights
    ):
        if "moving" in online.name:
            np.testing.assert_array_equal(numpy(online), numpy(target))
        else:
            assert not np.array_equal(numpy(online), numpy(target))
    images = factory.batch()["reward"]["image"]
    expected = numpy(model.reward(images, ["w1", "w2"]))
    model.save(tmp_path / "a.keras")
    model.save_to_preset(tmp_path / "a")
    for again in (
        keras.saving.load_model(tmp_path / "a.keras"),
        presets.load(tmp_path / "a"),
    ):
        found = numpy(again.reward(images, ["w1", "w2"]))
        np.testing.assert_allclose(found, expected, atol=1e-5)
    pooled = probes.FrozenEncoder(model).pooled(images)
    np.testing.assert_allclose(pooled, numpy(model.pool(images)), atol=1e-5)


@pytest.mark.parametrize("pixels", PIXELS)
def test_pixels(pixels):
    images = floats()
    through = keras.Sequential(
        [keras.Input((16, 16, 3)), keras.layers.Identity()]
    )
    encoder = backbones.ImageBackbone(through, pixels=pixels)
    values = (images + 1) / 2
    expected = {
        "signed": lambda: images,
        "unit": lambda: values,
        "bytes": lambda: 255 * values,
        "imagenet": lambda: keras.applications.imagenet_utils.preprocess_input(
            255 * values, mode="torch"
        ),
        "caffe": lambda: keras.applications.imagenet_utils.preprocess_input(
            255 * values, mode="caffe"
        ),
    }[pixels]()
    np.testing.assert_allclose(
        numpy(encoder(images)), expected.reshape(2, 256, 3), atol=1e-3
    )


def test_a_model_that_scales_takes_bytes():
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 4, strides=4),
        ]
    )
    assert backbones.ImageBackbone(model).pixels == "bytes"
    assert backbones.ImageBackbone(convolutions()).pixels == "signed"


def test_sizes_that_are_open():
    model = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(4, 4, strides=4)]
    )
    with pytest.raises(ValueError, match="leaves the size of images open"):
        models.SimCLR(model, hidden_dims=(8,))
    encoder = backbones.ImageBackbone(model, image_shape=(16, 16, 3))
    model = models.SimCLR(encoder, hidden_dims=(8,))
    assert model.encode(np.zeros((1, 24, 24, 3), "uint8")).shape == (1, 36, 4)


def test_what_is_no_encoder():
    flat = keras.Sequential([convolutions(), keras.layers.Flatten()])
    with pytest.raises(ValueError, match=r"must return tokens \(B, T, D\)"):
        backbones.ImageBackbone(flat, image_shape=(16, 16, 3))
    with pytest.raises(ValueError, match="`pixels` must be one of"):
        backbones.ImageBackbone(convolutions(), pixels="rgb")
    with pytest.raises(ValueError, match="must be a Keras model or layer"):
        backbones.ImageBackbone("resnet")
    # Patches cannot be left out of a convolution.
    for method in (models.MAE, models.IJEPA):
        with pytest.raises(ValueError, match="encode some of the patches"):
            method(convolutions())


HUB = {
    "ViT": (17, 1),
    "DINOv2": (19, 3),
    "CLIP": (17, 1),
    "SigLIP": (16, 0),
    "ResNet": (16, 0),
}


def of_hub(kind, hub):
    sizes = {
        "patch_size": 8,
        "num_layers": 1,
        "hidden_dim": 16,
        "num_heads": 2,
        "image_shape": (32, 32, 3),
    }
    if kind == "ViT":
        return hub.models.ViTBackbone(**sizes, mlp_dim=24)
    sizes["intermediate_dim"] = 24
    if kind == "DINOv2":
        return hub.models.DINOV2Backbone(
            **sizes, num_register_tokens=2, use_mask_token=False
        )
    if kind == "CLIP":
        return hub.models.CLIPVisionEncoder(**sizes)
    if kind == "SigLIP":
        return hub.models.SigLIPVisionEncoder(**sizes)
    return hub.models.ResNetBackbone(
        [64],
        [3],
        [64, 16],
        [1, 1],
        [1, 2],
        "basic_block",
        image_shape=(32, 32, 3),
    )


@pytest.mark.parametrize("kind", HUB)
def test_of_kerashub(kind, tmp_path):
    hub = pytest.importorskip("keras_hub")
    backbone = of_hub(kind, hub)
    tokens, prefix = HUB[kind]
    model = models.SimCLR(backbone, hidden_dims=(8,), target_rate=0.1)
    encoder = model.encoder
    assert encoder.num_prefix_tokens == prefix
    assert encoder(floats(side=32)).shape[1] == tokens
    images = np.zeros((2, 32, 32, 3), "uint8")
    assert model.encode(images).shape[1] == tokens - prefix
    model.save_to_preset(tmp_path / "a")
    again = presets.load(tmp_path / "a")
    np.testing.assert_allclose(
        numpy(again.encode(images)), numpy(model.encode(images)), atol=1e-5
    )


APPLICATIONS = {
    "ResNet50": ("resnet", "caffe", {}),
    "ConvNeXtTiny": ("convnext", "bytes", {}),
    "EfficientNetB0": ("efficientnet", "bytes", {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_of_applications(name, tmp_path):
    module, pixels, arguments = APPLICATIONS[name]
    module = getattr(keras.applications, module)
    model = getattr(module, name)(
        weights=None, include_top=False, input_shape=(32, 32, 3), **arguments
    )
    given = {} if pixels == "bytes" else {"pixels": pixels}
    encoder = backbones.ImageBackbone(model, **given)
    assert encoder.pixels == pixels
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3))
    expected = model(module.preprocess_input(images.astype("float32")))
    tokens = encoder(images / np.float32(127.5) - 1)
    np.testing.assert_allclose(
        numpy(tokens),
        numpy(expected).reshape(2, -1, encoder.hidden_dim),
        atol=1e-3,
    )
    method = models.SimCLR(encoder, hidden_dims=(8,))
    factory.compile(method)
    batch = {"views": {"image": np.stack([images] * 2, 1).astype("uint8")}}
    history = method.fit(factory.Batches([batch]), verbose=0).history
    assert history["skipped_steps"] == [0]
    method.save_to_preset(tmp_path / "a")
    again = presets.load(tmp_path / "a")
    images = images.astype("uint8")
    np.testing.assert_allclose(
        numpy(again.encode(images)), numpy(method.encode(images)), atol=1e-3
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, sizes",
    [
        (
            "ResNetBackbone",
            {
                "stackwise_filters": [8, 16],
                "stackwise_blocks": [1, 1],
                "stackwise_strides": [1, 2],
                "include_rescaling": False,
            },
        ),
        (
            "CSPDarkNetBackbone",
            {
                "stackwise_channels": [8, 8, 16, 16],
                "stackwise_depth": [1, 1, 1, 1],
                "include_rescaling": True,
            },
        ),
    ],
)
def test_of_kerascv(name, sizes, tmp_path):
    keras_cv = pytest.importorskip("keras_cv")
    backbone = getattr(keras_cv.models, name)(input_shape=(32, 32, 3), **sizes)
    model = models.SimCLR(backbone, hidden_dims=(8,), target_rate=0.1)
    scaled = "bytes" if sizes["include_rescaling"] else "signed"
    assert model.encoder.pixels == scaled
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), "uint8")
    factory.compile(model)
    batch = {"views": {"image": np.stack([images] * 2, 1)}}
    history = model.fit(factory.Batches([batch]), verbose=0).history
    assert history["skipped_steps"] == [0]
    model.save_to_preset(tmp_path / "a")
    again = presets.load(tmp_path / "a")
    np.testing.assert_allclose(
        numpy(again.encode(images)), numpy(model.encode(images)), atol=1e-5
    )
