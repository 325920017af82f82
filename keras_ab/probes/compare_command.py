"""The command that puts result files side by side."""

import argparse
import json
import pathlib
from collections.abc import Sequence

from keras_ab.probes import tables
from keras_ab.probes.averages import with_average
from keras_ab.probes.compare import NotComparable
from keras_ab.probes.compare import compare
from keras_ab.probes.comparison_plot import plot
from keras_ab.probes.terminal import show

COLUMNS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Its arguments; None for those of the process.

    Returns:
        Int, the exit status: 0, or 1 where results cannot be compared.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        comparison = compare(
            _files(parser, options.files), options.baseline, options.anyway
        )
        for name, tasks in _averages(parser, options.average):
            comparison = with_average(comparison, name, tasks)
    except NotComparable as error:
        parser.exit(1, f"error: {error}\n--anyway compares them all the same\n")
    except (OSError, ValueError) as error:
        parser.exit(1, f"error: {error}\n")
    if not options.all:
        comparison = comparison.headlines()
    # More columns than this do not fit a terminal, whatever is asked for.
    wide = max(len(comparison.columns), len(comparison.names)) > COLUMNS
    rows = None if wide else options.rows
    show(*tables.grid(comparison, tables.plain, rows))
    for line in tables.legend(comparison):
        print(line)
    for path, write in (
        (options.markdown, lambda: tables.markdown(comparison, options.rows)),
        (options.latex, lambda: tables.latex(comparison, options.rows)),
        (options.csv, lambda: tables.comma_separated(comparison)),
        (options.json, lambda: _as_json(comparison)),
    ):
        if path is not None:
            _folder_of(path)
            pathlib.Path(path).write_text(write(), encoding="utf-8")
    if options.plot is not None:
        _folder_of(options.plot)
        plot(comparison, options.plot)
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m keras_ab.probes compare",
        description="Puts result files side by side, with differences to the "
        "first.",
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="[NAME=]FILE",
        help="what `python -m keras_ab.probes MODEL TASK --json FILE` wrote",
    )
    parser.add_argument("--baseline", metavar="NAME", help="another than it")
    parser.add_argument(
        "--anyway",
        action="store_true",
        help="compare what was measured in different ways, and mark it",
    )
    parser.add_argument(
        "--all", action="store_true", help="all metrics, not the first alone"
    )
    parser.add_argument(
        "--average",
        action="append",
        default=[],
        metavar="NAME=TASK,TASK",
        help="one column more: the mean over tasks; several times",
    )
    parser.add_argument(
        "--rows",
        choices=("encoders", "metrics"),
        help="what stands in rows; by default what needs fewer columns",
    )
    for name in ("markdown", "latex", "csv", "json"):
        parser.add_argument(f"--{name}", metavar="FILE")
    parser.add_argument(
        "--plot", metavar="FILE", help="a picture, .png, .svg or .pdf"
    )
    return parser


def _files(parser, texts):
    """Paths, by names where all have one."""
    named = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if pathlib.Path(text).exists() or not equals:
            continue
        if name in named:
            parser.error(f"the name {name!r} stands for two files")
        named[name] = path
    if named and len(named) < len(texts):
        parser.error("either all files have a name (NAME=FILE), or none")
    return named or texts


def _averages(parser, texts):
    """Names of means, and the tasks that they are over."""
    for text in texts:
        # Names of tasks may have the sign too.
        name, _, tasks = text.partition("=")
        if not name or not tasks:
            parser.error(f"--average needs NAME=TASK,TASK. Received: {text!r}")
        yield name, tasks.split(",")


def _folder_of(path):
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)


def _as_json(comparison):
    found = {
        "encoders": comparison.names,
        "baseline": comparison.baseline,
        "faults": comparison.faults,
        "values": tables.lines(comparison),
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
