"""Tar shards, clean and dirty."""

import json
import tarfile

import pytest

from keras_ab import data
from keras_ab.data.sources import tars
from tests.data.sources import fixtures


def sample(key, caption="a caption", seed=None):
    image = fixtures.jpeg(int(key[-1]) if seed is None else seed)
    text = caption if isinstance(caption, bytes) else caption.encode()
    return [
        (f"{key}.jpg", image),
        (f"{key}.txt", text),
        (f"{key}.json", json.dumps({"caption": f"json {key}"}).encode()),
    ]


def write(path, keys="012"):
    fixtures.write_tar(path, [m for key in keys for m in sample(key)])
    return path


def test_records(tmp_path):
    for shard in range(3):
        write(tmp_path / f"0000{shard}.tar", f"{shard}5")
    source = data.from_webdataset(
        f"{tmp_path}/{{00000..00002}}.tar", captions="txt"
    )
    assert source.column("id") == [
        f"0000{shard}/{key}" for shard in range(3) for key in (shard, 5)
    ]
    assert source[2]["image"] == fixtures.jpeg(1)
    assert source[2]["text"] == ["a caption"]
    assert source.rejected == []
    fixtures.check_load(source)
    again = data.from_webdataset(f"{tmp_path}/*.tar", captions="json")
    assert again.column("text")[:2] == [["json 0"], ["json 5"]]
    assert len(data.from_webdataset(f"{tmp_path}/{{00000,00002}}.tar")) == 4
    below = data.from_webdataset(tmp_path)
    assert below.column("id") == source.column("id")


def test_the_index_is_used_and_renewed(tmp_path, monkeypatch):
    shard = write(tmp_path / "a.tar")
    scans = []
    scan = tars._scan
    monkeypatch.setattr(tars, "_scan", lambda *a: scans.append(a) or scan(*a))
    assert len(data.from_webdataset(shard)) == 3
    assert (tmp_path / "a.tar.index.json").is_file()
    assert len(data.from_webdataset(shard)) == 3 and len(scans) == 1
    write(shard, "0123")
    assert len(data.from_webdataset(shard)) == 4 and len(scans) == 2
    (tmp_path / "a.tar.index.json").write_text('{"version":')
    assert len(data.from_webdataset(shard)) == 4 and len(scans) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "a.tar",
        "a.tar.index.json",
    ]


def test_an_index_elsewhere(tmp_path):
    shard = write(tmp_path / "shards/a.tar")
    data.from_webdataset(shard, index_folder=tmp_path / "indices")
    assert [p.name for p in (tmp_path / "shards").iterdir()] == ["a.tar"]
    assert len(list((tmp_path / "indices").iterdir())) == 1
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match="a.tar cannot be kept"):
        source = data.from_webdataset(shard, index_folder=tmp_path / "file")
    assert len(source) == 3


