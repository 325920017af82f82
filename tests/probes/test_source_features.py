"""Features of sources: order, bad records, the cache."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from keras_ab import data
from keras_ab import probes
from tests.models import factory


def encoded(height, width, seed, kind="PNG"):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 3), dtype="uint8")
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return pixels, stream.getvalue()


@pytest.fixture
def folder(tmp_path):
    """Eleven good images of many sizes, two that are none; good pixels."""
    pixels = {}
    for i in range(11):
        # TensorFlow does not decode WebP.
        kind = ("PNG", "BMP", "WEBP")[i % 3] if i < 3 else "PNG"
        values, content = encoded(20 + i, 40 - i, i, kind)
        if kind == "WEBP":
            with Image.open(io.BytesIO(content)) as image:
                values = np.asarray(image.convert("RGB"))
        (tmp_path / f"images/{i:02d}.{kind.lower()}").parent.mkdir(
            exist_ok=True
        )
        (tmp_path / f"images/{i:02d}.{kind.lower()}").write_bytes(content)
        pixels[i] = values
    (tmp_path / "images/04.png").write_bytes(b"no image at all")
    (tmp_path / "images/07.png").write_bytes(encoded(30, 30, 7)[1][:200])
    del pixels[4], pixels[7]
    return data.from_folder(tmp_path / "images"), pixels


@pytest.mark.parametrize("crop", ["center", "whole"])
def test_every_image_that_can_be_read_in_order(folder, crop):
    source, pixels = folder
    model = factory.clip()
    result = probes.source_features(model, source, crop=crop, batch_size=4)
    assert result.indices.tolist() == sorted(pixels)
    assert [name[:2] for name in result.ids] == [f"{i:02d}" for i in pixels]
    assert sorted(one["id"] for one in result.skipped) == ["04.png", "07.png"]
    assert all(one["reason"] for one in result.skipped)
    cut = probes.center_crop if crop == "center" else probes.whole
    views = cut(list(pixels.values()), 16)
    expected = probes.FrozenEncoder(model).pooled(views)
    np.testing.assert_allclose(result.values, expected, atol=1e-4)
    images = probes.source_features(model, source, "images", crop=crop)
    np.testing.assert_array_equal(images.values, views)


def test_random_crops_are_always_the_same(folder, tmp_path):
    source, pixels = folder
    model = factory.clip()

    def read(view, **kwargs):
        return probes.source_features(
            model, source, "images", view=view, **kwargs
        )

    first, again, other = read(1, batch_size=4), read(1), read(2)
    assert first.indices.tolist() == sorted(pixels)
    np.testing.assert_array_equal(first.values, again.values)
    assert (first.values != other.values).any(axis=(1, 2, 3)).all()
    cached = [
        probes.source_features(model, source, view=v, cache=tmp_path / "c")
        for v in (0, 1, 1)
    ]
    assert (cached[0].values != cached[1].values).any()
    np.testing.assert_array_equal(cached[1].values, cached[2].values)


def test_built_in_scenes_are_painted_once():
    class Counting(data.Scenes):
        painted = 0

        def __getitem__(self, index):
            type(self).painted += 1
            return super().__getitem__(index)

    scenes = Counting(size=6)
    result = probes.source_features(factory.clip(), scenes, output="tokens")
    assert result.values.shape == (6, 4, 32)
    # One to see whether images are encoded.
    assert Counting.painted <= 7
    expected = [data.Scenes(size=6)[i]["id"] for i in range(6)]
    assert result.ids == expected and not result.skipped
    probes.source_fingerprint(scenes)
    assert Counting.painted <= 7


class Counted:
    """A callable encoder that counts the images it sees."""

    images = 0

    def __init__(self, factor=1.0):
        self.factor = factor

    def __call__(self, x):
        self.images += len(x)
        return self.factor * x[:, ::4, ::4]


def test_cache(folder, tmp_path):
    source, _ = folder
    cache = tmp_path / "cache"

    def features(encoder, source=source, **kwargs):
        frozen = probes.FrozenEncoder(encoder, image_size=16)
        return probes.source_features(frozen, source, cache=cache, **kwargs)

    first = Counted()
    expected = features(first)
    for output in ("pooled", "tokens"):
        features(first, output=output)
        again = Counted()
        found = features(again, output=output)
        # The fingerprint's noise is all it sees.
        assert again.images == 2
    expected = features(first)
    found = features(Counted())
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.ids == expected.ids and found.skipped == expected.skipped
    np.testing.assert_array_equal(found.indices, expected.indices)
    for other, kwargs in [
        (Counted(2.0), {}),
        (Counted(), {"crop": "whole"}),
        (Counted(), {"source": source.subset([3, 2, 1])}),
    ]:
        features(other, **kwargs)
        assert other.images > 2
    assert len(list(cache.glob("*.json"))) == 5


def test_a_cache_that_is_broken_is_made_again(folder, tmp_path):
    source, _ = folder
    cache = tmp_path / "cache"

    def features():
        encoder = Counted()
        frozen = probes.FrozenEncoder(encoder, image_size=16)
        values = probes.source_features(frozen, source, cache=cache).values
        return values, encoder.images > 2

    expected, _ = features()
    (listed,) = cache.glob("*.json")
    (values,) = cache.glob("*.npy")
    for path, content in [
        (values, values.read_bytes()[:100]),
        (listed, b"{"),
        (listed, json.dumps({"key": "another"}).encode()),
    ]:
        path.write_bytes(content)
        found, computed = features()
        assert computed
        np.testing.assert_array_equal(found, expected)
        assert not features()[1]
    assert len(list(cache.iterdir())) == 2


def test_nothing_to_read(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image at all")
    with pytest.raises(ValueError, match="None of 1 images can be read"):
        probes.source_features(
            factory.clip(), data.from_folder(tmp_path), batch_size=2
        )
    scenes = data.Scenes(size=2)
    with pytest.raises(ValueError, match="'pooled'"):
        probes.source_features(factory.clip(), scenes, output="logits")
    with pytest.raises(ValueError, match="'center'"):
        probes.source_features(factory.clip(), scenes, crop="left")


def test_a_fault_of_the_encoders_side_is_not_counted_as_bad_data():
    class Broken(data.Scenes):
        never_fails = False

        def load(self, index):
            raise NotImplementedError

        def annotations(self, index):
            return {"id": str(index)}

    with pytest.raises(NotImplementedError):
        probes.source_features(factory.clip(), Broken(size=2))
