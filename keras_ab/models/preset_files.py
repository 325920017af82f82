"""A model as the files of a preset, in KerasHub's format."""

import datetime
import hashlib
import json
import os
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Collection
from typing import Any

import keras

from keras_ab.typing import PathLike

CONFIG, METADATA = "config.json", "metadata.json"
WEIGHTS, CARD = "model.weights.h5", "README.md"
# What a preset does not keep: it is no run that goes on.
LEFT_OUT = ("compile_config", "build_config")


def write_preset(
    model: keras.Model,
    folder: PathLike,
    card: str | None = None,
) -> pathlib.Path:
    """Writes a model as a preset.

    The files are written aside and then moved, so that a folder holds a whole
    preset or none; those of a preset that is there are replaced.

    Args:
        model: A built `keras.Model`.
        folder: The folder, made where it is missing.
        card: The model card's text, or None for none.

    Returns:
        The path of the folder.

    Raises:
        FileExistsError: If there is something else than a preset.
    """
    folder = pathlib.Path(folder)
    check_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=".unfinished-", dir=folder.parent
    ) as temporary:
        aside = pathlib.Path(temporary) / folder.name
        aside.mkdir()
        write_json(aside / CONFIG, model_config(model))
        model.save_weights(aside / WEIGHTS)
        if card is not None:
            (aside / CARD).write_text(card, encoding="utf-8")
        files = {path.name: describe(path) for path in sorted(aside.iterdir())}
        metadata = {
            "keras_version": keras.version(),
            "keras_ab_version": sys.modules["keras_ab"].__version__,
            "parameter_count": model.count_params(),
            "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
            "tasks": [],
            "files": files,
        }
        write_json(aside / METADATA, metadata)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(aside, folder)
    return folder


def model_config(model: keras.Model) -> dict[str, Any]:
    """What `config.json` holds of a model: how to build it."""
    config = keras.saving.serialize_keras_object(model)
    return _without(config, LEFT_OUT)


def _without(value, keys):
    if isinstance(value, dict):
        return {
            key: _without(part, keys)
            for key, part in value.items()
            if key not in keys
        }
    if isinstance(value, (list, tuple)):
        return [_without(part, keys) for part in value]
    return value


def check_free(
    folder: pathlib.Path, more: Collection[str] = frozenset()
) -> None:
    """Raises `FileExistsError` for a path that is in use otherwise.

    Args:
        folder: The path.
        more: Names of further files that a preset may have.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FileExistsError(
            f"A preset is a folder, and {folder} is a file. Nothing was "
            "written."
        )
    others = {path.name for path in folder.iterdir()} - {
        CONFIG,
        METADATA,
        WEIGHTS,
        CARD,
        *more,
    }
    if others:
        raise FileExistsError(
            f"The folder {folder} holds what belongs to no preset: "
            f"{sorted(others)[:5]}. Nothing was written: name another folder."
        )


def describe(path: PathLike) -> dict[str, Any]:
    """What tells a file from any other: its size and SHA-256.

    Args:
        path: Path of a file.

    Returns:
        Dict of `"bytes"` and `"sha256"`.
    """
    with open(path, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"bytes": os.path.getsize(path), "sha256": digest}


def write_json(path: PathLike, value: dict[str, Any]) -> None:
    """Writes a dict as JSON, indented as KerasHub does."""
    text = json.dumps(value, indent=4) + "\n"
    pathlib.Path(path).write_text(text, encoding="utf-8")