def test_dirt(tmp_path):
    members = [
        *sample("0"),
        *sample("1")[:1],
        *sample("2")[1:],
        ("3.jpg", b""),
        ("3.txt", b"nothing"),
        *sample("4", b"\xff\xfe"),
        *sample("5", " \n "),
        *sample("0", "another", seed=9),
        *sample("../6"),
        *sample("/7"),
        *sample("./sub/8", "cut  to\n\n size"),
    ]
    fixtures.write_tar(tmp_path / "d.tar", members)
    with tarfile.open(tmp_path / "d.tar", "a") as tar:
        link = tarfile.TarInfo("9.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    source = data.from_webdataset(tmp_path / "d.tar", captions="txt")
    assert source.column("id") == ["d/0", "d/sub/8"]
    assert source.column("text") == [["a caption"], ["cut to", "size"]]
    assert source[0]["image"] == fixtures.jpeg(0)
    assert sorted(source.rejected) == [
        ("d/../6.jpg", "unsafe name"),
        ("d/../6.json", "unsafe name"),
        ("d/../6.txt", "unsafe name"),
        ("d//7.jpg", "unsafe name"),
        ("d//7.json", "unsafe name"),
        ("d//7.txt", "unsafe name"),
        ("d/0", "duplicate key"),
        ("d/1", "no caption"),
        ("d/2", "missing"),
        ("d/3", "empty"),
        ("d/4", "invalid caption"),
        ("d/5", "empty caption"),
        ("d/9.jpg", "not a file"),
    ]
    fixtures.check_load(source)


def cuts():
    """Where a tar of three samples is cut, and which of them remain."""
    one = sum(512 + -(-len(c) // 512) * 512 for _, c in sample("0"))
    image = 512 + -(-len(fixtures.jpeg(1)) // 512) * 512
    return {
        "in an image": (one + 900, ["0"], "1"),
        "in a header": (one + image + 100, ["0"], "1"),
        "before a caption": (one + image, ["0"], "1"),
        "in a caption": (one + image + 512 + 4, ["0"], "1"),
        "in an unused member": (one + image + 1024 + 600, ["0", "1"], "c.tar"),
        "between samples": (2 * one, ["0", "1"], "c.tar"),
        "before the end": (3 * one, ["0", "1", "2"], "c.tar"),
    }


@pytest.mark.parametrize("name", cuts())
def test_a_tar_that_is_cut(tmp_path, name):
    size, left, lost = cuts()[name]
    shard = write(tmp_path / "c.tar")
    # All images here have sizes within one block, so offsets are those above.
    shard.write_bytes(shard.read_bytes()[:size])
    source = data.from_webdataset(shard, captions="txt")
    assert source.column("id") == [f"c/{key}" for key in left]
    assert source.rejected == [(f"c/{lost}", "truncated archive")]
    fixtures.check_load(source)


@pytest.mark.parametrize("block", [b"\xde" * 512, bytes(1024)])
def test_a_tar_that_is_damaged_inside(tmp_path, block):
    """As if it ended there, but something follows."""
    shard = write(tmp_path / "c.tar")
    content = shard.read_bytes()
    place = content.index(b"1.jpg")
    content = content[:place] + block + content[place + len(block) :]
    shard.write_bytes(content)
    source = data.from_webdataset(shard, captions="txt")
    assert source.column("id") == ["c/0"]
    assert source.rejected == [("c/c.tar", "truncated archive")]


def test_json_that_makes_no_sense(tmp_path):
    found = [
        b'{"caption": ["a", 5]}',
        b'{"caption": null}',
        b"{}",
        b"[" * 10**5,
    ]
    found += [b'{"caption": 5}', b'{"caption": "\\ud800"}']
    members = []
    for number, content in enumerate(found):
        members.append((f"{number}.jpg", fixtures.jpeg(number)))
        members.append((f"{number}.json", content))
    fixtures.write_tar(tmp_path / "j.tar", members)
    source = data.from_webdataset(tmp_path / "j.tar", captions="json")
    assert source.column("text") == [["a"]]
    assert sorted(source.rejected) == [
        ("j/1", "no caption"),
        ("j/2", "invalid annotation"),
        ("j/3", "invalid annotation"),
        ("j/4", "invalid annotation"),
        ("j/5", "invalid caption"),
    ]


def test_a_sparse_member(tmp_path):
    """Its bytes are not where its size says."""
    write(tmp_path / "s.tar")
    content = bytearray((tmp_path / "s.tar").read_bytes())
    content[156:157] = tarfile.GNUTYPE_SPARSE
    content[257:265] = tarfile.GNU_MAGIC
    content[386:512] = b"0" * 11 + b"\0" + b"0" * 11 + b"\0" + bytes(102)
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    (tmp_path / "s.tar").write_bytes(content)
    source = data.from_webdataset(tmp_path / "s.tar")
    assert source.column("id") == ["s/1", "s/2"]
    assert ("s/0.jpg", "not a file") in source.rejected


def test_shards_that_are_no_tars(tmp_path):
    write(tmp_path / "a.tar")
    (tmp_path / "b.tar").write_bytes(b"")
    (tmp_path / "c.tar").write_bytes(b"no tar at all " * 500)
    source = data.from_webdataset(f"{tmp_path}/*.tar")
    assert len(source) == 3
    assert source.rejected == [
        ("b/b.tar", "empty"),
        ("c/c.tar", "unreadable"),
    ]


def test_labels(tmp_path):
    image = fixtures.jpeg()
    members = [("0.jpg", image), ("0.cls", b"7"), ("1.jpg", image)]
    fixtures.write_tar(
        tmp_path / "l.tar", [*members, ("1.cls", b"x"), ("2.jpg", image)]
    )
    source = data.from_webdataset(tmp_path / "l.tar", labels="cls")
    assert source.column("label") == [7]
    assert source.rejected == [
        ("l/1", "invalid annotation"),
        ("l/2", "invalid annotation"),
    ]


def test_remote_shards(tmp_path):
    local = write(tmp_path / "r.tar")
    fixtures.write_remote("ram://shards/r.tar", local.read_bytes())
    fixtures.write_remote("ram://shards/s.tar", local.read_bytes()[:-11000])
    source = data.from_webdataset("ram://shards/*.tar", captions="txt")
    assert source.column("id")[:3] == ["r/0", "r/1", "r/2"]
    assert source[4]["image"] == fixtures.jpeg(1)
    fixtures.check_load(source)
    # Now from the index beside the shard.
    again = data.from_webdataset("ram://shards/{r,s}.tar", captions="txt")
    assert again.columns == source.columns
    assert again.rejected == source.rejected


def test_wrong_arguments(tmp_path):
    write(tmp_path / "00000.tar")
    with pytest.raises(ValueError, match=r"2 of the 3 shards.*00001\.tar"):
        data.from_webdataset(f"{tmp_path}/{{00000..00002}}.tar")
    with pytest.raises(ValueError, match="captions.*'cap'"):
        data.from_webdataset(f"{tmp_path}/*.tar", captions="cap")
    with tarfile.open(tmp_path / "z.tar", "w:gz") as tar:
        tar.add(tmp_path / "00000.tar", "x")
    with pytest.raises(ValueError, match=r"z\.tar is compressed"):
        data.from_webdataset(tmp_path / "z.tar")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty', without a \.tar"):
        data.from_webdataset(tmp_path / "empty")
    fixtures.write_tar(tmp_path / "e.tar", [("a.txt", b"x")])
    with pytest.raises(ValueError, match="Nothing in.*missing"):
        data.from_webdataset(tmp_path / "e.tar")
