"""Video as frames, with EPIC-Kitchens' and VISOR's annotations."""

import json

import numpy as np
import pytest

from keras_ab import data
from tests.data.sources import fixtures

HEAD = "narration_id,video_id,narration,start_frame,stop_frame"
HEAD += ",verb_class,noun_class\n"


def write(path, frames=9):
    """Two videos in folders and one in a tar, as EPIC lays them."""
    names = [f"frame_{i:010d}.jpg" for i in range(1, frames + 1)]
    for video in ("P01/rgb_frames/P01_01", "P02/rgb_frames/P02_101"):
        fixtures.write_images(path / video, names, size=(8, 8))
    members = [(f"./{n}", fixtures.jpeg(i)) for i, n in enumerate(names)]
    fixtures.write_tar(path / "P03/rgb_frames/P03_02.tar", members)
    return path


def test_all_frames(tmp_path):
    source = data.from_frames(write(tmp_path), every=4)
    assert source.column("id") == [
        f"{clip}/{frame}"
        for clip in ("P01_01", "P02_101", "P03_02")
        for frame in (1, 5, 9)
    ]
    assert source[4]["clip"] == "P02_101" and source[4]["frame"] == 5
    assert source[7]["image"] == fixtures.jpeg(4)
    fixtures.check_load(source)
    few = data.from_frames(tmp_path, clips=["P03_02"])
    assert set(few.column("clip")) == {"P03_02"} and len(few) == 9
    fixtures.check_load(few)
    folders = data.from_frames(tmp_path / "P01")
    assert folders.parts is None and len(folders) == 9


def test_actions(tmp_path):
    write(tmp_path)
    table = tmp_path / "EPIC_100_train.csv"
    table.write_text(
        HEAD
        + "P01_01_0,P01_01, open  door,2,6,3,5\n"
        + "P03_02_1,P03_02,take cup,4,9,0,7\n"
        + "P03_02_2,P03_02,take cup,40,90,0,7\n"
        + "P09_01_0,P09_01,take cup,4,9,0,7\n"
        + "P01_01_3,P01_01,take cup,4,x,0,7\n"
        + "P01_01_0,P01_01,take cup,4,9,0,7\n"
    )
    source = data.from_frames(tmp_path, annotations=table)
    assert source.column("id") == ["P01_01_0", "P03_02_1"]
    record = source[0]
    assert (
        record["image"]
        == (
            tmp_path / "P01/rgb_frames/P01_01/frame_0000000004.jpg"
        ).read_bytes()
    )
    record.pop("image")
    assert record == {
        "id": "P01_01_0",
        "clip": "P01_01",
        "frame": 4,
        "verb": 3,
        "noun": 5,
        "text": ["open door"],
    }
    assert dict(source.rejected) == {
        "P03_02_2": "missing",
        "P09_01_0": "missing",
        "P01_01_3": "invalid annotation",
        "P01_01_0": "duplicate key",
    }
    fixtures.check_load(source)
    several = data.from_frames(tmp_path, annotations=table, every=2)
    assert several.column("id") == [
        *(f"P01_01_0/{frame}" for frame in (2, 4, 6)),
        *(f"P03_02_1/{frame}" for frame in (4, 6, 8)),
    ]


def test_names_of_classes(tmp_path):
    write(tmp_path)
    verbs = tmp_path / "EPIC_100_verb_classes.csv"
    verbs.write_text("id,key,category\n0,take,x\n2,open,y\n")
    source = data.from_frames(tmp_path, verb_classes=verbs)
    assert source.verb_names == ["take", "class 1", "open"]
    verbs.write_text("number,key\n0,take\n")
    with pytest.raises(ValueError, match="'id' and 'key'.*number"):
        data.from_frames(tmp_path, verb_classes=verbs)


def visor_entry(frame, *things, video="P01_01"):
    name = f"{video}_frame_{frame:010d}.jpg"
    return {
        "image": {"name": name, "video": video},
        "annotations": [
            {"name": "thing", "class_id": c, "segments": s} for c, s in things
        ],
    }


def test_visor(tmp_path):
    names = [f"P01_01_frame_{i:010d}.jpg" for i in range(1, 6)]
    fixtures.write_images(tmp_path / "train/P01_01", names)
    square = [[192, 108], [384, 108], [384, 540.0], [192, 540]]
    point = [[960, 1080]]
    outside = [[0, 0], [1930, 0], [100, 100]]
    document = {
        "info": {},
        "video_annotations": [
            visor_entry(1, (11, [square]), (300, [square, point]), (2, [])),
            visor_entry(2, (11, [outside])),
            visor_entry(3),
            visor_entry(8, (11, [square])),
            {"image": {"name": "P01_01_frame_0000000004.jpg"}},
        ],
    }
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/P01_01.json").write_text(json.dumps(document))
    source = data.from_frames(
        tmp_path / "train", annotations=tmp_path / "annotations"
    )
    assert source.column("id") == [names[0], names[2]]
    np.testing.assert_allclose(
        source[0]["boxes"],
        [[0.1, 0.1, 0.5, 0.2], [0.1, 0.1, 1, 0.5]],
        rtol=1e-6,
    )
    assert source[0]["classes"].tolist() == [11, 300]
    assert source[1]["boxes"].shape == (0, 4)
    reasons = [reason for _, reason in source.rejected]
    assert reasons == [
        "box outside image",
        "missing",
        "invalid annotation",
    ]
    assert source.rejected[0][0] == names[1]
    fixtures.check_load(source)


def test_a_split_shares_no_video(tmp_path):
    names = [f"frame_{i:010d}.jpg" for i in range(3)]
    for video in range(10):
        fixtures.write_images(tmp_path / f"v{video}", names, size=(4, 4))
    source = data.from_frames(tmp_path)
    train, test = data.split_by(source, "clip", 0.3, seed=1)
    clips = [
        {part.annotations(i)["clip"] for i in range(len(part))}
        for part in (train, test)
    ]
    assert len(train) == 21 and len(test) == 9
    assert len(clips[0]) == 7 and len(clips[1]) == 3
    assert not clips[0] & clips[1]
    again = data.split_by(source, "clip", 0.3, seed=1)[1]
    other = data.split_by(source, "clip", 0.3, seed=2)[1]
    assert (again.indices == test.indices).all()
    assert (other.indices != test.indices).any()
    with pytest.raises(ValueError, match="same 'clip'"):
        data.split_by(test.subset([0, 1]))
    with pytest.raises(ValueError, match=r"`key`.*'clip'.*Received: 'video'"):
        data.split_by(source, "video")


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match="No frame below"):
        data.from_frames(tmp_path)
    write(tmp_path)
    with pytest.raises(ValueError, match="`every`.*Received: 0"):
        data.from_frames(tmp_path, every=0)
    with pytest.raises(ValueError, match=r"`clips`.*\['P07_01'\]"):
        data.from_frames(tmp_path, clips=["P01_01", "P07_01"])
    with pytest.raises(ValueError, match="no folder"):
        data.from_frames(tmp_path / "elsewhere")
    table = tmp_path / "a.csv"
    table.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"a\.csv needs.*video_id"):
        data.from_frames(tmp_path, annotations=table)
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ValueError, match=r"a\.json must be.*VISOR"):
        data.from_frames(tmp_path, annotations=tmp_path / "a.json")
