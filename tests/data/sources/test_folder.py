"""Folders of images, clean and dirty."""

import os

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
    fixtures.write_images(tmp_path, ["bare.jpg"])
    (tmp_path / "bare.txt").write_bytes(b"")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "d.txt").write_bytes(b"caf\xe9\n" + b"word " * 1000)
    source = data.from_folder(tmp_path, captions="txt")
    assert dict(source.rejected) == {
        "none.jpg": "no caption",
        "blank.jpg": "empty caption",
        "bare.jpg": "empty caption",
        "latin.jpg": "invalid caption",
        "zero.jpg": "empty",
    }
    assert len(source.rejected) == 5 and len(source) == 4
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


def test_rows_that_make_no_sense(tmp_path):
    images = tmp_path / "images"
    write(images)
    table = tmp_path / "captions.jsonl"
    rows = [
        '{"file_name": "cats/a.jpg", "text": ["a cat", 5, null]}',
        '{"file_name": "cats/b.PNG", "text": 5}',
        '{"file_name": ["d.jpg"], "text": "d"}',
        '{"file_name": "d.jpg"}',
        '{"file_name": "dogs/c.JPEG", "text": "\\ud800"}',
        "[" * 100_000,
    ]
    table.write_text("\n".join(rows))
    source = data.from_folder(images, captions=table)
    assert source.column("text") == [["a cat"]]
    assert source.rejected == [
        *((f"{table}:{n}", "invalid annotation") for n in (2, 3, 4, 6)),
        ("cats/b.PNG", "no caption"),
        ("d.jpg", "no caption"),
        ("dogs/c.JPEG", "invalid caption"),
    ]
    table.write_text("\n".join(rows[3:4]))
    with pytest.raises(ValueError, match=r"record 1: needs.*\['file_name'\]"):
        data.from_folder(images, captions=table)


def test_a_quote_that_is_never_closed(tmp_path):
    images = tmp_path / "images"
    write(images)
    table = tmp_path / "captions.csv"
    rows = [
        "cats/a.jpg,a cat",
        "cats/b.PNG",
        ",no name",
        'd.jpg,"' + "d " * 2**17,
    ]
    table.write_text("\n".join(["file_name,text", *rows]))
    source = data.from_folder(images, captions=table)
    assert source.column("text") == [["a cat"]]
    assert source.rejected == [
        (f"{table}:3", "invalid annotation"),
        (f"{table}:4", "invalid annotation"),
        ("cats/b.PNG", "no caption"),
        ("d.jpg", "no caption"),
        ("dogs/c.JPEG", "no caption"),
    ]


def test_names_that_are_no_utf8(tmp_path):
    write(tmp_path)
    name = os.fsencode(tmp_path) + b"/x\xff.jpg"
    try:
        with open(name, "wb") as stream:
            stream.write(fixtures.jpeg(0))
    except OSError:
        pytest.skip("This file system takes no such name.")
    source = data.from_folder(tmp_path)
    assert len(source) == 5
    fixtures.check_load(source)
    quarantine = data.Quarantine(tmp_path / "run", budget=1.0)
    quarantine.add(source[4]["id"], "corrupt")
    again = data.Quarantine(tmp_path / "run")
    again.add(source[4]["id"], "corrupt")
    assert len(quarantine.file.read_text().splitlines()) == 1


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
