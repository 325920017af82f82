"""Pictures of the page: read when they are asked for, and what is refused."""

import numpy as np
import pytest

pytest.importorskip("dash")

from PIL import Image

from keras_ab import data
from keras_ab.explore import Gallery
from keras_ab.explore.gallery import HELD
from tests.explore.asked import url


class Counted(data.Source):
    """Scenes, and how often they were asked for."""

    def __init__(self, size):
        self.scenes, self.asked = data.Scenes(size=size), []

    def __len__(self):
        return len(self.scenes)

    def __getitem__(self, index):
        self.asked.append(index)
        return self.scenes[index]

    @property
    def fields(self):
        return self.scenes.fields


def test_few_pictures_are_held():
    source = Counted(HELD + 4)
    gallery = Gallery(source)
    assert len(gallery.offered) == HELD + 4
    source.asked.clear()
    pictures = [gallery[key] for key in gallery.offered]
    for key, picture in zip(gallery.offered, pictures):
        np.testing.assert_array_equal(picture, source.scenes[int(key)]["image"])
    source.asked.clear()
    gallery[gallery.offered[-1]]
    assert source.asked == []
    gallery[gallery.offered[0]]
    assert source.asked == [0]


def test_dropped_pictures_are_held_encoded():
    gallery = Gallery(data.Scenes(size=1))
    white = Image.new("RGB", (2000, 2000), "white")
    key = gallery.drop("white.png", url(white, "PNG"))
    kept = gallery._dropped[key][1]
    assert isinstance(kept, bytes) and len(kept) < 100_000
    assert (gallery[key] == 255).all()
    assert gallery[key].shape == (2000, 2000, 3)


def test_captions_of_any_kind():
    image = np.zeros((8, 8, 3), "uint8")
    given = ["a cup", ["a car", "red"], [], "", "a cup"]
    records = [
        {"image": image, "id": str(i), "text": text}
        for i, text in enumerate(given)
    ]
    gallery = Gallery(Listed(records))
    assert gallery.captions == ["a cup", "a car"]
    assert len(gallery.offered) == 5


class Listed(data.Source):
    """Records as they are."""

    fields = frozenset({"image", "id", "text"})

    def __init__(self, records):
        self.records = records

    def __len__(self):
        return len(self.records)

    def __getitem__(self, index):
        return self.records[index]


def test_too_large_a_picture():
    gallery = Gallery(data.Scenes(size=1))
    # A bit a pixel: few bytes, many pixels.
    large = Image.new("1", (10_000, 9_000))
    with pytest.raises(ValueError, match="too large.*89 million pixels"):
        gallery.drop("large.png", url(large, "PNG"))
    huge = Image.new("1", (20_000, 10_000))
    with pytest.raises(ValueError, match="too large.*89 million pixels"):
        gallery.drop("huge.png", url(huge, "PNG"))


def test_a_file_that_has_gone(tmp_path):
    for number in range(HELD + 1):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{number}.png")
    gallery = Gallery(data.from_folder(tmp_path))
    gallery["0"]
    (tmp_path / "0.png").unlink()
    gallery["0"]
    for key in gallery.offered[1:]:
        gallery[key]
    with pytest.raises(ValueError, match="missing"):
        gallery["0"]
