"""Presets that are not what they should be: refused, and nothing is run."""

import io
import json
import pathlib
import tarfile
import zipfile

import h5py
import keras
import numpy as np
import pytest

from keras_ab import presets
from keras_ab.presets.budget import weight_budget
from tests.models import factory

RAN = []


class Evil:
    """What an attacker would have Keras find."""

    @classmethod
    def from_config(cls, config):
        RAN.append(config)
        return cls()


def run(*args):
    RAN.append(args)


@pytest.fixture(autouse=True)
def nothing_runs():
    RAN.clear()
    yield
    assert not RAN


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("preset") / "a"
    factory.clip().save_to_preset(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def preset(files, tmp_path):
    folder = tmp_path / "inside" / "preset"
    folder.mkdir(parents=True)
    for name, content in files.items():
        if name != "metadata.json":
            (folder / name).write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    yield folder
    assert sorted(tmp_path.rglob("*")) == before


def rewrite(preset, change):
    path = preset / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(change(config) or config))


def refused(preset, match):
    with pytest.raises(presets.PresetError, match=match):
        presets.load(preset)


def put(key, value):
    def change(config):
        config["config"][key] = value

    return change


def lambda_layer():
    layer = keras.layers.Lambda(lambda x: x)
    return keras.saving.serialize_keras_object(layer)


CLASSES = {
    "lambda layer": lambda_layer,
    "lambda": lambda: {
        "class_name": "__lambda__",
        "config": {"value": ["", None, None]},
    },
    "class path": lambda: {
        "module": "tests.presets.test_malice",
        "class_name": "Evil",
        "config": {},
        "registered_name": None,
    },
    "function": lambda: {
        "module": "os",
        "class_name": "function",
        "config": "system",
        "registered_name": "system",
    },
    "private Keras": lambda: {
        "module": "keras.src.layers",
        "class_name": "Dense",
        "config": {"units": 1},
        "registered_name": None,
    },
    "Keras function": lambda: {
        "module": "keras.utils",
        "class_name": "get_file",
        "config": {},
        "registered_name": None,
    },
    "saved graph": lambda: {
        "module": "keras.layers",
        "class_name": "TFSMLayer",
        "config": {"filepath": "/tmp/x"},
        "registered_name": None,
    },
    "borrowed name": lambda: {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {"units": 1},
        "registered_name": "evil>Evil",
    },
    "type": lambda: {
        "class_name": "__typespec__",
        "spec_name": "Evil",
        "module": "tests.presets.test_malice",
        "registered_name": None,
        "config": [],
    },
}


@pytest.mark.parametrize("kind", CLASSES)
def test_classes(preset, kind):
    # As if it were around, for somebody else's reasons.
    with keras.saving.custom_object_scope({"evil>Evil": Evil, "Evil": Evil}):
        for key in ("image_encoder", "tokenizer", "target_rate"):
            rewrite(preset, put(key, [{"deep": CLASSES[kind]()}]))
            refused(preset, "refused|not known")


def test_a_name_in_place_of_a_class(preset):
    with keras.saving.custom_object_scope({"evil>run": run}):
        rewrite(preset, put("tokenizer", "evil>run"))
        refused(preset, "'evil>run', which is not known")


def test_another_model(preset):
    layer = keras.saving.serialize_keras_object(keras.layers.Dense(4))
    rewrite(preset, lambda config: layer)
    refused(preset, 'must describe a model of keras_ab. Received: "Dense"')


def deep(levels):
    value = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "change, match",
    [
        (put("projection_dim", 10**9), "beyond what a model"),
        (put("projection_dim", 5_000_000), "declares more than"),
        (put("surplus", 1), "builds no model"),
        (put("projection_dim", -3), "builds no model"),
        (put("temperature", 0), "builds no model"),
        (put("a", deep(200)), "nested more than 100"),
        (lambda config: {"a": 1}, "must hold the arguments"),
        (lambda config: [1], "must hold an object"),
    ],
)
def test_configurations(preset, change, match):
    rewrite(preset, change)
    refused(preset, match)


@pytest.mark.parametrize(
    "key, value, match",
    [
        # 10 GB of one weight: hidden_dim x 3 hidden_dim.
        ("hidden_dim", 29_000, "declares more than"),
        ("intermediate_dim", 2**26, "declares more than"),
        ("num_layers", 10**6, "beyond what a model"),
        ("image_shape", [10**6, 10**6, 3], "beyond 16,384"),
        ("image_shape", [16_384, 16_384, 3], "numbers of positions"),
    ],
)
def test_sizes_of_encoders(preset, key, value, match):
    def change(config):
        encoder = config["config"]["image_encoder"]["config"]
        encoder[key] = value
        if key == "image_shape":
            encoder["positions"] = "sincos"
            encoder["patch_size"] = [8, 8]
            encoder["hidden_dim"] = 128

    rewrite(preset, change)
    refused(preset, match)


