"""Presets: what is saved is what is opened, wherever it lies."""

import json
import shutil
import socket
import sys
import tarfile
import types
import zipfile

import keras
import numpy as np
import pytest

import keras_ab
from keras_ab import presets
from keras_ab.presets import catalogue
from keras_ab.presets import command
from keras_ab.presets import shipped
from tests.models import factory


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "mine"
    factory.abclip().save_to_preset(folder)
    return folder


@pytest.fixture
def preset(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "mine")


def check_equal(model, again):
    """Two models hold the same and do the same."""
    assert again.get_config() == model.get_config()
    assert set(factory.weights(model)) == set(factory.weights(again))
    for path, value in factory.weights(model).items():
        np.testing.assert_array_equal(factory.weights(again)[path], value)
    images = factory.batch()["reward"]["image"]
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(again.reward(images, ["w1", "w2"])),
        keras.ops.convert_to_numpy(model.reward(images, ["w1", "w2"])),
        atol=1e-6,
    )


def test_a_preset_opens_as_it_was(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("no network")

    monkeypatch.setattr(socket, "socket", refuse)
    model = factory.abclip()
    # The two networks are told apart.
    model.online.set_weights([w + 1 for w in model.online.get_weights()])
    model.save_to_preset(tmp_path / "a")
    check_equal(model, presets.load(tmp_path / "a"))
    # A folder that holds a preset may be written again.
    model.compile("adamw")
    model.save_to_preset(tmp_path / "a", card="# mine")
    again = presets.load(tmp_path / "a")
    check_equal(model, again)
    assert not again.compiled
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == [
        "README.md",
        "config.json",
        "metadata.json",
        "model.weights.h5",
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]


def test_files_are_those_of_kerashub(preset):
    config = json.loads((preset / "config.json").read_text())
    assert config["registered_name"] == "keras_ab>ABCLIP"
    assert "compile_config" not in json.dumps(config)
    metadata = json.loads((preset / "metadata.json").read_text())
    assert {"keras_version", "parameter_count", "date_saved", "tasks"} <= set(
        metadata
    )
    assert metadata["keras_ab_version"] == keras_ab.__version__


def test_what_is_no_preset_is_not_overwritten(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.png").write_text("")
    (tmp_path / "file").write_text("")
    for place in ("photos", "file"):
        with pytest.raises(FileExistsError, match="Nothing was written"):
            factory.clip().save_to_preset(tmp_path / place)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "photos"]


def test_without_weights(preset):
    model = presets.load(preset, load_weights=False)
    (preset / "model.weights.h5").unlink()
    again = presets.load(preset, load_weights=False)
    assert again.get_config() == model.get_config()
    with pytest.raises(FileNotFoundError, match=r"lacks model\.weights\.h5"):
        presets.load(preset)


def test_overrides(preset):
    model = presets.load(preset, gamma=0.25, dtype="mixed_bfloat16")
    assert model.online.objective("value").gamma == 0.25
    assert model.encoder.blocks[0].compute_dtype == "bfloat16"
    assert model.encoder.blocks[0].mlp.expand.kernel.dtype == "float32"
    with pytest.raises(ValueError, match=r"no arguments \['gama'\]"):
        presets.load(preset, gama=0.25)


def test_own_classes_must_be_named(tmp_path):
    @keras.saving.register_keras_serializable(package="elsewhere")
    class MyCLIP(keras_ab.models.CLIP):
        pass

    model = MyCLIP(
        factory.image_encoder(),
        factory.text_encoder(),
        factory.tokenizer(),
        projection_dim=8,
    )
    model.save_to_preset(tmp_path / "a")
    with pytest.raises(presets.PresetError, match="'MyCLIP'.*not known"):
        presets.load(tmp_path / "a")
    again = presets.load(tmp_path / "a", custom_objects={"MyCLIP": MyCLIP})
    assert type(again) is MyCLIP


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_archives(preset, tmp_path, ending):
    archive = tmp_path / f"mine{ending}"
    if ending == ".zip":
        shutil.make_archive(tmp_path / "mine", "zip", preset)
    else:
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(preset, "mine")
    assert presets.load(archive).get_config() == (
        presets.load(preset).get_config()
    )


def test_there_is_no_such_preset(tmp_path):
    with pytest.raises(FileNotFoundError, match="Accepted: a name"):
        presets.load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="lacks config.json"):
        presets.load(tmp_path)


# Configurations.


