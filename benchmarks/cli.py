"""What the commands of all benchmarks share: their options and figures."""

import argparse
import json
import pathlib


def parser(description):
    """A parser of a benchmark's options, of which one is `--json FILE`.

    Args:
        description: String, the benchmark's docstring.

    Returns:
        An `argparse.ArgumentParser`.
    """
    made = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--json", metavar="FILE", help="where figures are kept")
    return made


def keep(figures, file):
    """Writes figures as JSON, if a file was asked for.

    Args:
        figures: What JSON can hold, and numbers of NumPy.
        file: Path, whose folder is made, or None.
    """
    if not file:
        return
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text(figures) + "\n")


def text(figures):
    """Figures as indented JSON.

    Args:
        figures: As in `keep`.

    Returns:
        String.
    """
    return json.dumps(figures, indent=2, default=float)
