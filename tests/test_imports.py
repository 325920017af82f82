"""Dependencies run downward, and importing costs little."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "keras_ab"
FILES = sorted(PACKAGE.rglob("*.py"))

# What each room may import. `data` is reached from `actions` only inside a
# function, when views are sampled.
ALLOWED = {
    "ops": set(),
    "schedules": set(),
    "layers": set(),
    "data": set(),
    "losses": {"ops"},
    "optimizers": {"schedules"},
    "backbones": {"layers"},
    "actions": {"layers", "ops", "data"},
    "objectives": {"losses", "layers", "backbones", "ops", "actions"},
    "models": {"objectives", "backbones", "schedules", "optimizers", "ops"},
    "probes": {"models"},
    "analysis": {"models", "probes"},
}


def imports(path):
    """Absolute names imported anywhere in a file, and at its top level."""
    tree = ast.parse(path.read_text())
    anywhere, top = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
        else:
            continue
        anywhere |= names
        if node in tree.body:
            top |= names
    return anywhere, top


def room(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.name))
def test_rooms(path):
    if path.parent == PACKAGE and path.stem == "__init__":
        return
    here = room(path)
    anywhere, top = imports(path)
    used = {
        name.split(".")[1] for name in anywhere if name.startswith("keras_ab.")
    }
    assert used - {here} <= ALLOWED[here]
    if here == "actions":
        assert not any(name.startswith("keras_ab.data") for name in top)
    assert not any(name.startswith("keras.src") for name in anywhere)
    assert not any(name.startswith("recipes") for name in anywhere)
    heavy = {"tensorflow", "torch", "jax", "sklearn", "matplotlib"}
    assert not {name.split(".")[0] for name in top} & heavy
    assert path.stem not in ("utils", "helpers")


def test_the_table_is_complete():
    assert {room(path) for path in FILES} - {"__init__"} == set(ALLOWED)


def test_import_brings_nothing_along():
    code = (
        "import keras, sys; before = set(sys.modules);"
        "import keras_ab, keras_ab.data;"
        "new = {m.split('.')[0] for m in set(sys.modules) - before};"
        "assert new <= {'keras_ab'}, new"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
