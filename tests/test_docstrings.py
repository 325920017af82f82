"""Examples in docstrings run."""

import ast
import inspect
import pathlib

import keras
import numpy as np
import pytest

import keras_ab
from tests.models import factory

PACKAGE = pathlib.Path(keras_ab.__file__).parent


def examples():
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                continue
            text = ast.get_docstring(node) or ""
            lines = [
                line[4:]
                for line in text.splitlines()
                if line[:3] in (">>>", "...")
            ]
            if lines:
                name = f"{path.relative_to(PACKAGE)}:{node.name}"
                yield pytest.param("\n".join(lines), id=name)


@pytest.mark.parametrize("code", examples())
def test_example(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from PIL import Image

    (tmp_path / "photos").mkdir()
    Image.new("RGB", (20, 20)).save(tmp_path / "photos/a.png")
    (tmp_path / "photos/a.txt").write_text("a square")
    made = {
        "np": lambda: np,
        "keras": lambda: keras,
        "keras_ab": lambda: keras_ab,
        "dataset": lambda: factory.batches(1),
        "batches": lambda: lambda step: factory.batches(4),
        "text_encoder": factory.text_encoder,
        "images": lambda: factory.batch()["reward"]["image"],
        "image": lambda: keras_ab.data.Scenes(size=1)[0]["image"],
        "model": factory.abclip,
    }
    used = {n.id for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name)}
    names = {name: make() for name, make in made.items() if name in used}
    exec(code, names)


def test_public_names_have_docstrings():
    for room in keras_ab.__all__[1:]:
        module = getattr(keras_ab, room)
        assert inspect.getdoc(module), room
        for name in getattr(module, "__all__", ()):
            assert inspect.getdoc(getattr(module, name)), f"{room}.{name}"
