"""What the commands that use an encoder have in common."""

import argparse
import ast
import contextlib
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

from keras_ab.probes.frozen_encoder import FrozenEncoder
from keras_ab.probes.open_encoder import ACCEPTED
from keras_ab.probes.open_encoder import open_encoder


def add_encoder(parser: argparse.ArgumentParser) -> None:
    """Adds what says which encoder is meant."""
    parser.add_argument("model", metavar="MODEL", help=ACCEPTED)
    parser.add_argument(
        "--network",
        choices=("online", "target"),
        help="of a model with a target network; target where there is one",
    )
    parser.add_argument(
        "--layer", type=_layer, help="a block's number; by default the last"
    )
    parser.add_argument(
        "--image-size", type=positive, help="where the encoder does not say"
    )
    parser.add_argument("--name", help="of the encoder, in results")
    parser.add_argument(
        "--batch-size", type=positive, default=64, help="images to a call"
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """Adds what says how data is opened."""
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an argument of the function that opens the data; several times",
    )
    parser.add_argument(
        "--index-folder", help="for the index files of archives"
    )


def encoder(options: argparse.Namespace) -> FrozenEncoder:
    """The encoder that was named."""
    return open_encoder(
        options.model,
        network=options.network,
        layer=options.layer,
        image_size=options.image_size,
        name=options.name,
    )


def chosen(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> dict[str, Any]:
    """The `--option`s, as a dict."""
    found = {}
    for text in options.option:
        name, equals, value = text.partition("=")
        if not equals:
            parser.error(f"--option needs NAME=VALUE. Received: {text!r}")
        with contextlib.suppress(ValueError, SyntaxError):
            value = ast.literal_eval(value)
        found[name] = value
    return found


def positive(text: str) -> int:
    """A positive number, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def _layer(text):
    with contextlib.suppress(ValueError):
        return int(text)
    return text


@contextlib.contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar with the time that remains.

    Args:
        what: String, what is counted.

    Yields:
        A callable that is told how many are done, and how many there are.
    """
    with stages() as tell:
        yield lambda done, total: tell(what, done, total)


@contextlib.contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """Progress of one stage after the other, with the time that remains.

    Yields:
        A callable that is told a stage, how much of it is done, and how much
        there is, 0 where this is unknown.
    """
    with _progress() as progress:
        tasks: dict[str, Any] = {}

        def tell(stage, done, total):
            if stage not in tasks:
                for other in tasks.values():
                    progress.update(other, visible=False)
                tasks[stage] = progress.add_task(stage, total=None)
            progress.update(tasks[stage], completed=done, total=total or None)

        yield tell


def _progress():
    # Imported here: rich comes with the extra `probes`.
    from rich.console import Console
    from rich.progress import BarColumn
    from rich.progress import MofNCompleteColumn
    from rich.progress import Progress
    from rich.progress import TextColumn
    from rich.progress import TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    # Into a file or a pipe nothing of it goes.
    return Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
