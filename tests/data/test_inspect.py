"""The command that looks through a data set, on dirty ones."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_ab import data
from keras_ab.data import inspect_command
from keras_ab.data.specs import open_source
from keras_ab.data.survey import look_through
from tests.data.sources.fixtures import write_images
from tests.data.sources.fixtures import write_tar
from tests.reference import dirty_sets

WRITERS = {
    "folder": dirty_sets.write_folder,
    "webdataset": dirty_sets.write_tars,
    "coco": dirty_sets.write_coco,
}


@pytest.fixture(scope="module", params=list(WRITERS))
def dirty(request, tmp_path_factory):
    """Kind, path, and what is good and bad of each dirty set."""
    folder = tmp_path_factory.mktemp("dirty") / request.param
    good, bad = WRITERS[request.param](folder)
    place = folder / "instances.json" if request.param == "coco" else folder
    return request.param, place, good, bad


def files_below(folder):
    return {
        path: path.stat().st_mtime_ns
        for path in pathlib.Path(folder).rglob("*")
        if path.is_file()
    }


def inspect(*arguments):
    return inspect_command.main(["inspect", *map(str, arguments)])


def test_every_bad_record_is_named(dirty, tmp_path, capsys):
    kind, place, good, bad = dirty
    before = files_below(place.parent)
    output = tmp_path / "out"
    status = inspect(
        *(place, "--output", output, "--json", tmp_path / "report.json"),
        *("--seconds", 0.2, "--image-size", 32),
    )
    assert status == 0
    report = json.loads((tmp_path / "report.json").read_text())
    found = {r["id"]: r["reason"] for r in report["quarantined"]}
    assert found == bad
    assert len(report["quarantined"]) == len(bad)
    assert report["kind"] == kind
    assert report["usable"] == len(good)
    assert report["records"] == len(good) + len(bad)
    assert report["views_per_second"] > 0
    rate = report["views_per_second"]
    assert report["steps_per_second"]["256"] == pytest.approx(rate / 256)
    # Nothing is written but where it may be.
    assert files_below(place.parent) == before
    listed = (output / "quarantine.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in listed] == report["quarantined"]
    with Image.open(output / "contact_sheet.png") as sheet:
        assert sheet.width > 500 and sheet.height > 8 * 150
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) < 80
    for id, reason in bad.items():
        assert f"{reason} (" in printed
        if list(bad.values()).count(reason) <= inspect_command.SHOWN:
            assert f"  {id}\n" in printed


def test_a_pass_of_the_pipeline_finds_the_same(dirty, tmp_path):
    _, place, good, bad = dirty
    source = open_source(place, tmp_path / "indices").source
    quarantine = data.Quarantine(tmp_path, budget=1.0)
    options = {"image_size": 8, "quarantine": quarantine}
    # An epoch and some more, in batches that do not divide it.
    steps = -(-len(source) // 7)
    stream = data.value_batches(source, batch_size=7, num_views=2, **options)
    for batch in stream.take(steps).as_numpy_iterator():
        assert batch["value"]["image"].shape == (7, 2, 8, 8, 3)
        boxes = batch["value"]["boxes"]
        assert boxes.min() >= 0 and boxes.max() <= 1
        assert (boxes[..., 2:] > boxes[..., :2]).all()
    assert {r["id"]: r["reason"] for r in quarantine.records} == bad
    ids = {source.annotations(i)["id"] for i in range(len(source))}
    assert ids - set(bad) | (good & ids) == good
    if "text" not in source.fields:
        return
    # Twice the words of a caption reach the tokenizer, cleaned.
    texts = {source.annotations(i)["text"][0] for i in range(len(source))}
    assert "two cats" in texts and max(map(len, texts)) <= 1000
    tokenizer = data.WordTokenizer.from_texts(texts)
    stream = data.reward_batches(source, tokenizer, batch_size=7, **options)
    for batch in stream.take(steps).as_numpy_iterator():
        assert (batch["reward"]["text"] != 0).any(1).all()
    assert {r["id"]: r["reason"] for r in quarantine.records} == bad


def test_good_ones_are_all_used_and_used_rightly(dirty, tmp_path):
    """Each good image comes as PIL shows it, by its own id."""
    _, place, good, _ = dirty
    source = open_source(place, tmp_path).source
    survey = look_through(source)
    part = source.subset(survey.usable)
    stream = data.value_batches(
        part, 16, len(part), num_views=2, area=(1.0, 1.0), sample=whole
    )
    (batch,) = stream.take(1).as_numpy_iterator()
    indices = data.sample_indices(part, 0, 0, len(part), "value")
    seen = set()
    for index, views in zip(indices, batch["value"]["image"]):
        record = part[int(index)]
        seen.add(record["id"])
        expected = by_pil(record["image"])
        assert abs(views[0].astype(int) - expected).mean() < 1.0, record["id"]
    assert seen == good


def whole(seed, num_views, shape):
    """Views of the whole image."""
    import tensorflow as tf

    box = tf.concat([[0, 0], shape], 0)
    return tf.tile(box[None], [num_views, 1]), tf.zeros((num_views, 4))


def by_pil(content):
    import io

    from PIL import ImageOps

    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    if image.mode.startswith("I"):
        # PIL's own conversion cuts off at 255.
        pixels = np.asarray(image).astype(int) >> 8
        image = Image.fromarray(pixels.astype("uint8"))
    image = image.convert("RGB").resize((16, 16), Image.Resampling.BILINEAR)
    return np.asarray(image)


def test_over_budget_stops(dirty, tmp_path):
    _, place, _, _ = dirty
    source = open_source(place, tmp_path).source
    with pytest.raises(Exception, match="BudgetError|over the budget") as info:
        for _ in data.value_batches(source, 8, 4).take(20):
            pass
    assert "Commonest reasons" in str(info.value)


CASES = {
    "nothing": (2, "There is no path"),
    "empty": (1, "is empty"),
    "bad": (1, ""),
    "good": (0, ""),
}


@pytest.mark.parametrize("name", CASES)
def test_exit_statuses(name, tmp_path, capsys):
    """Nothing there, nothing in it, all of it bad, and good."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/a.jpg").write_bytes(b"<html>")
    write_images(tmp_path / "good", ["a.jpg", "b.png"])
    report = tmp_path / "new/report.json"
    expected, message = CASES[name]
    try:
        status = inspect(tmp_path / name, "--json", report, "--seconds", 0)
    except SystemExit as error:
        status = error.code
    assert status == expected
    said = capsys.readouterr()
    assert message in " ".join(said.err.split())
    assert max(map(len, said.err.splitlines()), default=0) < 120
    assert report.exists() == (status != 2)
    if status == 2:
        return
    found = json.loads(report.read_text())
    records = {"empty": 0, "bad": 1, "good": 2}[name]
    assert found["records"] == records
    assert found["usable"] == records * (name == "good")
    reasons = [r["reason"] for r in found["quarantined"]]
    assert reasons == ["not an image"] * (name == "bad")
    assert found["views_per_second"] is None


