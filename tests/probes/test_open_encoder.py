"""Opening encoders by a path or a name."""

import keras
import numpy as np
import pytest

from keras_ab import probes
from tests.models import factory

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), "uint8")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return factory.abclip(target_rate=0.1)


def test_a_file(model, tmp_path):
    model.save(tmp_path / "mine.keras")
    encoder = probes.open_encoder(tmp_path / "mine.keras")
    said = encoder.describe()
    assert said["name"] == "mine" and said["branch"] == "target"
    expected = probes.FrozenEncoder(model)
    assert said["fingerprint"] == expected.fingerprint()
    np.testing.assert_allclose(
        encoder.pooled(IMAGES), expected.pooled(IMAGES), atol=1e-5
    )
    online = probes.open_encoder(
        str(tmp_path / "mine.keras"), network="online", name="other"
    )
    assert (online.branch, online.name) == ("online", "other")


def test_the_newest_checkpoint(model, tmp_path):
    for step in (5, 10):
        model.updates.assign(step)
        model.save(tmp_path / f"step-{step:09d}.keras")
    encoder = probes.open_encoder(tmp_path)
    assert encoder.name == tmp_path.name
    assert int(keras.ops.convert_to_numpy(encoder.encoder.updates)) == 10
    model.updates.assign(0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        probes.open_encoder(tmp_path / "empty")


def test_a_preset(model, tmp_path):
    folder = tmp_path / "mine"
    model.save_to_preset(folder)
    expected = probes.FrozenEncoder(model).tokens(IMAGES)
    for place in (folder, f"preset:{folder}"):
        encoder = probes.open_encoder(place)
        assert (encoder.name, encoder.branch) == ("mine", "target")
        np.testing.assert_allclose(encoder.tokens(IMAGES), expected, atol=1e-5)


def squares(images):
    """Means of the four quarters."""
    images = np.asarray(images)
    batch, height, width, _ = images.shape
    parts = images.reshape(batch, 2, height // 2, 2, width // 2, 3)
    return parts.mean((2, 4))


def make():
    return squares


@pytest.mark.parametrize("name", ["squares", "make()"])
def test_anything_in_python(name):
    encoder = probes.open_encoder(f"{__name__}:{name}", image_size=16)
    assert encoder.name == name.removesuffix("()")
    assert encoder.tokens(IMAGES).shape == (2, 4, 3)


def test_keras_applications(monkeypatch):
    original = keras.applications.MobileNetV2
    # Without a download.
    monkeypatch.setattr(
        keras.applications.mobilenet_v2,
        "MobileNetV2",
        lambda **kwargs: original(**kwargs, weights=None, alpha=0.35),
    )
    encoder = probes.open_encoder("applications:MobileNetV2")
    assert encoder.image_size == (224, 224)
    assert encoder.name == "MobileNetV2"
    assert encoder.scale is keras.applications.mobilenet_v2.preprocess_input
    # It scales to [-1, 1].
    ramp = np.array([0.0, 255.0], "float32")
    np.testing.assert_allclose(encoder.scale(ramp), [-1, 1])


def test_keras_hub(tmp_path):
    keras_hub = pytest.importorskip("keras_hub")
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(16, 16, 3),
        patch_size=8,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        mlp_dim=16,
    )
    backbone.save_to_preset(tmp_path / "vit")
    encoder = probes.open_encoder(f"keras_hub:{tmp_path / 'vit'}")
    assert encoder.name == "vit" and encoder.image_size == (16, 16)
    assert encoder.scale is None
    tokens = encoder.tokens(IMAGES)
    converter = keras_hub.layers.ViTImageConverter(
        image_size=(16, 16), scale=1 / 64, offset=-2.0
    )
    converter.save_to_preset(tmp_path / "vit")
    encoder = probes.open_encoder(f"keras_hub:{tmp_path / 'vit'}")
    pixels = IMAGES.astype("float32")
    expected = keras.ops.convert_to_numpy(converter(pixels))
    np.testing.assert_allclose(encoder.scale(pixels), expected)
    # Twice as wide a range.
    assert expected.max() > 1.5
    assert abs(encoder.tokens(IMAGES) - tokens).max() > 1e-3


@pytest.mark.parametrize(
    "spec, error, message",
    [
        ("nowhere.keras", FileNotFoundError, "Accepted: a .keras file"),
        ("applications:Nothing", FileNotFoundError, "'Nothing'"),
        ("nowhere.at.all:encoder", FileNotFoundError, "no module 'nowhere'"),
        ("keras_ab.probes:nothing", FileNotFoundError, "no 'nothing'"),
        (f"{__name__}:squares", ValueError, "image_size"),
    ],
)
def test_what_cannot_be_opened(spec, error, message):
    with pytest.raises(error, match=message):
        probes.open_encoder(spec)


def test_a_damaged_file(model, tmp_path):
    path = tmp_path / "mine.keras"
    model.save(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"mine\.keras holds no model"):
        probes.open_encoder(path)
