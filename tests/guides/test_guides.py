"""The guides, run as notebooks at a small size, on one backend."""

import keras
import nbformat
import pytest

from guides import build

PICTURES = {
    "decoupled": 2,
    "evaluate": 1,
    "look_inside": 6,
    "many_devices": 0,
    "own_folder": 5,
    "own_reward": 2,
    "warm_start": 1,
}
"""The least number of pictures that each guide shows."""


def test_each_guide_is_tested():
    assert sorted(PICTURES) == build.NAMES


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="runs on one backend"
)
@pytest.mark.parametrize("name", build.NAMES)
def test_it_runs(name, tmp_path):
    if name == "warm_start":
        pytest.importorskip("keras_hub")
    notebook = build.read(name)
    build.run(notebook, quick=True, timeout=600)
    build.write(notebook, tmp_path / "guide.ipynb")
    again = nbformat.read(tmp_path / "guide.ipynb", 4)
    shown = [
        data
        for cell in again.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        for data in output.get("data", {})
    ]
    assert shown.count("image/png") >= PICTURES[name]


@pytest.mark.parametrize("name", build.NAMES)
def test_the_notebook_is_of_the_guide(name):
    notebook = nbformat.read(build.HERE / f"{name}.ipynb", 4)
    assert build.sources(notebook) == build.sources(build.read(name))
    # As it was run, from top to bottom.
    counts = [
        cell.execution_count
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    assert counts == list(range(1, len(counts) + 1))
