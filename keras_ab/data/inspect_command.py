r"""What is in a data set, what is wrong with it, and how fast it can be fed.

    python -m keras_ab.data inspect photos
    python -m keras_ab.data inspect "cc3m/{00000..00331}.tar" --limit 5000
    python -m keras_ab.data inspect annotations/instances_val2017.json \
        --option images=val2017 --json report.json --output inspected
    python -m keras_ab.data inspect coco_captions --option split=val
    python -m keras_ab.data inspect scenes --option size=200

PATH_OR_SPEC is a folder of images, frames, tars or parquet files; a .json file
in COCO's format; .tar or .parquet files; the name of a prepared data set of
TensorFlow Datasets; scenes, objects or video; kind:place, with a kind of
folder, coco, webdataset, parquet, frames, tfds; or MODULE:NAME, a function in
Python that returns a source. Captions and labels are found out where they can
be; --option sets arguments of the function that opens the data,
keras_ab.data.from_folder and so on.

Every record is read and decoded, unless --limit says otherwise. Nothing is
written but the file that --json names, and into the folder that --output
names: contact_sheet.png, quarantine.jsonl and the indices of tars.

The exit status is 0 if there is something to use, 1 if there is nothing, and 2
if there is no such path or the arguments are wrong.
"""

import argparse
import ast
import contextlib
import json
import pathlib
import sys
import tempfile
import textwrap
from collections.abc import Sequence

from keras_ab.data.contact_sheet import contact_sheet
from keras_ab.data.headers import MAX_PIXELS
from keras_ab.data.records import REASONS
from keras_ab.data.records import NothingUsable
from keras_ab.data.specs import open_source
from keras_ab.data.survey import Survey
from keras_ab.data.survey import cores
from keras_ab.data.survey import look_through
from keras_ab.data.survey import views_per_second

WIDTH = 79
SHOWN = 10
"""Ids to a reason on the terminal; files have them all."""
STEPS = (256, 1024, 4096, 8192)
"""Views in a step, for the rates that can be fed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; see `python -m keras_ab.data inspect --help`.

    Args:
        argv: List of strings; None for those of the command line.

    Returns:
        The exit status, 0 or 1.
    """
    parser = argparse.ArgumentParser(prog="python -m keras_ab.data")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser(
        "inspect",
        help="what is in a data set, and what is wrong with it",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_arguments(command)
    options = parser.parse_args(argv)
    chosen = dict(_option(command, text) for text in options.option)
    try:
        with _index_folder(options.output) as folder:
            results, status = _inspect(options, chosen, folder)
    except NothingUsable as error:
        results, status = _nothing(options, error), 1
    except (OSError, ValueError, ImportError) as error:
        command.exit(2, f"{_wrapped(f'error: {error}')}\n")
    if options.json:
        text = json.dumps(results, indent=2, ensure_ascii=False)
        file = pathlib.Path(options.json)
        file.parent.mkdir(parents=True, exist_ok=True)
        # What is no UTF-8 in a file's name must not stop the report.
        content = text.encode("utf-8", "backslashreplace")
        file.write_bytes(content + b"\n")
    return status


def _add_arguments(command):
    command.add_argument("spec", metavar="PATH_OR_SPEC")
    command.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an argument of the function that opens the data; several times",
    )
    command.add_argument("--output", help="folder for the files written")
    command.add_argument("--json", help="file for the figures")
    command.add_argument(
        "--limit", type=_positive, help="records to read, evenly spread"
    )
    command.add_argument(
        "--images", type=_positive, default=8, help="originals on the sheet"
    )
    command.add_argument(
        "--views", type=int, default=4, help="crops of each image"
    )
    command.add_argument("--image-size", type=_positive, default=224)
    command.add_argument(
        "--seconds",
        type=float,
        default=5.0,
        help="how long to measure throughput; 0 leaves it out",
    )
    command.add_argument("--max-pixels", type=_positive, default=MAX_PIXELS)


def _positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def _option(command, text):
    name, equals, value = text.partition("=")
    if not equals:
        command.error(f"--option needs NAME=VALUE. Received: {text!r}")
    with contextlib.suppress(ValueError, SyntaxError):
        value = ast.literal_eval(value)
    return name, value


@contextlib.contextmanager
def _index_folder(output):
    """Where indices go: into the folder given, or nowhere that stays."""
    if output is not None:
        folder = pathlib.Path(output) / "indices"
        folder.mkdir(parents=True, exist_ok=True)
        yield str(folder)
        if not any(folder.iterdir()):
            folder.rmdir()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield folder


