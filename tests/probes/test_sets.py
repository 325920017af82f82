"""The splits that tasks are measured on."""

import json

import numpy as np
import pytest
from PIL import Image

from keras_ab import probes
from keras_ab.data.specs import open_source
from tests.findings import makers

MAKERS = "tests.findings.makers"


def ids(source):
    return [source.annotations(i)["id"] for i in range(len(source))]


@pytest.mark.parametrize("name", ["scenes", "objects", "video"])
def test_built_in_sets(name):
    splits = probes.open_splits(name, 6, 4)
    assert (len(splits.train), len(splits.test)) == (6, 4)
    assert splits.name == name
    assert not set(ids(splits.train)) & set(ids(splits.test))
    assert "train" in ids(splits.train)[0] and "test" in ids(splits.test)[0]
    # What an encoder of the default seed was trained on is not among it.
    pictures = {
        r["image"].tobytes() for r in map(splits.train.__getitem__, range(6))
    }
    usual = open_source(name).source
    assert not pictures & {usual[i]["image"].tobytes() for i in range(6)}
    small = probes.open_splits(name, 6, 4, image_size=32)
    assert small.test[0]["image"].shape == (32, 32, 3)


def test_of_video_one_frame_a_clip():
    splits = probes.open_splits("video", 6, 4)
    assert [splits.test[i]["clip"] for i in range(4)] == [0, 1, 2, 3]


def test_a_function_makes_both_splits():
    splits = probes.open_splits(f"{MAKERS}:flat", 6, 4)
    assert (len(splits.train), len(splits.test)) == (6, 4)
    assert splits.name == "flat"
    assert not set(ids(splits.train)) & set(ids(splits.test))
    assert not set(ids(splits.train)) & set(ids(makers.flat(6)))
    (work,) = probes.works.plan([f"classification={MAKERS}:flat"], test_size=3)
    assert work.name == "classification=flat" and len(work.splits.test) == 3
    with pytest.raises(ValueError, match=r"'depth' needs one of"):
        probes.works.plan("depth", f"{MAKERS}:flat", train_size=6, test_size=4)


def save(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((20, 24, 3), value, "uint8")
    Image.fromarray(pixels).save(path)


def test_a_fifth_is_held_out(tmp_path):
    for number in range(10):
        save(tmp_path / "photos" / f"c{number % 2}" / f"{number}.png", number)
    splits = probes.open_splits(tmp_path / "photos", seed=1)
    assert (len(splits.train), len(splits.test)) == (8, 2)
    assert len({*ids(splits.train), *ids(splits.test)}) == 10
    assert splits.name == "photos" and "label" in splits.train.fields
    again = probes.open_splits(tmp_path / "photos", seed=1)
    assert ids(again.test) == ids(splits.test)
    other = [probes.open_splits(tmp_path / "photos", seed=s) for s in (2, 3)]
    assert {*map(tuple, map(ids, [splits.test, *(o.test for o in other)]))} != {
        tuple(ids(splits.test))
    }
    fewer = probes.open_splits(tmp_path / "photos", 3, 1, seed=1)
    assert (len(fewer.train), len(fewer.test)) == (3, 1)
    assert set(ids(fewer.train)) < set(ids(splits.train))
    given = probes.open_splits(tmp_path / "photos", test=tmp_path / "photos")
    assert len(given.train) == len(given.test) == 10


def test_clips_stay_together(tmp_path):
    for clip in range(5):
        for frame in range(3):
            save(tmp_path / f"clip{clip}" / f"frame_{frame:04d}.png", frame)
    splits = probes.open_splits(f"frames:{tmp_path}")
    clips = [
        {source.annotations(i)["clip"] for i in range(len(source))}
        for source in (splits.train, splits.test)
    ]
    assert [len(c) for c in clips] == [4, 1] and not clips[0] & clips[1]
    assert len(splits.test) == 3


def test_coco_as_it_is_published(tmp_path):
    for name, numbers in (("train2017", (1, 2, 3)), ("val2017", (4, 5))):
        images = [
            {"id": n, "file_name": f"{n}.png", "height": 20, "width": 24}
            for n in numbers
        ]
        for n in numbers:
            save(tmp_path / name / f"{n}.png", n)
        boxes = [
            {"id": n, "image_id": n, "bbox": [2, 2, 9, 9], "category_id": 7}
            for n in numbers
        ]
        texts = [{"id": n, "image_id": n, "caption": "a cat"} for n in numbers]
        folder = tmp_path / "annotations"
        folder.mkdir(exist_ok=True)
        categories = [{"id": 7, "name": "cat"}]
        common = {"images": images, "categories": categories}
        (folder / f"instances_{name}.json").write_text(
            json.dumps({**common, "annotations": boxes})
        )
        (folder / f"captions_{name}.json").write_text(
            json.dumps({"images": images, "annotations": texts})
        )
    splits = probes.open_splits(f"coco:{tmp_path}")
    assert (len(splits.train), len(splits.test)) == (3, 2)
    assert splits.name == "coco" and splits.test.class_names == ["cat"]
    assert {"boxes", "classes", "text"} <= splits.train.fields
    for file in (tmp_path / "annotations").iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError, match="instances_train2017.json"):
        probes.open_splits(f"coco:{tmp_path}")


def test_epic_as_it_is_published(tmp_path):
    rows = {"train": "P01_01", "validation": "P02_01"}
    header = (
        "narration_id,participant_id,video_id,narration_timestamp,"
        "start_timestamp,stop_timestamp,start_frame,stop_frame,narration,verb,"
        "verb_class,noun,noun_class,all_nouns,all_noun_classes"
    )
    for split, video in rows.items():
        for frame in range(1, 6):
            save(tmp_path / video / f"frame_{frame:010d}.png", frame)
        row = (
            f"{video}_0,{video[:3]},{video},0,00:00:00,00:00:01,1,5,"
            "take cup,take,0,cup,1,['cup'],[1]"
        )
        (tmp_path / f"EPIC_100_{split}.csv").write_text(f"{header}\n{row}\n")
    (tmp_path / "EPIC_100_verb_classes.csv").write_text(
        "id,key,instances,category\n0,take,[],a\n1,put,[],a\n"
    )
    splits = probes.open_splits(f"epic:{tmp_path}")
    assert (len(splits.train), len(splits.test)) == (1, 1)
    record = splits.test.annotations(0)
    assert (record["verb"], record["noun"], record["frame"]) == (0, 1, 3)
    assert splits.test.verb_names == ["take", "put"]


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: probes.open_splits("nowhere"), OSError, "nowhere"),
        (lambda: probes.open_splits("scenes", 0), ValueError, "train_size"),
        (
            lambda: probes.open_splits("scenes", 3, 3, colour=1),
            ValueError,
            "colour",
        ),
        (
            lambda: probes.open_splits(f"{MAKERS}:without_split", 3, 3),
            ValueError,
            r"without_split takes \(size=20\).*'split'",
        ),
        (
            lambda: probes.open_splits(f"{MAKERS}:the_same_again", 3, 3),
            ValueError,
            "other records for `split='test'`",
        ),
        (
            lambda: probes.open_splits("visor:nowhere", 3, 3),
            FileNotFoundError,
            "no module 'visor'.*Accepted: a folder",
        ),
    ],
)
def test_what_cannot_be_opened(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_set_that_is_not_prepared_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="tfds build food101"):
        probes.open_splits("food101", data_dir=tmp_path)
