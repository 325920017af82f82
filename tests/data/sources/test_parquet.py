"""Hugging Face data sets on disk."""

import json
import pickle

import numpy as np
import pytest

parquet = pytest.importorskip(
    "pyarrow.parquet", reason="pyarrow is not installed"
)

import pyarrow

from keras_ab import data
from tests.data.sources import fixtures

FEATURES = {
    "image": {"_type": "Image"},
    "label": {"_type": "ClassLabel", "names": ["cat", "dog"]},
    "texts": {"feature": {"dtype": "string", "_type": "Value"}},
}


def table(start=0, rows=6, features=FEATURES, **columns):
    images = [
        {"bytes": fixtures.jpeg(start + i), "path": f"{i}.jpg"}
        for i in range(rows)
    ]
    content = {
        "image": images,
        "label": [i % 2 for i in range(rows)],
        "texts": [[f" number  {start + i}", "an image"] for i in range(rows)],
        **columns,
    }
    made = pyarrow.table(content)
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    return made.replace_schema_metadata(about)


def write(path, content, rows=2):
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(content, path, row_group_size=rows)


def test_records(tmp_path):
    write(tmp_path / "train-0.parquet", table())
    write(tmp_path / "train-1.parquet", table(start=6, rows=5))
    source = data.from_parquet(tmp_path, captions="texts", labels="label")
    assert len(source) == 11 and source.class_names == ["cat", "dog"]
    assert source[9] == {
        "image": fixtures.jpeg(9),
        "id": "train-1/3",
        "text": ["number 9", "an image"],
        "label": 1,
    }
    # In an order that leaves and enters row groups.
    for index in (10, 0, 5, 9, 1, 10):
        assert source[index]["image"] == fixtures.jpeg(index)
    assert len(source._held) <= 4
    assert source.rejected == []
    fixtures.check_load(source)
    assert pickle.loads(pickle.dumps(source))[7] == source[7]
    one = data.from_parquet(f"{tmp_path}/*-1.parquet")
    assert len(one) == 5 and one.fields == {"image", "id"}


def test_save_to_disk(tmp_path):
    file = tmp_path / "set/data-00000-of-00001.arrow"
    file.parent.mkdir()
    with pyarrow.ipc.new_stream(str(file), table().schema) as writer:
        writer.write_table(table(), max_chunksize=4)
    (tmp_path / "set/state.json").write_text("{}")
    source = data.from_parquet(tmp_path / "set", captions="texts")
    assert [source[i]["image"] for i in (5, 0, 3)] == [
        fixtures.jpeg(i) for i in (5, 0, 3)
    ]
    assert source[5]["id"] == "data-00000-of-00001/5"
    assert source.column("text")[5] == ["number 5", "an image"]


def test_dirt(tmp_path):
    images = [
        {"bytes": fixtures.jpeg(0), "path": None},
        {"bytes": None, "path": "beside.jpg"},
        {"bytes": None, "path": "../outside.jpg"},
        {"bytes": None, "path": None},
        {"bytes": b"", "path": None},
        {"bytes": fixtures.jpeg(5), "path": None},
    ]
    texts = [["a"], ["b"], ["c"], ["d"], ["e"], [" ", None]]
    labels = [0, 1, 0, 1, 0, 1]
    folder = tmp_path / "set"
    content = table(image=images, texts=texts, label=labels)
    write(folder / "a.parquet", content)
    (folder / "b.parquet").write_bytes((folder / "a.parquet").read_bytes()[:99])
    (folder / "beside.jpg").write_bytes(fixtures.jpeg(1))
    (tmp_path / "outside.jpg").write_bytes(fixtures.jpeg(2))
    source = data.from_parquet(folder, captions="texts", labels="label")
    assert source.rejected == [
        (str(folder / "b.parquet"), "unreadable"),
        ("a/5", "empty caption"),
    ]
    assert source[1]["image"] == fixtures.jpeg(1)
    reasons = {}
    for index in (2, 3, 4):
        with pytest.raises(data.BadRecord) as error:
            source[index]
        reasons[error.value.id] = error.value.reason
    assert reasons == {
        "a/2": "unsafe name",
        "a/3": "missing",
        "a/4": "empty",
    }


def test_strings_that_are_no_utf8(tmp_path):
    offsets = np.array([0, 3, 6], "int32")
    texts = pyarrow.StringArray.from_buffers(
        2, pyarrow.py_buffer(offsets), pyarrow.py_buffer(b"abc\xff\xfed")
    )
    images = [{"bytes": fixtures.jpeg(0), "path": None}] * 2
    content = pyarrow.table({"image": pyarrow.array(images), "text": texts})
    parquet.write_table(content, tmp_path / "a.parquet")
    source = data.from_parquet(tmp_path, captions="text")
    assert source.column("text") == [["abc"]]
    assert source.rejected == [("a/1", "invalid caption")]


def test_a_damaged_page(tmp_path):
    file = tmp_path / "a.parquet"
    parquet.write_table(table(), file, row_group_size=3, compression="none")
    content = bytearray(file.read_bytes())
    about = parquet.ParquetFile(file).metadata.row_group(1)
    for number in range(about.num_columns):
        column = about.column(number)
        start = column.dictionary_page_offset or column.data_page_offset
        content[start : start + 16] = b"\xff" * 16
    file.write_bytes(content)
    source = data.from_parquet(file)
    assert source[2]["image"] == fixtures.jpeg(2)
    with pytest.raises(data.BadRecord, match=r"a/3: unreadable"):
        source[3]
    source = data.from_parquet(file, captions="texts", labels="label")
    assert source.column("id") == ["a/0", "a/1", "a/2"]
    assert source.rejected == [(f"a/{i}", "unreadable") for i in (3, 4, 5)]


def test_labels_that_are_missing(tmp_path):
    write(tmp_path / "a.parquet", table(label=[0, None, 1, 1, None, 0]))
    source = data.from_parquet(tmp_path, captions="texts", labels="label")
    assert source.column("label") == [0, 1, 1, 0]
    assert source.column("text")[1][0] == "number 2"
    assert source[1]["image"] == fixtures.jpeg(2)
    assert source.rejected == [
        ("a/1", "invalid annotation"),
        ("a/4", "invalid annotation"),
    ]


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match=r"`path` must be a parquet file"):
        data.from_parquet(tmp_path)
    write(tmp_path / "a.parquet", table())
    with pytest.raises(ValueError, match=r"`captions`.*'texts'.*'text'"):
        data.from_parquet(tmp_path, captions="text")
    with pytest.raises(ValueError, match=r"`image`.*Received: 'picture'"):
        data.from_parquet(tmp_path, image="picture")
    with pytest.raises(ValueError, match=r"must be local.*gs://x"):
        data.from_parquet("gs://x/a.parquet")
    plain = pyarrow.table({"a": [1], "b": [b"x"]})
    parquet.write_table(plain, tmp_path / "b.parquet")
    with pytest.raises(ValueError, match=r"`image`.*\['a', 'b'\]"):
        data.from_parquet(tmp_path / "b.parquet")
    assert data.from_parquet(tmp_path / "b.parquet", image="b")[0] == {
        "image": b"x",
        "id": "b/0",
    }
