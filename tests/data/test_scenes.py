"""The built-in scenes keep their promises."""

import copy

import numpy as np
import pytest

from keras_ab.data import scenes
from keras_ab.data.scenes.layout import TEXTURES
from keras_ab.data.scenes.render import render

COUNT = 300
GRAMMAR = """a an and big small on under next to left right of above below in
front behind"""
WORDS = {*scenes.CLASSES, *scenes.COLOURS, *TEXTURES, *GRAMMAR.split()}


@pytest.fixture(scope="module")
def records():
    source = scenes.Scenes(size=COUNT)
    return [source[i] for i in range(COUNT)]


def test_a_record_is_a_function_of_its_index(records):
    again = scenes.Scenes(size=COUNT + 5)
    for index in (7, 3, 299):
        record = again[index]
        np.testing.assert_array_equal(record["image"], records[index]["image"])
        assert record["text"] == records[index]["text"]


def test_splits_and_seeds_differ(records):
    for other in (
        scenes.Scenes(size=4, split="test"),
        scenes.Scenes(size=4, seed=1),
    ):
        assert (other[0]["image"] != records[0]["image"]).any()


def test_records(records):
    counts = [record["count"] for record in records]
    assert min(counts) >= 3 and max(counts) <= 10
    assert 4 < np.mean(counts) < 8
    assert len({r["scene_type"] for r in records}) == len(scenes.SCENE_TYPES)
    assert len({r["label"] for r in records}) == len(scenes.CLASSES)
    for record in records:
        assert record["image"].shape == (96, 96, 3)
        boxes = record["boxes"]
        assert boxes.shape == (record["count"], 4)
        assert (boxes >= 0).all() and (boxes <= 1).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        # The main object comes first, and is the largest by far.
        assert record["classes"][0] == record["label"]
        sides = (boxes[:, 2:] - boxes[:, :2]).max(1)
        assert sides[0] > 0.25


def test_boxes_are_where_an_object_changes_pixels():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        layout = scenes.sample_layout(rng)
        state = copy.deepcopy(rng)
        whole, visible = render(layout, 96, copy.deepcopy(state))
        # Painted last, the main object takes no random numbers but its own.
        layout.things[0].colour = (layout.things[0].colour + 5) % 10
        other, _ = render(layout, 96, copy.deepcopy(state))
        changed = (whole != other).any(-1)
        rows, columns = np.nonzero(changed)
        y0, x0, y1, x1 = visible[0][1]
        # Half-covered pixels at the edge are not counted as visible.
        assert rows.min() >= y0 - 2 and rows.max() <= y1 + 1
        assert columns.min() >= x0 - 2 and columns.max() <= x1 + 1
        assert changed[y0:y1, x0:x1].mean() > 0.2


def test_captions_tell_the_truth(records):
    colours, classes = list(scenes.COLOURS), scenes.CLASSES
    for record in records:
        present = {
            (classes[c], colours[k])
            for c, k in zip(record["classes"], record["colours"])
        }
        names = {name for name, _ in present}
        assert scenes.CLASSES[record["label"]] in record["text"][0].split()
        for caption in record["text"]:
            words = caption.replace(",", " ").split()
            assert set(words) <= WORDS, caption
            colour = None
            for word in words:
                if word in colours:
                    colour = word
                elif word in classes:
                    assert word in names, caption
                    assert colour is None or (word, colour) in present, caption
                    colour = None


def test_what_occurs_together_tells_the_scene(records):
    for record in records:
        slots = scenes.SCENE_TYPES[record["scene_type"]].slots
        allowed = {slot.name for slot in slots}
        assert {scenes.CLASSES[c] for c in record["classes"]} <= allowed


def test_something_is_above_and_something_below(records):
    slots = {
        slot.name: slot.high
        for scene in scenes.SCENE_TYPES
        for slot in scene.slots
    }
    assert slots["clock"] and slots["bird"] and not slots["table"]
    for seed in range(300):
        layout = scenes.sample_layout(np.random.default_rng(seed))
        kinds = {
            slot.high
            for thing in layout.things[:2]
            for slot in scenes.SCENE_TYPES[layout.scene_type].slots
            if slot.name == scenes.CLASSES[thing.index]
        }
        assert kinds == {True, False}


def test_things_stand_where_they_belong():
    heights = {"lamp": [], "table": [], "cup": []}
    for seed in range(1500):
        layout = scenes.sample_layout(np.random.default_rng(seed))
        if scenes.SCENE_TYPES[layout.scene_type].name != "kitchen":
            continue
        for thing in layout.things:
            name = scenes.CLASSES[thing.index]
            if name in heights:
                heights[name].append(thing.y)
    means = {name: np.mean(values) for name, values in heights.items()}
    assert means["lamp"] + 0.1 < means["cup"] < means["table"] - 0.01


def test_prompts_and_descriptions():
    assert scenes.Scenes.prompts()[:2] == ["a cup", "a bottle"]
    red = list(scenes.COLOURS).index("red")
    orange = list(scenes.COLOURS).index("orange")
    assert scenes.describe(0, red) == "a red cup"
    assert scenes.describe(0, orange) == "an orange cup"


@pytest.mark.parametrize(
    "config", [{"split": "val"}, {"size": 0}, {"image_size": 8}]
)
def test_wrong_arguments(config):
    with pytest.raises(ValueError, match="Received"):
        scenes.Scenes(**config)


def test_without_captions():
    source = scenes.Scenes(size=2, captions=False)
    assert "text" not in source[0] and "text" not in source.fields
    with pytest.raises(IndexError):
        source[2]