def test_the_program(tmp_path):
    command = [sys.executable, "-m", "keras_ab.data", "inspect"]
    run = subprocess.run(
        [*command, str(tmp_path / "none")], capture_output=True, text=True
    )
    assert run.returncode == 2 and "There is no path" in run.stderr
    assert "Traceback" not in run.stderr


def test_what_a_path_is_taken_for(tmp_path):
    write_images(tmp_path / "plain", ["a.jpg", "b.png"])
    write_images(tmp_path / "classes", ["cat/a.jpg", "dog/b.jpg"])
    frames = [f"P01/frame_{i:010d}.jpg" for i in range(3)]
    write_images(tmp_path / "frames", frames)
    write_images(tmp_path / "table", ["a.jpg"])
    row = {"file_name": "a.jpg", "text": "a cat"}
    (tmp_path / "table/metadata.jsonl").write_text(json.dumps(row))
    jpeg = (tmp_path / "plain/a.jpg").read_bytes()
    caption = json.dumps({"caption": "a dog"}).encode()
    shard = tmp_path / "shards/0.tar"
    write_tar(shard, [("0.jpg", jpeg), ("0.json", caption)])
    write_tar(tmp_path / "clips/P01.tar", [("frame_0000000001.jpg", jpeg)])
    found = {
        name: open_source(tmp_path / name)
        for name in ("plain", "classes", "frames", "table", "shards", "clips")
    }
    found["tar"] = open_source(shard)
    found["pattern"] = open_source(f"{tmp_path}/shards/{{0..0}}.tar")
    found["said"] = open_source(f"webdataset:{shard}", captions=None)
    kinds = {name: spec.kind for name, spec in found.items()}
    assert kinds == {
        "plain": "folder",
        "classes": "folder",
        "frames": "frames",
        "table": "folder",
        "shards": "webdataset",
        "clips": "frames",
        "tar": "webdataset",
        "pattern": "webdataset",
        "said": "webdataset",
    }
    assert found["plain"].source.fields == {"image", "id"}
    assert found["classes"].source.class_names == ["cat", "dog"]
    assert found["table"].source[0]["text"] == ["a cat"]
    for name in ("shards", "tar", "pattern"):
        assert found[name].source[0]["text"] == ["a dog"]
    assert "text" not in found["said"].source.fields
    assert open_source("video", clips=2, frames=2).kind == "video"


def test_parquet_and_its_name(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    write_images(tmp_path / "plain", ["a.jpg"])
    image = {"bytes": (tmp_path / "plain/a.jpg").read_bytes(), "path": "a.jpg"}
    table = pyarrow.table({"image": [image, image], "text": ["a", "b"]})
    (tmp_path / "rows").mkdir()
    parquet.write_table(table, tmp_path / "rows/0.parquet")
    for place in (tmp_path / "rows", tmp_path / "rows/0.parquet"):
        spec = open_source(place, captions="text")
        assert spec.kind == "parquet" and spec.source[1]["text"] == ["b"]


WRONG = {
    "nothing": ("no_such_thing", {}, FileNotFoundError, "kind:place"),
    "option": ("scenes", {"colour": 1}, ValueError, r"size.*\['colour'\]"),
    "file": (__file__, {}, ValueError, r"\.json.*test_inspect"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_specs(name):
    spec, options, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        open_source(spec, **options)


def test_a_limit_is_spread_evenly(tmp_path, capsys):
    write_images(tmp_path, [f"{i}.jpg" for i in range(9)])
    survey = look_through(data.from_folder(tmp_path), limit=3)
    assert survey.usable == [0, 3, 6]
    assert inspect(tmp_path, "--limit", 2, "--seconds", 0) == 0
    assert "2 of 9" in capsys.readouterr().out


def test_boxes_on_the_sheet_are_those_of_the_crops(tmp_path):
    """Each crop of a flat picture has its colours inside its box alone."""
    from keras_ab.data import contact_sheet

    file = contact_sheet.contact_sheet(
        data.Scenes(size=3), tmp_path / "new/sheet.png", images=2, num_views=2
    )
    pixels = np.asarray(Image.open(file))
    for colour in contact_sheet.COLOURS[:2]:
        value = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        rows, columns = (pixels == value).all(-1).nonzero()
        # On the originals at the left, and around the crops at the right.
        assert columns.min() < contact_sheet.WIDE < columns.max()
        assert len(rows) > 500
