"""COCO's format, clean and dirty."""

import json

import numpy as np
import pytest

from keras_ab import data
from tests.data.sources import fixtures


def write(path, instances=(), captions=None, count=3, **extra):
    """A data set of images 0.jpg, 1.jpg, ..., 30 high and 40 wide."""
    names = [f"{i}.jpg" for i in range(count)]
    fixtures.write_images(path / "images", names)
    content = {
        "images": [
            {"id": 10 + i, "file_name": name, "height": 30, "width": 40}
            for i, name in enumerate(names)
        ],
        "categories": [{"id": 90, "name": "cup"}, {"id": 7, "name": "dog"}],
        "annotations": [
            {
                "id": n,
                "image_id": 10 + image,
                "category_id": category,
                "bbox": box,
                "iscrowd": crowd,
            }
            for n, (image, category, box, crowd) in enumerate(instances)
        ],
        **extra,
    }
    (path / "instances.json").write_text(json.dumps(content))
    if captions is not None:
        rows = [{"image_id": 10 + i, "caption": c} for i, c in captions]
        content = {"images": content["images"], "annotations": rows}
        (path / "captions.json").write_text(json.dumps(content))


INSTANCES = [
    (0, 90, [4, 3, 20, 15], 0),
    (0, 7, [0, 0, 40.4, 30], 1),
    (2, 7, [10, 0, 10, 30], 0),
]


def test_boxes(tmp_path):
    write(tmp_path, INSTANCES)
    source = data.from_coco(tmp_path / "instances.json", tmp_path / "images")
    assert source.class_names == ["dog", "cup"]
    assert source.category_ids == [7, 90]
    record = source[0]
    assert record["id"] == "0.jpg" and record["image_id"] == 10
    np.testing.assert_allclose(
        record["boxes"], [[0.1, 0.1, 0.6, 0.6], [0, 0, 1, 1]], rtol=1e-6
    )
    assert record["boxes"].dtype == "float32"
    assert record["classes"].tolist() == [1, 0]
    assert record["crowd"].tolist() == [False, True]
    assert source[1]["boxes"].shape == (0, 4)
    assert source[1]["classes"].shape == (0,)
    assert source.rejected == [] and "text" not in source.fields
    fixtures.check_load(source)
    alone = data.from_coco(
        tmp_path / "instances.json", tmp_path / "images", crowds="drop"
    )
    assert alone[0]["classes"].tolist() == [1]


def test_captions(tmp_path):
    write(tmp_path, INSTANCES, [(0, " a  cup"), (0, "cup"), (2, "a dog")])
    both = [tmp_path / "instances.json", tmp_path / "captions.json"]
    source = data.from_coco(both, tmp_path / "images")
    assert source.column("text") == [["a cup", "cup"], ["a dog"]]
    assert source.rejected == [("1.jpg", "no caption")]
    assert source[1]["boxes"].tolist() == [[0, 0.25, 1, 0.5]]
    fixtures.check_load(source)
    alone = data.from_coco(both[1], tmp_path / "images")
    assert alone.fields == {"image", "id", "image_id", "text"}


def test_dirt(tmp_path):
    instances = [
        (0, 90, [4, 3, 20, 15], 0),
        (1, 90, [30, 3, 20, 15], 0),
        (2, 8, [4, 3, 20, 15], 0),
        (3, 90, [4, 3, 0, 15], 0),
        (4, 90, [4, 3, float("nan"), 15], 0),
        (5, 90, [4, 3, 20], 0),
        (6, 90, [-5, 3, 20, 15], 0),
        (99, 90, [4, 3, 20, 15], 0),
    ]
    write(tmp_path, instances, count=9)
    (tmp_path / "images/7.jpg").unlink()
    (tmp_path / "images/8.jpg").write_bytes(b"")
    source = data.from_coco(tmp_path / "instances.json", tmp_path / "images")
    assert source.column("id") == ["0.jpg"]
    assert sorted(source.rejected) == [
        ("1.jpg", "box outside image"),
        ("2.jpg", "undeclared category"),
        ("3.jpg", "empty box"),
        ("4.jpg", "empty box"),
        ("5.jpg", "invalid annotation"),
        ("6.jpg", "box outside image"),
        ("7.jpg", "missing"),
        ("8.jpg", "empty"),
        ("annotation 7", "undeclared image"),
    ]
    assert {reason for _, reason in source.rejected} <= set(
        data.records.REASONS
    )


