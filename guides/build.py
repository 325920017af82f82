r"""Turns the guides into notebooks, run from top to bottom.

    python -m guides.build                 # all of them, with their outputs
    python -m guides.build own_folder --quick --output /tmp/notebooks

A guide is a Python file of cells (`# %%`), which is what to edit; the notebook
beside it is made of it. `--quick` runs it at a size that only shows that it
works, as the tests do. Each runs in a new folder, so that nothing it writes
stays. Needs the extra `guides`.
"""

import argparse
import contextlib
import os
import pathlib
import re
import tempfile

HERE = pathlib.Path(__file__).parent
REPOSITORY = re.search(
    r'URL = "https://(.*?)"', (HERE.parent / "setup.py").read_text()
).group(1)
"""Where the badges lead, on GitHub; setup.py says it."""

NOISE = ("INFO:tensorflow", "WARNING:tensorflow")
PLAIN = {"comment_magics": False}
NAMES = sorted(
    p.stem for p in HERE.glob("*.py") if p.stem not in ("build", "__init__")
)


def read(name):
    """A guide as a notebook without outputs.

    Args:
        name: String, the guide's file without its ending.

    Returns:
        An `nbformat.NotebookNode`.
    """
    import jupytext
    import nbformat

    # What is a comment there stays one: `# !pip install` is not for the tests.
    kind = {"extension": ".py", "format_name": "percent", **PLAIN}
    notebook = jupytext.read(HERE / f"{name}.py", fmt=kind)
    place = f"{REPOSITORY}/blob/main/guides/{name}.ipynb"
    colab = place.replace("github.com", "colab.research.google.com/github", 1)
    badges = nbformat.v4.new_markdown_cell(
        "[![Open in Colab](https://colab.research.google.com/assets/"
        f"colab-badge.svg)](https://{colab}) "
        "[![Open in Kaggle](https://kaggle.com/static/images/"
        f"open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src="
        f"https://{place})"
    )
    notebook.cells.insert(0, badges)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        cell["metadata"] = {}
    notebook["metadata"] = {
        "kernelspec": {
            "display_name": "Python 3",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    return notebook


def run(notebook, quick=False, timeout=3600):
    """Runs all cells, in a new folder, and keeps what they show.

    Args:
        notebook: An `nbformat.NotebookNode`, which gets the outputs.
        quick: Bool, whether at the size of the tests.
        timeout: Int, seconds that a cell may take.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell fails.
    """
    import nbclient

    settings = {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")])
        ),
    }
    if quick:
        settings["KERAS_AB_QUICK"] = "1"
    with tempfile.TemporaryDirectory() as folder, _environment(settings):
        nbclient.NotebookClient(
            notebook,
            timeout=timeout,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
        ).execute()
        place = folder
    for cell in notebook.cells:
        cell["metadata"] = {}
        if cell.cell_type == "code":
            cell["outputs"] = tidy(cell.outputs, place)


def tidy(outputs, folder):
    """Outputs without what differs from machine to machine.

    Args:
        outputs: List of a cell's outputs.
        folder: String, where it ran.

    Returns:
        List of outputs.
    """
    kept = [output for output in outputs if not _is_noise(output)]
    for output in kept:
        if output.output_type == "stream":
            output["text"] = output.text.replace(folder, ".")
    return kept


def write(notebook, path):
    """Writes a notebook, the same bytes for the same notebook.

    Args:
        notebook: An `nbformat.NotebookNode`.
        path: Path of the `.ipynb` file.
    """
    import nbformat

    nbformat.validate(notebook)
    pathlib.Path(path).write_text(nbformat.writes(notebook) + "\n")


def sources(notebook):
    """List of `(cell_type, source)` of a notebook's cells."""
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


@contextlib.contextmanager
def _environment(settings):
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _is_noise(output):
    """TensorFlow's messages, of which no setting stops all."""
    return output.output_type == "stream" and (
        output.name == "stderr" or output.text.startswith(NOISE)
    )


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", default=NAMES)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=pathlib.Path, default=HERE)
    options = parser.parse_args(argv)
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"guides are {NAMES}; received {unknown}")
    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.names:
        print(name, "...", flush=True)
        notebook = read(name)
        run(notebook, options.quick)
        write(notebook, options.output / f"{name}.ipynb")


if __name__ == "__main__":
    main()
