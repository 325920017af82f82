"""The built-in objects keep their promises."""

import numpy as np
import pytest

from keras_ab import data
from keras_ab.data import scenes
from keras_ab.data.objects import sample_object
from keras_ab.data.scenes.layout import TEXTURES

COUNT = 150


@pytest.fixture(scope="module")
def records():
    source = data.Objects(size=COUNT)
    return [source[i] for i in range(COUNT)]


def test_a_record_is_a_function_of_its_index(records):
    again = data.Objects(size=COUNT + 5)
    for index in (7, 3, 149):
        record = again[index]
        np.testing.assert_array_equal(record["image"], records[index]["image"])
        assert record["text"] == records[index]["text"]


def test_splits_and_seeds_differ(records):
    for other in (
        data.Objects(size=4, split="test"),
        data.Objects(size=4, seed=1),
    ):
        assert (other[0]["image"] != records[0]["image"]).any()


def test_records(records):
    assert set(records[0]) == data.Objects().fields
    for record in records:
        assert record["image"].shape == (96, 96, 3)
        assert record["image"].dtype == np.uint8
        boxes = record["boxes"]
        assert boxes.shape == (len(record["classes"]), 4)
        assert (boxes >= 0).all() and (boxes <= 1).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        # The object comes first, near the middle, largest, and alone of its
        # class.
        assert record["classes"][0] == record["label"]
        assert (record["classes"][1:] != record["label"]).all()
        middle = (boxes[0, :2] + boxes[0, 2:]) / 2
        assert (np.abs(middle - 0.5) < 0.2).all()
        sides = (boxes[:, 2:] - boxes[:, :2]).max(1)
        assert sides[0] > 0.4 and (sides[1:] < 0.3).all()


def test_law():
    sides, labels, colours, clutter = [], [], [], []
    for seed in range(1000):
        main, *others = sample_object(np.random.default_rng(seed)).things
        y0, x0, y1, x1 = main.box()
        sides.append(max(y1 - y0, x1 - x0))
        labels.append(main.index)
        colours.append(main.colour)
        clutter.append(len(others))
    assert 0.4499 < min(sides) < 0.48 and 0.77 < max(sides) < 0.8001
    assert np.bincount(labels).min() > 12  # 33 expected
    assert set(clutter) == {0, 1, 2, 3}
    # A colour says nothing about the class.
    table = np.zeros((len(scenes.CLASSES), len(scenes.COLOURS)))
    np.add.at(table, (labels, colours), 1)
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    chi_square = ((table - expected) ** 2 / expected).sum()
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    assert chi_square < freedom + 4 * np.sqrt(2 * freedom)


def test_captions_tell_the_truth(records):
    colours = list(scenes.COLOURS)
    for record in records:
        name = scenes.CLASSES[record["label"]]
        colour = colours[record["colours"][0]]
        first, *others = record["text"]
        _, told, *texture, noun = first.split()
        assert (told, noun) == (colour, name)
        assert not texture or texture[0] in TEXTURES[1:]
        for caption in others:
            words = caption.split()
            assert words[-1] == name
            assert set(words) <= {*first.split(), "a", "an", "big"}


def test_options():
    source = data.Objects(size=2, image_size=32, captions=False)
    assert source[1]["image"].shape == (32, 32, 3)
    assert "text" not in source[0] and "text" not in source.fields
    assert len(source.prompts()) == len(source.class_names)
    with pytest.raises(IndexError):
        source[2]
    with pytest.raises(ValueError, match="Received: 'val'"):
        data.Objects(split="val")