def test_rows_that_make_no_sense(tmp_path):
    write(tmp_path, count=8)
    file = tmp_path / "instances.json"
    content = json.loads(file.read_text())
    image, category = content["images"][0], content["categories"][0]
    box = {"bbox": [4, 3, 20, 15], "category_id": category["id"]}
    content["images"] = [
        {**image, "id": i, "file_name": f"{i}.jpg"} for i in range(4)
    ]
    content["images"] += [
        {"id": 4, "height": 30, "width": 40},
        {**image, "id": 5, "file_name": "5.jpg", "width": 0},
        {**image, "id": 6, "file_name": "6.jpg", "height": "30"},
        {**image, "id": [7], "file_name": "7.jpg"},
        "a row",
    ]
    content["categories"] += [{"id": 99}, None]
    content["annotations"] = [
        {"id": 0, "image_id": 0, **box},
        {"id": 1, "image_id": 1, **box, "category_id": [1]},
        {"id": 2, "image_id": 2, **box, "bbox": ["4", "3", "20", "15"]},
        {"id": 3, "image_id": 3, **box, "bbox": [4, 3, -20, 15]},
        {"id": 5, "image_id": 5, **box},
        {"id": [6], "image_id": [0], **box},
        "a row",
    ]
    file.write_text(json.dumps(content))
    source = data.from_coco(file, tmp_path / "images")
    assert source.column("id") == ["0.jpg"]
    assert sorted(source.rejected) == [
        ("1.jpg", "undeclared category"),
        ("2.jpg", "invalid annotation"),
        ("3.jpg", "empty box"),
        ("5.jpg", "invalid annotation"),
        ("6.jpg", "invalid annotation"),
        ("7.jpg", "invalid annotation"),
        ("annotation 5", "invalid annotation"),
        ("annotation 6", "invalid annotation"),
        (f"categories[{len(content['categories']) - 2}]", "invalid annotation"),
        (f"categories[{len(content['categories']) - 1}]", "invalid annotation"),
        ("images[4]", "invalid annotation"),
        ("images[8]", "invalid annotation"),
    ]
    content["annotations"] = None
    file.write_text(json.dumps(content))
    assert len(data.from_coco(file, tmp_path / "images")) == 4


def test_captions_that_are_no_strings(tmp_path):
    write(tmp_path, count=4)
    file = tmp_path / "instances.json"
    content = json.loads(file.read_text())
    del content["categories"]
    content["annotations"] = [
        {"id": i, "image_id": row["id"], "caption": caption}
        for i, (row, caption) in enumerate(
            zip(content["images"], ["a cat", None, 5, "\ud800"])
        )
    ]
    file.write_text(json.dumps(content))
    source = data.from_coco(file, tmp_path / "images")
    assert source.column("text") == [["a cat"]]
    assert sorted(source.rejected) == [
        ("1.jpg", "no caption"),
        ("2.jpg", "no caption"),
        ("3.jpg", "invalid caption"),
        ("annotation 2", "invalid annotation"),
    ]


def test_duplicate_and_unsafe_images(tmp_path):
    image = {"id": 1, "height": 30, "width": 40}
    rows = [
        {**image, "file_name": "0.jpg"},
        {**image, "file_name": "1.jpg"},
        {**image, "id": 2, "file_name": "../secret.jpg"},
    ]
    write(tmp_path, count=2, images=rows)
    source = data.from_coco(tmp_path / "instances.json", tmp_path / "images")
    assert source.column("id") == ["0.jpg"]
    assert source.rejected == [
        ("1.jpg", "duplicate key"),
        ("../secret.jpg", "unsafe name"),
    ]


def test_karpathy(tmp_path):
    write(tmp_path, INSTANCES)
    splits = {
        "images": [
            {"cocoid": 10 + i, "split": s, "sentences": [{"raw": f"no {i} "}]}
            for i, s in enumerate(["test", "train", "restval"])
        ]
    }
    file = tmp_path / "dataset_coco.json"
    file.write_text(json.dumps(splits))
    arguments = (tmp_path / "instances.json", tmp_path / "images", file)
    source = data.from_coco(*arguments, split="train+restval")
    assert source.column("text") == [["no 1"], ["no 2"]]
    with pytest.raises(ValueError, match=r"'restval'.*Received: 'valid'"):
        data.from_coco(*arguments, split="valid")
    with pytest.raises(ValueError, match="go together"):
        data.from_coco(*arguments)


def test_images_in_folders_below(tmp_path):
    write(tmp_path, INSTANCES)
    (tmp_path / "images/val2014").mkdir()
    moved = tmp_path / "images/val2014/2.jpg"
    (tmp_path / "images/2.jpg").rename(moved)
    source = data.from_coco(tmp_path / "instances.json", tmp_path / "images")
    assert source.rejected == []
    assert source[2]["image"] == moved.read_bytes()


def test_wrong_files(tmp_path):
    write(tmp_path)
    images = tmp_path / "images"
    (tmp_path / "broken.json").write_text('{"images": [')
    (tmp_path / "deep.json").write_text('{"images": ' + "[" * 100_000)
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "keys.json").write_text('{"images": [{"id": 1}]}')
    for name, message in {
        "deep": r"deep\.json is not a JSON",
        "broken": r"broken\.json is not a JSON",
        "list": r"list\.json must be.*'images'",
        "keys": r"keys\.json: images\[0\] needs \['file_name'",
    }.items():
        with pytest.raises(ValueError, match=message):
            data.from_coco(tmp_path / f"{name}.json", images)
    with pytest.raises(ValueError, match="must be a folder"):
        data.from_coco(tmp_path / "instances.json", tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=r"crowds.*'some'"):
        data.from_coco(tmp_path / "instances.json", images, crowds="some")
