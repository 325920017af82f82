"""Functions in Python as sources, by their names."""

import pytest

from keras_ab import data
from keras_ab.data import inspect_command
from keras_ab.data.specs import is_maker
from keras_ab.data.specs import open_source
from tests.data.sources.fixtures import write_images

MAKERS = "tests.findings.makers"


def test_a_function_is_called_with_the_options():
    spec = open_source(f"{MAKERS}:flat", size=3, seed=5, split="test")
    assert spec.kind == "python" and str(spec).startswith(f"python at {MAKERS}")
    assert len(spec.source) == 3
    assert spec.source[2]["id"] == "scenes-test-5-000002"
    scenes = open_source("keras_ab.data:Scenes", size=4).source
    assert isinstance(scenes, data.Scenes) and len(scenes) == 4


def test_what_else_has_a_colon_goes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = f"{MAKERS}:flat"
    assert is_maker(place)
    write_images(tmp_path / place, ["a.png"])
    assert not is_maker(place)
    assert open_source(place).kind == "folder"
    for spec in ("folder:photos", "tfds:clevr", "scenes", "coco/2017:1.1.0"):
        assert not is_maker(spec)


@pytest.mark.parametrize(
    "name, error, message",
    [
        ("nowhere:flat", FileNotFoundError, "no module 'nowhere'.*'MODULE:"),
        (f"{MAKERS}:round", FileNotFoundError, "has no 'round'"),
        (f"{MAKERS}:FIELDS", ValueError, "must be a function.*a tuple"),
        (f"{MAKERS}:nothing", ValueError, "must return a `keras_ab.*a list"),
        (f"{MAKERS}:without_split", ValueError, r"takes \(size=20\)"),
    ],
)
def test_what_makes_no_source(name, error, message):
    with pytest.raises(error, match=message):
        open_source(name, **({"seed": 1} if "without" in name else {}))


def test_inspect_a_function(capsys):
    status = inspect_command.main(
        ["inspect", f"{MAKERS}:flat", "--option", "size=4", "--seconds", "0"]
    )
    assert status == 0
    said = capsys.readouterr().out
    assert "python at tests.findings.makers:flat, with size=4" in said
    assert "records      4" in said
