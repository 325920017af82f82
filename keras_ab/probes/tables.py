"""Comparisons as text: Markdown, CSV, LaTeX and plain lines."""

import csv
import io
from collections.abc import Callable
from typing import Any

from keras_ab.probes.compare import Cell
from keras_ab.probes.compare import Column
from keras_ab.probes.compare import Comparison

NONE = "–"
CHANCE = "≈"
UNKNOWN = "?"
FOREIGN = "†"
LEGEND = {
    CHANCE: "the 95% interval of the difference holds 0: it may be chance",
    UNKNOWN: "no interval of the difference is known",
    FOREIGN: "measured in another way than the baseline",
}


def number(value: float | None) -> str:
    """A metric as tables show it: in hundredths, with one decimal."""
    return NONE if value is None or value != value else f"{100 * value:.1f}"


def signed(value: float) -> str:
    """A difference as tables show it, always with its sign."""
    text = f"{100 * value:+.1f}"
    return text.replace("-", "−")


def marks(cell: Cell) -> str:
    """What is to be said of a cell, as signs of the legend."""
    unknown = cell.difference is not None and cell.interval is None
    return CHANCE * cell.inside + UNKNOWN * unknown + FOREIGN * cell.foreign


def title(column: Column, other: list[Column]) -> str:
    """A column in words, with no more of them than tell it from others."""
    words = [column.task]
    if len({c.probe for c in other}) > 1:
        words.append(column.probe)
    mates = [c for c in other if c.task == column.task]
    if len({c.metric for c in mates}) > 1:
        words.append(column.metric)
    return " ".join(words)


def grid(
    comparison: Comparison,
    write: Callable[[Cell | None], str],
    rows: str | None = None,
) -> tuple[list[str], list[list[str]]]:
    """The cells of a comparison as text.

    Args:
        comparison: A `Comparison`.
        write: Callable from a `Cell`, or None, to text.
        rows: `"encoders"`, `"metrics"`, or None for what needs fewer columns.

    Returns:
        The header, a list of strings; and the rows, lists of strings.
    """
    names, columns = comparison.names, comparison.columns
    if rows is None:
        rows = "metrics" if len(names) <= len(columns) else "encoders"
    if rows not in ("encoders", "metrics"):
        raise ValueError(
            f"`rows` must be 'encoders' or 'metrics'. Received: {rows!r}"
        )
    titles = [title(column, columns) for column in columns]
    if rows == "encoders":
        header = ["", *titles]
        body = [
            [name, *(write(comparison.cells.get((name, c))) for c in columns)]
            for name in names
        ]
    else:
        header = ["", *names]
        body = [
            [text, *(write(comparison.cells.get((n, column))) for n in names)]
            for text, column in zip(titles, columns)
        ]
    return header, body


def legend(comparison: Comparison) -> list[str]:
    """Lines that say what the signs of a comparison mean."""
    shown = {
        mark
        for name in comparison.names
        for column in comparison.columns
        if (name, column) in comparison.cells
        for mark in marks(comparison.cells[name, column])
    }
    lines = []
    if len(comparison.names) > 1:
        lines.append(f"Differences are to {comparison.baseline}.")
    for mark, meaning in LEGEND.items():
        if mark in shown:
            lines.append(f"{mark} {meaning}.")
    if FOREIGN in shown:
        lines += [f"{FOREIGN} {fault}" for fault in comparison.faults]
    return lines


def plain(cell: Cell | None) -> str:
    """A cell for the terminal."""
    if cell is None:
        return NONE
    text = number(cell.outcome.value)
    if cell.difference is not None:
        text += f" {signed(cell.difference)}"
    return f"{text} {marks(cell)}".rstrip()