def test_every_method_has_every_size():
    rows = {row["name"]: row for row in presets.list() if not row["weights"]}
    assert len(rows) == 40
    assert {row["size"] for row in rows.values()} == {
        "Ti/16",
        "S/16",
        "B/16",
        "L/16",
    }
    named = {
        type_.__name__.lower()
        for type_ in vars(keras_ab.models).values()
        if isinstance(type_, type)
    }
    assert {row["method"] for row in rows.values()} <= named


@pytest.mark.parametrize("method", catalogue.METHODS)
def test_a_configuration_builds(method):
    overrides = {"decoder": "test"} if method[:2] == "ab" else {}
    if method == "mae":
        overrides = {"decoder_dim": 32, "decoder_layers": 1}
    if method == "ijepa":
        overrides = {"predictor_dim": 32, "predictor_layers": 1}
    if "dino" in method or method == "silc":
        overrides |= {"num_prototypes": 8, "head_dims": (8,)}
    if "simclr" in method:
        overrides |= {"hidden_dims": (8,)}
    if method == "slip":
        overrides |= {"ssl_hidden_dims": (8,)}
    if catalogue.METHODS[method].reads_text:
        overrides |= {"tokenizer": factory.tokenizer()}
    model = catalogue.build(
        method, "test", image_shape=(32, 32, 3), patch_size=8, **overrides
    )
    assert type(model) is catalogue.METHODS[method].model
    assert model.encoder.hidden_dim == 32
    with pytest.raises(ValueError, match="no arguments"):
        catalogue.build(method, "test", no_such=1)


def test_a_configuration_has_no_weights():
    small = {"image_shape": (32, 32, 3)}
    with pytest.warns(UserWarning, match="without weights"):
        model = presets.load("simclr_ti16", hidden_dims=(8,), **small)
    assert model.encoder.hidden_dim == 192
    texts = presets.load(
        "clip_ti16", load_weights=False, tokenizer=factory.tokenizer(), **small
    )
    text = texts.online.objective("reward").text_encoder
    assert (text.vocabulary_size, text.num_layers) == (factory.VOCABULARY, 12)
    with pytest.raises(presets.PresetError, match="declares more than"):
        presets.load("clip_ti16", load_weights=False, max_bytes=10**6)


# Hubs.


def hubs(monkeypatch, folder, asked):
    """Libraries of hubs that serve one folder."""

    def serve(handle, name):
        asked.append((handle, name))
        return str(folder / name)

    class Missing(Exception):
        pass

    def metadata(address):
        path = folder / address.rpartition("/")[2]
        if not path.exists():
            raise Missing
        return types.SimpleNamespace(size=path.stat().st_size)

    hub = types.ModuleType("huggingface_hub")
    hub.hf_hub_url = lambda repository, name: f"{repository}/{name}"
    hub.get_hf_file_metadata = metadata
    hub.hf_hub_download = serve
    hub.constants = types.SimpleNamespace(HF_HUB_OFFLINE=False)
    errors = types.ModuleType("huggingface_hub.errors")
    errors.RemoteEntryNotFoundError = Missing
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", errors)

    class Error(Exception):
        response = types.SimpleNamespace(status_code=404)

    def download(handle, name):
        if not (folder / name).exists():
            raise Error
        return serve(handle, name)

    kaggle = types.ModuleType("kagglehub")
    kaggle.model_download = download
    exceptions = types.ModuleType("kagglehub.exceptions")
    exceptions.KaggleApiHTTPError = Error
    monkeypatch.setitem(sys.modules, "kagglehub", kaggle)
    monkeypatch.setitem(sys.modules, "kagglehub.exceptions", exceptions)