def test_the_budget_is_that_of_all_weights():
    with weight_budget(50):
        keras.layers.Dense(4).build((None, 9))
    add_weight = keras.layers.Layer.add_weight
    with pytest.raises(presets.PresetError), weight_budget(50):
        keras.layers.Dense(4).build((None, 9))
        keras.layers.Dense(2).build((None, 9))
    assert keras.layers.Layer.add_weight is add_weight
    keras.layers.Dense(4).build((None, 90))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\xff"])
def test_what_is_no_json(preset, text):
    (preset / "config.json").write_bytes(text.encode("latin-1"))
    refused(preset, "no JSON")


# Weights.


def weights(preset):
    return preset / "model.weights.h5"


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_cut_short(preset, share):
    content = weights(preset).read_bytes()
    weights(preset).write_bytes(content[: int(share * len(content))])
    refused(preset, "damaged or cut short|declares")


def test_another_kind_of_file(preset):
    weights(preset).write_bytes(b"\x80\x04cos\nsystem\n" * 100)
    refused(preset, "damaged or cut short")


def a_shape(file):
    # Declared, and never written.
    file.create_dataset("evil", shape=(50_000, 50_000), dtype="float32")


def compressed(file):
    file.create_dataset("evil", data=np.zeros(10**6), compression="gzip")


def soft(file):
    file["evil"] = h5py.SoftLink("/encoder")


def external(file):
    file["evil"] = h5py.ExternalLink("/etc/passwd", "/a")


def elsewhere(file):
    file.create_dataset("evil", (4,), "uint8", external=[("/etc/passwd", 0, 4)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "uint8")
    layout[:] = h5py.VirtualSource("/etc/passwd", "a", (4,))
    file.create_virtual_dataset("evil", layout)


def strings(file):
    file.create_dataset("evil", data=["a"], dtype=h5py.string_dtype())


def records(file):
    file.create_dataset("evil", (4,), np.dtype([("a", "f4"), ("b", "i4")]))


def named_type(file):
    file["evil"] = np.dtype("float32")


def circle(file):
    file["evil"] = file["/"]


@pytest.mark.parametrize(
    "change, match",
    [
        (a_shape, "declares shape"),
        (compressed, "declares shape"),
        (soft, "SoftLink"),
        (external, "ExternalLink"),
        (elsewhere, "in other files"),
        (virtual, "in other files"),
        (strings, "no numbers"),
        (records, "no numbers"),
        (named_type, "Datatype"),
        (circle, "nested more than"),
    ],
)
def test_arrays(preset, change, match):
    with h5py.File(weights(preset), "a") as file:
        change(file)
    refused(preset, match)


def test_weights_of_another_model(preset, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "a.weights.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]).save_weights(
        other
    )
    weights(preset).write_bytes(other.read_bytes())
    refused(preset, "declares more than|does not fit")


def test_larger_than_allowed(preset):
    with pytest.raises(presets.PresetError, match="more than the 1,000"):
        presets.load(preset, max_bytes=1000)


# Names and hashes.


def metadata(preset, said):
    (preset / "metadata.json").write_text(json.dumps({"files": said}))


def test_a_wrong_hash(preset, files):
    good = json.loads(files["metadata.json"])["files"]
    bad = {**good["model.weights.h5"], "sha256": "0" * 64}
    path = preset / "metadata.json"
    path.write_text(json.dumps({"files": {"model.weights.h5": bad}}))
    with pytest.raises(presets.PresetError, match="not the file that"):
        presets.load(preset)
    path.write_text(json.dumps({"files": good}))
    presets.load(preset)
    path.unlink()


@pytest.mark.parametrize("name", ["../../evil.h5", "/etc/passwd", "a.pkl"])
def test_names_in_metadata(preset, name):
    metadata(preset, {name: {"bytes": 1, "sha256": ""}})
    with pytest.raises(presets.PresetError, match="no file of a preset"):
        presets.load(preset)
    (preset / "metadata.json").unlink()


NAMES = [
    "../evil.h5",
    "../../model.weights.h5",
    "/tmp/model.weights.h5",
    "a/b/config.json",
    "..\\config.json",
    "evil.pkl",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_names_in_archives(files, tmp_path, ending, name):
    archive = tmp_path / f"a{ending}"
    content = files["model.weights.h5"]
    if ending == ".zip":
        with zipfile.ZipFile(archive, "w") as opened:
            opened.writestr("config.json", files["config.json"])
            opened.writestr(name, content)
    else:
        with tarfile.open(archive, "w") as opened:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    with pytest.raises(presets.PresetError, match="Nothing was written"):
        presets.load(archive)
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_in_archives(tmp_path, kind):
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as opened:
        member = tarfile.TarInfo("config.json")
        member.type, member.linkname = kind, "/etc/passwd"
        opened.addfile(member)
    with pytest.raises(presets.PresetError, match="no regular file"):
        presets.load(archive)


def test_bombs_in_archives(tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("model.weights.h5", bytes(10**7))
    assert pathlib.Path(archive).stat().st_size < 10**5
    with pytest.raises(presets.PresetError, match="more than the 1,000,000"):
        presets.load(archive, max_bytes=10**6)
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(presets.PresetError, match="damaged"):
        presets.load(archive)
