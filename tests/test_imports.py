"""Dependencies run downward, and importing costs little."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "keras_ab"
FILES = sorted(PACKAGE.rglob("*.py"))
EVERYTHING = sorted(
    path
    for folder in ("keras_ab", "recipes", "findings", "benchmarks", "tests")
    for path in (ROOT / folder).rglob("*.py")
)


def rooms():
    """What each room may import by ARCHITECTURE.md, besides `typing`."""
    table = (ROOT / "ARCHITECTURE.md").read_text().split("## Rooms")[1]
    lines = re.findall(
        r"^\| `(\w+)(?:/|\.py)` \|.*\| (.*) \|$", table.split("\n## ")[0], re.M
    )
    named = {
        name: set() if may == "nothing" else set(re.findall(r"\w+", may))
        for name, may in lines
    }
    # Where `actions` may is checked apart.
    named["actions"] -= {"inside", "sample"}
    return {name: may for name, may in named.items() if may != {"everything"}}


ALLOWED = rooms()
HEAVY = {
    "tensorflow",
    "torch",
    "jax",
    "sklearn",
    "matplotlib",
    "keras_hub",
    "kagglehub",
    "huggingface_hub",
    "h5py",
    "safetensors",
    "pyarrow",
    "tensorflow_datasets",
    "pycocotools",
    "sacrebleu",
    "rich",
    "dash",
    "plotly",
}
# tf.data, tf.distribute, and the tape, which Keras does not wrap.
TENSORFLOW = {"data", "distribution", "analysis"}
# Registers builders with the library, for those who import it by name.
NEEDED = {"data/tfds_builder.py": {"tensorflow_datasets"}}
OUTSIDE = {"recipes", "findings", "guides", "benchmarks", "tests"}


def imports(tree, skip=()):
    """Absolute names imported in a tree, less those under nodes to skip."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, skip):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)
        yield from imports(node, skip)


def faults(here, source):
    """What is wrong with the imports of a file in a room."""
    tree = ast.parse(source)
    anywhere = set(imports(tree))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    top = set(imports(tree, skip=functions))
    allowed = ALLOWED[here] | {here, "typing"}

    def wrong(name):
        root, *rest = name.split(".")
        late = name not in top
        return (
            # The whole package, or a relative name, would hide the room.
            name == "keras_ab"
            or root == ""
            or (root == "keras_ab" and rest[0] not in allowed)
            or root in OUTSIDE
            or name.startswith("keras.src")
            or (root == "tensorflow" and here not in TENSORFLOW)
            or (root in HEAVY and not late)
            or (here == "actions" and rest[:1] == ["data"] and not late)
        )

    return set(filter(wrong, anywhere))


def room(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize(
    "path", FILES, ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_rooms(path):
    if path != PACKAGE / "__init__.py":
        needed = NEEDED.get(path.relative_to(PACKAGE).as_posix(), set())
        assert faults(room(path), path.read_text()) == needed
    assert path.stem not in ("utils", "helpers")


@pytest.mark.parametrize(
    "here, source",
    [
        ("layers", "from keras_ab import models"),
        ("layers", "import keras_ab.ops.boxes"),
        ("losses", "from keras_ab.layers import MLP"),
        ("ops", "import keras_ab"),
        ("ops", "from . import boxes"),
        ("typing", "from keras_ab.models import Network"),
        ("models", "from keras_ab.probes.knn import knn"),
        ("models", "def f():\n    from recipes import demo"),
        ("models", "def f():\n    import tensorflow as tf"),
        ("data", "try:\n    import tensorflow as tf\nfinally:\n    pass"),
        ("distribution", "import tensorflow as tf"),
        ("data", "class A:\n    from tensorflow import data"),
        ("actions", "from keras_ab.data import sampling"),
        ("backbones", "from keras.src import backend"),
    ],
)
def test_a_wrong_import_is_found(here, source):
    assert faults(here, source)


def test_what_is_right_passes():
    assert not faults("distribution", "def f():\n    import tensorflow as tf")
    assert not faults("actions", "def f():\n    from keras_ab.data import tf")
    assert not faults("data", "def f():\n    import tensorflow as tf")
    assert not faults("losses", "import keras\nfrom keras_ab import ops")


def test_the_table_is_complete():
    assert {room(path) for path in FILES} - {"__init__"} == set(ALLOWED)
    assert set().union(*ALLOWED.values()) <= set(ALLOWED)


def test_only_public_keras():
    for path in EVERYTHING:
        tree = ast.parse(path.read_text())
        names = set(imports(tree)) | {
            ast.unparse(node)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
        }
        private = {name for name in names if name.startswith("keras.src")}
        assert not private, path


def test_import_brings_nothing_along():
    code = (
        "import keras, sys; before = set(sys.modules);"
        "import keras_ab, keras_ab.data;"
        "new = {m.split('.')[0] for m in set(sys.modules) - before};"
        # On PyTorch, Keras holds back its optimizers until the first is made.
        "assert new <= {'keras_ab', 'keras'}, new"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