def _inspect(options, chosen, index_folder):
    spec = open_source(options.spec, index_folder, **chosen)
    source = spec.source
    survey = look_through(
        source, options.limit, options.max_pixels, _progress(len(source))
    )
    results = {
        "what": str(spec),
        "kind": spec.kind,
        "fields": sorted(source.fields),
        **_figures(survey),
        "checked": min(options.limit or len(source), len(source)),
        "cores": cores(),
        "views_per_second": None,
    }
    good = source.subset(survey.usable)
    if survey.usable and options.seconds > 0:
        results["views_per_second"] = views_per_second(
            good,
            options.image_size,
            options.views,
            options.seconds,
            options.max_pixels,
        )
        results["steps_per_second"] = {
            str(views): results["views_per_second"] / views for views in STEPS
        }
    if options.output is not None:
        _list(survey, options.output)
        if survey.usable:
            file = pathlib.Path(options.output) / "contact_sheet.png"
            results["contact_sheet"] = str(file)
            contact_sheet(
                good,
                file,
                options.images,
                options.views,
                options.image_size,
                max_pixels=options.max_pixels,
            )
    _print(results, survey, options, len(source))
    return results, 0 if survey.usable else 1


def _nothing(options, error):
    """The report on what has no record that can be used."""
    survey = Survey(
        [],
        [
            {"id": id, "reason": reason, "detail": ""}
            for id, reason in dict.fromkeys(map(tuple, error.rejected))
        ],
    )
    if options.output is not None and survey.quarantined:
        _list(survey, options.output)
    for line in _faults(survey):
        _say(line)
    print(_wrapped(f"error: {error}"), file=sys.stderr)
    return {
        "what": options.spec,
        "error": str(error),
        **_figures(survey),
        "views_per_second": None,
    }


def _figures(survey):
    return {
        "records": survey.records,
        "usable": len(survey.usable),
        "quarantined": survey.quarantined,
    }


def _list(survey, output):
    """Writes the list of bad records anew."""
    file = pathlib.Path(output) / "quarantine.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(record) + "\n" for record in survey.quarantined]
    file.write_text("".join(lines), encoding="utf-8")


def _progress(size):
    """Tells how far the reading has come, on a terminal."""

    def tell(count):
        if sys.stderr.isatty():
            end = "\n" if count >= size else ""
            print(f"\r{count:,} of {size:,} records", end=end, file=sys.stderr)

    return tell


def _print(results, survey, options, size):
    _say(results["what"])
    _say(f"  fields       {', '.join(results['fields'])}", 15)
    if results["checked"] < size:
        _say(f"  checked      {results['checked']:,} of {size:,}")
    _say(f"  records      {survey.records:,}")
    _say(f"  usable       {len(survey.usable):,}")
    _say(f"  quarantined  {len(survey.quarantined):,}")
    for line in _faults(survey):
        _say(line)
    rate = results["views_per_second"]
    if rate is not None:
        _say("")
        _say(
            f"{rate:,.0f} views a second on {cores()} "
            f"core{'s' * (cores() > 1)}: "
            f"{options.views} crops of {options.image_size} pixels from each "
            f"of {rate / options.views:,.0f} images"
        )
        for views, steps in results["steps_per_second"].items():
            _say(f"  feeds {steps:9.3f} steps a second of {int(views):,} views")
    _say("")
    if "contact_sheet" in results:
        _say(f"What a model is fed: {results['contact_sheet']}", 2)
    elif survey.usable:
        _say("--output FOLDER draws a contact sheet of what a model is fed.")


def _faults(survey):
    """Lines on what is wrong with which records."""
    for reason, ids in survey.reasons.items():
        meaning = REASONS.get(reason)
        yield ""
        yield f"{reason} ({len(ids):,})" + (f": {meaning}" if meaning else "")
        for id in ids[:SHOWN]:
            yield f"  {_short(str(id))}"
        if len(ids) > SHOWN:
            yield f"  and {len(ids) - SHOWN:,} more; --json names them all"


def _short(id):
    """An id that fits a line, its end kept."""
    room = WIDTH - 4
    return id if len(id) <= room else f"...{id[-(room - 3) :]}"


def _say(line, indent=4):
    text = line if len(line) <= WIDTH else _wrapped(line, indent)
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _wrapped(text, indent=2):
    return textwrap.fill(text, WIDTH, subsequent_indent=" " * indent)
