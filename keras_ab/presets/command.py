"""Commands on presets: list, save, check, ship."""

import argparse
import json
import pathlib
import subprocess
import sys
from typing import Any

import keras

from keras_ab.presets import card
from keras_ab.presets import shipped
from keras_ab.presets.errors import PresetError
from keras_ab.presets.load import load
from keras_ab.presets.table import list as list_presets


def main(arguments: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Its arguments; None for those of the process.

    Returns:
        Int, the exit status.
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (OSError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m keras_ab.presets", description=__doc__
    )
    commands = parser.add_subparsers(required=True)
    listing = commands.add_parser("list", help="the presets that have a name")
    listing.add_argument("--json", help="file for the same table")
    listing.set_defaults(run=_list)

    save = commands.add_parser(
        "save", help="make a preset of a trained model, with its card"
    )
    save.add_argument(
        "model", help="a .keras file, or a folder of a run or of checkpoints"
    )
    save.add_argument("folder", help="the preset's folder, to be made")
    _card_options(save)
    save.set_defaults(run=_save)

    check = commands.add_parser("check", help="see whether a preset opens")
    check.add_argument("preset", help="a name, a folder or an address")
    check.set_defaults(run=_check)

    ship = commands.add_parser(
        "ship",
        help="put a preset that `save` made among those of this package",
    )
    ship.add_argument("folder", help="the preset's folder")
    ship.add_argument("name", help="the name by which `load` opens it")
    _card_options(ship)
    ship.set_defaults(run=_ship)
    return parser


def _card_options(parser):
    parser.add_argument(
        "--results",
        nargs="*",
        default=[],
        help="files that the recipe (results.json) or keras_ab.probes wrote",
    )
    parser.add_argument("--data", help="what it was trained on")
    parser.add_argument("--recipe", help="the command that trained it")
    parser.add_argument("--views", type=int, help="views that it saw")
    parser.add_argument(
        "--commit", help="commit of the code; by default this folder's"
    )
    parser.add_argument("--limits", help="what it cannot do")


def _list(options):
    rows = list_presets()
    print(f"{'name':<24}{'method':<10}{'size':<7}{'weights':<9}data")
    for row in rows:
        has = "yes" if row["weights"] else "no"
        print(
            f"{row['name']:<24}{row['method']:<10}{row['size']:<7}{has:<9}"
            f"{row['data']}"
        )
    if options.json:
        text = json.dumps(rows, indent=2) + "\n"
        pathlib.Path(options.json).write_text(text)


def _save(options):
    model = keras.saving.load_model(_newest(options.model), compile=False)
    folder = pathlib.Path(options.folder)
    model.save_to_preset(folder, _card(options, model, folder.name))
    print(f"{folder}: {model.count_params():,} numbers")


def _check(options):
    model = load(options.preset)
    print(
        f"{options.preset} opens: {type(model).__name__}, "
        f"{model.count_params():,} numbers."
    )


def _ship(options):
    model = load(options.folder)
    card_text = _card(options, model, options.name)
    model.save_to_preset(options.folder, card_text)
    results = [card.read_results(path) for path in options.results]
    row = _row(options, model, results)
    print(shipped.ship(options.folder, options.name, row))


def _row(options, model, results) -> dict[str, Any]:
    trained: dict[str, Any] = next((r for r in results if "options" in r), {})
    settings = trained.get("options", {})
    if not results or (not settings and not (options.views and options.data)):
        raise PresetError(
            "What is shipped needs its results (--results), and its views "
            "and data from a recipe's results.json or by --views and --data."
        )
    encoder = model.encoder
    patch = getattr(encoder, "patch_size", ("?",))[0]
    return {
        "method": type(model).__name__.lower(),
        "size": f"{settings.get('size', encoder.hidden_dim)}/{patch}",
        "image_size": encoder.image_shape[0],
        "data": options.data or card.data_of(settings),
        "views": options.views or settings["views"],
        "results": {
            figure["name"]: {
                key: figure[key] for key in ("value", "interval", "chance")
            }
            for figure in card.figures(results)
        },
    }


def _card(options, model, name):
    return card.model_card(
        model,
        name,
        [card.read_results(path) for path in options.results],
        data=options.data,
        recipe=options.recipe,
        views=options.views,
        commit=options.commit or _commit(),
        limits=options.limits,
    )


def _commit():
    """The commit of the folder that the command runs in, or None."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def _newest(place):
    path = pathlib.Path(place)
    if path.is_file():
        return path
    for folder in (path, path / "checkpoints"):
        found = sorted(folder.glob("step-*.keras"))
        if found:
            return found[-1]
    raise FileNotFoundError(
        f"There is no .keras file at {place}, and no checkpoint (step-*.keras)"
        " in it."
    )
