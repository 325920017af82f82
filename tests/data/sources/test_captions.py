"""Captions: cleaned, or made of boxes."""

import re

import numpy as np
import pytest

from keras_ab import data


@pytest.mark.parametrize(
    "captions, expected",
    [
        (" a \t cat\n", ["a cat"]),
        (["", "  ", "a cat"], ["a cat"]),
        ([b"caf\xc3\xa9", b"caf\xe9", "bad \udce9"], ["café"]),
        ("aaa bbb ccc", ["aaa bbb"]),
        ("aaa bbbbb", ["aaa"]),
        ("a" * 20, ["a" * 8]),
        ("aaa bbbb", ["aaa bbbb"]),
        ([], []),
    ],
)
def test_cleaning(captions, expected):
    assert data.clean_captions(captions, max_length=8) == expected


def boxed(count=4):
    boxes = np.array([[0, 0.5, 1, 1], [0.25, 0, 0.5, 0.1]], "float32")
    return data.StoredImages(
        ["none"] * count,
        {
            "id": [str(i) for i in range(count)],
            "boxes": [boxes, boxes[:0], boxes[:1], boxes],
            "classes": [np.array(c) for c in ([1, 0], [], [0], [0, 1])],
            "crowd": [np.array(c) for c in ([0, 0], [], [1], [0, 1])],
        },
        names={"class_names": ["cup", "wild dog"]},
    )


def test_captions_of_boxes():
    source = data.box_captions(boxed(), captions=40, bins=101)
    # Without boxes, or with a crowd alone, there is nothing to say.
    assert [source.annotations(i)["id"] for i in range(2)] == ["0", "3"]
    assert len(source) == 2 and "text" in source.fields
    first, second = "wild dog 0 50 100 100", "cup 25 0 50 10"
    texts = source.annotations(0)["text"]
    assert set(texts) == {f"{first}, {second}", f"{second}, {first}"}
    assert set(source.annotations(1)["text"]) == {"cup 0 50 100 100"}
    single = data.box_captions(boxed(), boxes=1, captions=40, bins=101)
    assert set(single.annotations(0)["text"]) == {first, second}
    again = data.box_captions(boxed(), captions=40, bins=101)
    other = data.box_captions(boxed(), captions=40, bins=101, seed=1)
    assert again.annotations(0)["text"] == texts
    assert other.annotations(0)["text"] != texts


def test_captions_of_scenes_reach_the_pipeline():
    import tensorflow as tf

    source = data.box_captions(data.Scenes(size=3), captions=2)
    loaded = tf.data.Dataset.range(3).map(source.load).as_numpy_iterator()
    for index, record in enumerate(loaded):
        expected = source[index]
        assert (record["image"] == expected["image"]).all()
        assert [t.decode() for t in record["text"]] == expected["text"]
        assert len(expected["text"]) == 2
        for phrase in expected["text"][0].split(", "):
            assert re.fullmatch(r"[\w ]+( \d{1,3}){4}", phrase)


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"`boxes`.*Received: 0"):
        data.box_captions(boxed(), boxes=0)
    with pytest.raises(ValueError, match=r"'boxes' and 'classes'.*'id'"):
        data.box_captions(data.StoredImages(["x"], {"id": ["x"]}))
    nameless = data.StoredImages(
        ["x"], {"id": ["x"], "boxes": [], "classes": []}
    )
    with pytest.raises(ValueError, match="class_names"):
        data.box_captions(nameless)
    with pytest.raises(ValueError, match="No record"):
        data.box_captions(boxed().subset([1, 2]))
