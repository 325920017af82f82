"""Tables on a terminal."""

from collections.abc import Sequence
from typing import Literal

from keras_ab.probes.results import Report
from keras_ab.probes.tables import NONE
from keras_ab.probes.tables import number

WIDTH = 80


def show(
    header: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1
) -> None:
    """Prints a table of 80 columns at most; words are folded to fit.

    Args:
        header: Strings.
        rows: Lists of as many strings.
        words: Int, how many columns, from the left, hold words; the others
            hold numbers.
    """
    # Imported here: rich comes with the extra `probes`.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for place, name in enumerate(header):
        justify: Literal["left", "right"] = "left" if place < words else "right"
        table.add_column(Text(name), justify=justify, overflow="fold")
    for row in rows:
        # As they are: a name may look like markup.
        table.add_row(*(Text(cell) for cell in row))
    Console(width=WIDTH, highlight=False).print(table)


def show_report(report: Report) -> None:
    """Prints the outcomes of one encoder.

    Args:
        report: A `Report`.
    """
    header = ["task", "probe", "metric", "%", "95%", "chance", "n"]
    rows = []
    for result in report.results:
        for place, outcome in enumerate(result.outcomes):
            low, high = outcome.interval or (None, None)
            spread = NONE
            if low is not None:
                spread = f"{number(low)}–{number(high)}"
            rows.append(
                [
                    "" if place else result.task,
                    "" if place else result.probe,
                    outcome.name,
                    number(outcome.value),
                    spread,
                    number(outcome.chance),
                    f"{outcome.examples:,}",
                ]
            )
    show(header, rows, words=3)
