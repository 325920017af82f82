"""Folders of images, clean and dirty."""

import pytest

from keras_ab import data
from tests.data.sources import fixtures


def write(path):
    fixtures.write_images(
        path, ["cats/a.jpg", "cats/b.PNG", "dogs/c.JPEG", "d.jpg"]
    )
    (path / "cats/a.txt").write_bytes(b"\xef\xbb\xbf a  cat\r\n\n animal\n")
    (path / "cats/b.TXT").write_text("another\tcat")
    (path / "dogs/c.txt").write_text("a dog")
    (path / "d.txt").write_text("d")


def test_records(tmp_path):
    write(tmp_path)
    source = data.from_folder(tmp_path, captions="txt", labels="folders")
    assert [source[i]["id"] for i in range(len(source))] == [
        "cats/a.jpg",
        "cats/b.PNG",
        "d.jpg",
        "dogs/c.JPEG",
    ]
    assert source.column("text")[:2] == [["a cat", "animal"], ["another cat"]]
    assert source.class_names == sorted({tmp_path.name, "cats", "dogs"})
    assert source.class_names[source[3]["label"]] == "dogs"
    assert source.fields == {"image", "id", "text", "label"}
    assert source.rejected == []
    fixtures.check_load(source)


def test_dirt(tmp_path):
    write(tmp_path)
    fixtures.write_images(tmp_path, ["none.jpg", "blank.jpg", "latin.jpg"])
    (tmp_path / "zero.jpg").write_bytes(b"")
    (tmp_path / "blank.txt").write_text(" \n\t\n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "d.txt").write_bytes(b"caf\xe9\n" + b"word " * 1000)
    source = data.from_folder(tmp_path, captions="txt")
    assert dict(source.rejected) == {
        "none.jpg": "no caption",
        "blank.jpg": "empty caption",
        "latin.jpg": "invalid caption",
        "zero.jpg": "empty",
    }
    assert len(source.rejected) == 4 and len(source) == 4
    text = source[source.column("id").index("d.jpg")]["text"]
    assert text == [" ".join(["word"] * 200)]


def test_what_becomes_of_images_without_captions(tmp_path):
    write(tmp_path)
    (tmp_path / "d.txt").unlink()
    kept = data.from_folder(tmp_path, captions="txt", missing_captions="keep")
    assert kept.column("text")[2] == [] and kept.rejected == []
    fixtures.check_load(kept)
    with pytest.raises(ValueError, match=r"1 of 4.*d\.jpg: no caption"):
        data.from_folder(tmp_path, captions="txt", missing_captions="error")
    with pytest.raises(ValueError, match="missing_captions.*'drop'"):
        data.from_folder(tmp_path, captions="txt", missing_captions="drop")


def test_tables(tmp_path):
    images = tmp_path / "images"
    write(images)
    table = tmp_path / "captions.jsonl"
    table.write_bytes(
        b'{"file_name": "cats/a.jpg", "text": ["a cat", " "]}\n'
        b'{"file_name": "cats/a.jpg", "text": "the same"}\n'
        b"{broken\n"
        b'{"file_name": "gone.jpg", "text": "gone"}\n'
        b'{"file_name": "d.jpg", "text": "\xff"}\n'
    )
    source = data.from_folder(images, captions=table)
    assert source.column("text") == [["a cat", "the same"]]
    assert dict(source.rejected) == {
        f"{table}:3": "invalid annotation",
        "gone.jpg": "missing",
        "d.jpg": "invalid caption",
        "cats/b.PNG": "no caption",
        "dogs/c.JPEG": "no caption",
    }


def test_a_file_that_has_gone(tmp_path):
    write(tmp_path)
    source = data.from_folder(tmp_path)
    (tmp_path / "d.jpg").unlink()
    with pytest.raises(data.BadRecord) as error:
        source[2]
    assert (error.value.reason, error.value.id) == ("missing", "d.jpg")
    (tmp_path / "cats/a.jpg").write_bytes(b"")
    with pytest.raises(data.BadRecord, match=r"cats/a\.jpg: empty"):
        source[0]


def test_a_remote_folder():
    fixtures.write_remote("ram://folder/x/a.jpg", fixtures.jpeg(1))
    fixtures.write_remote("ram://folder/x/a.txt", b"remote")
    source = data.from_folder("ram://folder", captions="txt")
    assert source[0] == {
        "id": "x/a.jpg",
        "text": ["remote"],
        "image": fixtures.jpeg(1),
    }
    fixtures.check_load(source)


def test_a_link_to_a_folder_above(tmp_path):
    write(tmp_path)
    (tmp_path / "cats/again").symlink_to(tmp_path, target_is_directory=True)
    assert len(data.from_folder(tmp_path)) == 4