@pytest.mark.parametrize(
    "scheme, handle", [("hf", "me/mine"), ("kaggle", "me/mine/keras/small")]
)
def test_a_preset_of_a_hub(preset, monkeypatch, scheme, handle):
    asked = []
    hubs(monkeypatch, preset, asked)
    model = presets.load(f"{scheme}://{handle}")
    assert model.get_config() == presets.load(preset).get_config()
    assert asked == [
        (handle, "config.json"),
        (handle, "metadata.json"),
        (handle, "model.weights.h5"),
    ]
    asked.clear()
    bare = presets.load(f"{scheme}://{handle}", load_weights=False)
    assert bare.get_config() == model.get_config()
    assert asked == [(handle, "config.json"), (handle, "metadata.json")]
    if scheme == "hf":
        with pytest.raises(presets.PresetError, match="not fetched"):
            presets.load(f"{scheme}://{handle}", max_bytes=100)
    (preset / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no config\.json"):
        presets.load(f"{scheme}://{handle}")


@pytest.mark.parametrize(
    "address",
    [
        "hf://me",
        "hf://../mine",
        "hf://me/mine?x",
        "kaggle://me/mine",
        "gs://bucket/../other",
        "hf:///etc/passwd",
    ],
)
def test_addresses_have_a_form(address):
    with pytest.raises(ValueError, match="Received: "):
        presets.load(address)


def test_a_preset_in_a_bucket(preset, monkeypatch, tmp_path):
    from keras_ab.data.tf import tensorflow

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    gfile = tensorflow().io.gfile

    def local(address):
        return str(preset / address.rpartition("/")[2])

    real = gfile.copy, gfile.exists, gfile.stat
    monkeypatch.setattr(
        gfile, "copy", lambda a, b, overwrite: real[0](local(a), b, overwrite)
    )
    monkeypatch.setattr(gfile, "exists", lambda a: real[1](local(a)))
    monkeypatch.setattr(gfile, "stat", lambda a: real[2](local(a)))
    model = presets.load("gs://bucket/mine")
    assert model.get_config() == presets.load(preset).get_config()


# The commands.


def recipe_results():
    return {
        "method": "abclip",
        "backend": "jax",
        "options": {
            "size": "tiny",
            "views": 1024,
            "images": 20000,
            "captioned": 2000,
            "reward": "",
            "seed": 3,
            "output": "runs/x",
        },
        "target": {"linear": 0.2564, "intervals": {"linear": [0.24, 0.27]}},
        "chance": {"linear": 0.078},
        "untrained": {"linear": 0.09},
    }


def test_a_run_becomes_a_preset_with_its_card(tmp_path, capsys, monkeypatch):
    model = factory.clip()
    run = tmp_path / "run/checkpoints"
    run.mkdir(parents=True)
    for step in (1, 2):
        model.save(run / f"step-00000000{step}.keras")
    results = tmp_path / "results.json"
    results.write_text(json.dumps(recipe_results()))
    arguments = ["--results", str(results), "--limits", "Only scenes."]
    folder = tmp_path / "small_abclip"
    save = ["save", str(tmp_path / "run"), str(folder), *arguments]
    assert command.main(save) == 0
    check_equal(model, presets.load(folder))
    card = (folder / "README.md").read_text()
    for said in (
        "# small_abclip",
        "20,000 built-in scenes",
        "2,000 of them with captions",
        "| linear | 25.6 | [24.0, 27.0] | 9.0 | 7.8 |",
        "python -m recipes.ab_clip --size tiny --views 1024",
        "Only scenes.",
        "1,024",
    ):
        assert said in card, said
    assert "runs/x" not in card

    # And into the package.
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "package")
    ship = ["ship", str(folder), "abclip_small", *arguments]
    assert command.main(ship) == 0
    (row,) = [row for row in presets.list() if row["weights"]]
    assert (row["name"], row["views"]) == ("abclip_small", 1024)
    assert row["results"]["linear"]["value"] == 0.2564
    check_equal(model, presets.load("abclip_small"))
    capsys.readouterr()
    assert command.main(["list", "--json", str(tmp_path / "list.json")]) == 0
    assert "abclip_small" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "list.json").read_text())) == 41
    # A file that is not the one that was shipped.
    weights = tmp_path / "package/abclip_small/model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert command.main(["check", "abclip_small"]) == 1
    assert "sha256" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["clip_s16", "../out", "A"])
def test_what_may_not_be_shipped(preset, tmp_path, monkeypatch, name):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "package")
    with pytest.raises(presets.PresetError, match="name"):
        shipped.ship(preset, name, {})
    with pytest.raises(presets.PresetError, match=r"lacks README\.md"):
        shipped.ship(preset, "fine", {})
    assert not (tmp_path / "package").exists()


def test_what_is_shipped_is_whole():
    rows = [row for row in presets.list() if row["weights"]]
    assert {row["name"] for row in rows} == set(shipped.index())
    for name in shipped.index():
        shipped.check(name)


def test_zip_of_a_folder(preset, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in preset.iterdir():
            archive.write(path, f"mine/{path.name}")
    presets.load(tmp_path / "a.zip")
