"""Features in files: all of them, in order, and after a kill too."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_ab import data
from keras_ab import embed as command
from keras_ab import probes
from keras_ab.embed import embed
from tests.models import factory


def records(count, seed=0):
    rng = np.random.default_rng(seed)
    return [
        {
            "image": rng.integers(0, 256, (20, 18, 3), "uint8"),
            "id": f"photo {i} é",
        }
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def encoder():
    return probes.FrozenEncoder(factory.abclip(target_rate=0.1))


@pytest.mark.parametrize("features", ["pooled", "tokens"])
@pytest.mark.parametrize("kind", ["npz", "parquet"])
def test_files(encoder, tmp_path, kind, features):
    source = data.MemorySource(records(11))
    path = tmp_path / f"a.{kind}"
    told = []
    about = embed(
        encoder,
        source,
        path,
        features,
        part_size=4,
        progress=lambda *count: told.append(count),
    )
    expected = probes.source_features(encoder, source, features)
    values, ids, indices, said = read(path)
    np.testing.assert_allclose(
        values.reshape(expected.values.shape), expected.values, atol=1e-5
    )
    assert values.dtype == np.float32
    assert ids == expected.ids == [f"photo {i} é" for i in range(11)]
    np.testing.assert_array_equal(indices, np.arange(11))
    assert said == about and about["encoder"] == encoder.describe()
    assert about["shape"] == list(expected.values.shape[1:])
    assert about["skipped"] == {"count": 0, "ids": []}
    assert told == [(4, 11), (8, 11), (11, 11)]
    # No parts stay.
    assert os.listdir(tmp_path) == [path.name]


def read(path):
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as found:
            about = json.loads(str(found["about"]))
            return (
                found["features"],
                found["ids"].tolist(),
                found["indices"],
                about,
            )
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"about"])
    features = table["features"].combine_chunks()
    values = features.flatten().to_numpy().reshape(len(table), -1)
    return values, table["id"].to_pylist(), table["index"].to_numpy(), about


def test_networks_differ(encoder, tmp_path):
    model = factory.abclip(target_rate=0.1)
    # As training would.
    model.online.set_weights([w + 0.1 for w in model.online.get_weights()])
    source = data.MemorySource(records(3))
    values = []
    for network in ("online", "target"):
        one = probes.FrozenEncoder(model, network=network)
        about = embed(one, source, tmp_path / "a.npz")
        assert about["encoder"]["branch"] == network
        values.append(read(tmp_path / "a.npz")[0])
    assert abs(values[0] - values[1]).max() > 1e-3


def test_it_goes_on(encoder, tmp_path, monkeypatch):
    source = data.MemorySource(records(10))
    original = command.source_features
    calls = []

    def failing(*args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(command, "source_features", failing)
    path = tmp_path / "a.npz"
    with pytest.raises(KeyboardInterrupt):
        embed(encoder, source, path, part_size=3)
    assert not path.exists()
    parts = sorted((tmp_path / "a.npz.parts").glob("*.npz"))
    assert len(parts) == 2
    # One of them was cut in the middle.
    parts[1].write_bytes(parts[1].read_bytes()[:-40])
    calls.clear()
    monkeypatch.setattr(command, "source_features", original)
    seen = []

    def counted(*args):
        seen.append(args[1].indices.tolist())
        return original(*args)

    monkeypatch.setattr(command, "source_features", counted)
    embed(encoder, source, path, part_size=3)
    assert seen == [[3, 4, 5], [6, 7, 8], [9]]
    embed(encoder, source, tmp_path / "whole.npz", part_size=3)
    for one, other in zip(read(path)[:3], read(tmp_path / "whole.npz")[:3]):
        np.testing.assert_array_equal(one, other)


def test_parts_of_another_model_do_not_count(encoder, tmp_path, monkeypatch):
    source, path = data.MemorySource(records(4)), tmp_path / "a.npz"
    original, calls = command.source_features, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(command, "source_features", interrupted)
    with pytest.raises(KeyboardInterrupt):
        embed(encoder, source, path, part_size=2)
    monkeypatch.setattr(command, "source_features", original)
    other = factory.abclip(target_rate=0.1)
    other.set_weights([w + 0.1 for w in other.get_weights()])
    embed(other, source, path, part_size=2)
    expected = probes.source_features(other, source).values
    np.testing.assert_allclose(read(path)[0], expected, atol=1e-5)


def test_a_folder_in_the_way_is_left_alone(encoder, tmp_path):
    folder = tmp_path / "a.npz.parts"
    folder.mkdir()
    (folder / "diary.txt").write_text("mine")
    with pytest.raises(ValueError, match="in the way"):
        embed(encoder, data.MemorySource(records(2)), tmp_path / "a.npz")
    assert (folder / "diary.txt").read_text() == "mine"


def photos(folder, good, bad):
    folder.mkdir()
    for i, record in enumerate(records(good)):
        Image.fromarray(record["image"]).save(folder / f"{i}.png")
    for i in range(bad):
        (folder / f"bad{i}.png").write_bytes(b"nothing")
    return data.from_folder(folder)


def test_bad_records_are_left_out(encoder, tmp_path):
    source = photos(tmp_path / "photos", 3, 2)
    about = embed(encoder, source, tmp_path / "a.npz", part_size=1)
    values, ids, indices, _ = read(tmp_path / "a.npz")
    assert len(values) == len(ids) == 3
    assert about["skipped"] == {"count": 2, "ids": ["bad0.png", "bad1.png"]}
    assert [source.annotations(int(i))["id"] for i in indices] == ids


def test_nothing_can_be_read(encoder, tmp_path):
    source = photos(tmp_path / "photos", 0, 2)
    with pytest.raises(ValueError, match="None of the 2.*bad0"):
        embed(encoder, source, tmp_path / "a.npz")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"output": "a.csv"}, "npz or .parquet.*a.csv"),
        ({"features": "logits"}, "'logits'"),
        ({"crop": "left"}, "'left'"),
        ({"part_size": 0}, "`part_size`.*0"),
    ],
)
def test_what_is_not_accepted(encoder, tmp_path, arguments, message):
    given = {"output": "a.npz", **arguments}
    given["output"] = tmp_path / given["output"]
    with pytest.raises(ValueError, match=message):
        embed(encoder, data.MemorySource(records(2)), **given)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    factory.abclip(target_rate=0.1).save(folder / "mine.keras")
    return folder / "mine.keras"


def test_the_command(saved, tmp_path, capsys):
    photos(tmp_path / "photos", 3, 1)
    # Images that have no caption count too.
    (tmp_path / "photos" / "0.txt").write_text("a photo")
    output = tmp_path / "a.parquet"
    status = command.main(
        [
            str(saved),
            str(tmp_path / "photos"),
            "--output",
            str(output),
            "--network",
            "online",
            "--features",
            "tokens",
            "--json",
            str(tmp_path / "said" / "a.json"),
        ]
    )
    assert status == 0
    shown = capsys.readouterr().out
    assert "3 x 4 x 32" in shown and "skipped 1, such as bad0.png" in shown
    said = json.loads((tmp_path / "said" / "a.json").read_text())
    assert said == read(output)[3]
    assert said["encoder"]["name"] == "mine"
    assert said["encoder"]["branch"] == "online"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["nowhere.keras", "scenes"], "no model 'nowhere.keras'"),
        (["MODEL", "nowhere"], "no path 'nowhere'"),
        (["MODEL", "scenes", "--option", "size=0"], "`size`"),
        (["MODEL", "scenes", "--layer", "99"], "99"),
    ],
)
def test_the_command_says_what_is_wrong(
    saved, tmp_path, capsys, arguments, message
):
    arguments = [str(saved) if a == "MODEL" else a for a in arguments]
    with pytest.raises(SystemExit) as caught:
        command.main([*arguments, "--output", str(tmp_path / "a.npz")])
    assert caught.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error


@pytest.mark.slow
def test_a_kill(saved, tmp_path):
    arguments = [
        sys.executable,
        "-m",
        "keras_ab.embed",
        str(saved),
        "scenes",
        "--option",
        "size=6000",
        "--output",
        str(tmp_path / "a.npz"),
    ]
    process = subprocess.Popen(arguments)
    parts = tmp_path / "a.npz.parts"
    while process.poll() is None and not list(parts.glob("*.npz")):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    first = sorted(parts.glob("*.npz"))[0]
    written = first.stat().st_mtime_ns
    assert not (tmp_path / "a.npz").exists() and written
    subprocess.run(arguments, check=True)
    values, ids, indices, _ = read(tmp_path / "a.npz")
    assert len(values) == 6000 and len(set(ids)) == 6000
    np.testing.assert_array_equal(indices, np.arange(6000))
