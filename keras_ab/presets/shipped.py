"""Trained presets that come with the package, and the index of them.

`trained/index.json` holds a row for each, with the size and SHA-256 of every
file of its folder `trained/NAME`. `python -m keras_ab.presets ship` adds one.
"""

import json
import pathlib
import re
import shutil
from typing import Any

from keras_ab.models.preset_files import describe
from keras_ab.models.preset_files import write_json
from keras_ab.presets import catalogue
from keras_ab.presets.errors import PresetError
from keras_ab.presets.places import FILES
from keras_ab.presets.weights import check_file
from keras_ab.typing import PathLike

FOLDER = pathlib.Path(__file__).parent / "trained"
INDEX = "index.json"
LARGEST = 40 * 2**20
ROW = ("method", "size", "image_size", "data", "views", "results")


def rows() -> list[dict[str, Any]]:
    """The rows of all trained presets, as `keras_ab.presets.list` has them."""
    return [
        {
            "name": name,
            "description": "trained",
            **{key: entry[key] for key in ROW},
            "weights": True,
        }
        for name, entry in sorted(index().items())
    ]


def index() -> dict[str, Any]:
    """What the index says, by names of presets."""
    path = FOLDER / INDEX
    return json.loads(path.read_text()) if path.is_file() else {}


def check(name: str) -> pathlib.Path:
    """Compares the files of a preset with the index.

    Args:
        name: A name of the index.

    Returns:
        The preset's folder.

    Raises:
        PresetError: If a file is another one, or missing.
    """
    folder = FOLDER / name
    for file, expected in index()[name]["files"].items():
        if file not in FILES or not (folder / file).is_file():
            raise PresetError(f"{folder / file} is missing: install anew.")
        check_file(folder / file, expected, "the index of keras_ab")
    return folder


def ship(preset: PathLike, name: str, row: dict[str, Any]) -> pathlib.Path:
    """Adds a preset to those that come with the package.

    Args:
        preset: The preset's folder.
        name: String, its name: lower-case letters, digits and underscores.
        row: Dict of what the table says: the keys of `ROW`.

    Returns:
        Where it was copied to.

    Raises:
        PresetError: If the name is taken or has other characters, the card
            is missing, or all of them together would be too large.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise PresetError(
            "A preset's name must be of lower-case letters, digits and "
            f"underscores. Received: {name!r}"
        )
    if name in catalogue.names():
        raise PresetError(f"{name!r} is the name of a configuration.")
    found = {
        file: pathlib.Path(preset) / file
        for file in FILES
        if (pathlib.Path(preset) / file).is_file()
    }
    lacks = [file for file in FILES if file not in found]
    if lacks:
        raise PresetError(f"{preset} lacks {', '.join(lacks)}.")
    entries = index()
    entries[name] = {
        **{key: row[key] for key in ROW},
        "files": {file: describe(path) for file, path in found.items()},
    }
    total = sum(
        file["bytes"]
        for entry in entries.values()
        for file in entry["files"].values()
    )
    if total > LARGEST:
        raise PresetError(
            f"All trained presets would take {total:,} bytes together, more "
            f"than {LARGEST:,}."
        )
    target = FOLDER / name
    target.mkdir(parents=True, exist_ok=True)
    for file, path in found.items():
        shutil.copyfile(path, target / file)
    write_json(FOLDER / INDEX, dict(sorted(entries.items())))
    return target