def markdown(comparison: Comparison, rows: str | None = None) -> str:
    """A comparison as a Markdown table.

    Args:
        comparison: What `keras_ab.probes.compare` returned.
        rows: `"encoders"` as in the paper, `"metrics"`, or None for what
            needs fewer columns.

    Returns:
        Text, differences as subscripts, with its legend.
    """

    def write(cell):
        if cell is None:
            return NONE
        text = number(cell.outcome.value)
        if cell.difference is not None:
            text += f"<sub>{signed(cell.difference)}{marks(cell)}</sub>"
        elif cell.foreign:
            text += FOREIGN
        return text

    header, body = grid(comparison, write, rows)
    escaped = [
        [text.replace("|", "\\|") for text in line] for line in (header, *body)
    ]
    lines = [f"| {' | '.join(line)} |" for line in escaped]
    lines.insert(1, "|---" + "|---:" * (len(header) - 1) + "|")
    return "\n".join([*lines, "", *(f"{x}  " for x in legend(comparison)), ""])


SIGNS = {CHANCE: r"\approx", UNKNOWN: "?", FOREIGN: r"\dagger"}
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    NONE: "--",
    "−": "-",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def latex(comparison: Comparison, rows: str | None = None) -> str:
    """A comparison as a LaTeX table, for the package booktabs.

    Args:
        comparison: What `keras_ab.probes.compare` returned.
        rows: As in `markdown`.

    Returns:
        Text, differences as subscripts, with its legend as comments.
    """

    def write(cell):
        if cell is None:
            return "--"
        text = number(cell.outcome.value)
        text = "--" if text == NONE else text
        mark = "".join(SIGNS[sign] for sign in marks(cell))
        if cell.difference is not None:
            value = f"{100 * cell.difference:+.1f}"
            return f"{text}$_{{{value}{mark}}}$"
        return f"{text}$^{{{mark}}}$" if mark else text

    header, body = grid(comparison, write, rows)
    header = [_escaped(text) for text in header]
    body = [[_escaped(line[0]), *line[1:]] for line in body]
    lines = [
        *(f"% {line}" for line in legend(comparison)),
        rf"\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}",
        r"\toprule",
        " & ".join(header) + r" \\",
        r"\midrule",
        *(" & ".join(line) + r" \\" for line in body),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _escaped(text):
    return "".join(SPECIAL.get(sign, sign) for sign in text)


FIELDS = (
    "encoder",
    "task",
    "probe",
    "metric",
    "value",
    "low",
    "high",
    "chance",
    "ceiling",
    "examples",
    "difference",
    "difference_low",
    "difference_high",
    "inside",
    "paired",
    "foreign",
)


def lines(comparison: Comparison) -> list[dict[str, Any]]:
    """All values of a comparison, ready for JSON or CSV.

    Args:
        comparison: What `keras_ab.probes.compare` returned.

    Returns:
        A list of dicts with the keys `FIELDS`. Values are shares, not
        hundredths; what is unknown is None.
    """
    found = []
    for (name, column), cell in comparison.cells.items():
        if column not in comparison.columns:
            continue
        outcome = cell.outcome
        low, high = outcome.interval or (None, None)
        below, above = cell.interval or (None, None)
        compared = cell.difference is not None
        undefined = outcome.value != outcome.value
        found.append(
            {
                "encoder": name,
                "task": column.task,
                "probe": column.probe,
                "metric": column.metric,
                "value": None if undefined else outcome.value,
                "low": low,
                "high": high,
                "chance": outcome.chance,
                "ceiling": outcome.ceiling,
                "examples": outcome.examples,
                "difference": cell.difference,
                "difference_low": below,
                "difference_high": above,
                "inside": cell.inside if compared else None,
                "paired": cell.paired if compared else None,
                "foreign": cell.foreign,
            }
        )
    return found


def comma_separated(comparison: Comparison) -> str:
    """A comparison as CSV, a line a value, with all intervals.

    Args:
        comparison: What `keras_ab.probes.compare` returned.

    Returns:
        Text. Values are shares, not hundredths; what is unknown is empty.
    """
    stream = io.StringIO()
    table = csv.DictWriter(stream, FIELDS, lineterminator="\n")
    table.writeheader()
    table.writerows(lines(comparison))
    return stream.getvalue()
