"""Opening a preset, by a name, a path or an address."""

import copy
import json
import os
import warnings
from typing import Any

import keras

from keras_ab.models import Pretrainer
from keras_ab.models.preset_files import CONFIG
from keras_ab.models.preset_files import METADATA
from keras_ab.models.preset_files import WEIGHTS
from keras_ab.presets import catalogue
from keras_ab.presets import places
from keras_ab.presets import shipped
from keras_ab.presets.budget import weight_budget
from keras_ab.presets.configs import check_config
from keras_ab.presets.configs import read_config
from keras_ab.presets.errors import PresetError
from keras_ab.presets.weights import check_file
from keras_ab.presets.weights import check_weights
from keras_ab.typing import PathLike

MAX_BYTES = 8 * 2**30
# Heads may have a weight or two that the file does not: counters, seeds.
SLACK = 4096


def load(
    name_or_path: PathLike,
    load_weights: bool = True,
    custom_objects: dict[str, Any] | None = None,
    max_bytes: int = MAX_BYTES,
    **overrides: Any,
) -> Pretrainer:
    """Opens a preset.

    Nothing that a preset holds is trusted: the configuration may name classes
    of keras_ab, Keras and KerasHub alone, and none that can hold code; the
    weights file is looked at array by array before anything is built; a
    model that is larger than its weights file is refused before its memory
    is asked for; and nothing is unpickled, imported by name, or written.

    Args:
        name_or_path: A name of `keras_ab.presets.list()`; a folder or an
            archive that `save_to_preset` wrote;
            `"kaggle://USER/MODEL/keras/VARIANT"`, `"hf://USER/MODEL"` or
            `"gs://BUCKET/FOLDER"`.
        load_weights: Bool. False leaves weights at their random start. A
            configuration has none, which a warning says.
        custom_objects: Dict from names to classes of your own that the
            preset may use, such as a reward's.
        max_bytes: Int, the most that a file, and the model's weights, may
            take.
        **overrides: Arguments of the model's class, in place of the
            preset's. Those of a configuration may be anything that the class
            takes, such as `tokenizer` or `image_shape`; of a saved model
            `dtype`, and settings that are numbers, such as `gamma`.

    Returns:
        A `keras_ab.models.Pretrainer`, to be compiled.

    Raises:
        FileNotFoundError: If there is no such preset.
        PresetError: If it is damaged, or is not what may be opened; the
            message says what was found, and nothing of it was run.
        ValueError: For an override that the class does not take.

    Example:

    >>> model = keras_ab.presets.load(
    ...     "clip_ti16", load_weights=False, image_shape=(32, 32, 3)
    ... )
    >>> model.encoder.hidden_dim
    # 192
    """
    name = os.fspath(name_or_path)
    if name in catalogue.names():
        if load_weights:
            warnings.warn(
                f"{name!r} is a configuration without weights: the model "
                "starts at random. `load_weights=False` says so too.",
                stacklevel=2,
            )
        with weight_budget(max_bytes // 4):
            return catalogue.build(*catalogue.names()[name], **overrides)
    place = shipped.check(name) if name in shipped.index() else name
    try:
        with places.opened(place, max_bytes, load_weights) as files:
            return _open(
                files, load_weights, custom_objects, max_bytes, overrides
            )
    except MemoryError as error:
        raise PresetError(f"{name} asks for too much memory.") from error


def _open(files, load_weights, custom_objects, max_bytes, overrides):
    config = read_config(files[CONFIG])
    check_config(config, custom_objects)
    numbers = max_bytes // 4
    _check_metadata(files, load_weights)
    if load_weights:
        held = check_weights(files[WEIGHTS], max_bytes)
        numbers = min(numbers, held + SLACK)
    config = _overridden(config, overrides)
    model = _build(config, custom_objects, numbers)
    if load_weights:
        try:
            model.load_weights(files[WEIGHTS])
        except (ValueError, KeyError, OSError) as error:
            raise PresetError(
                f"{WEIGHTS} does not fit {CONFIG}: {error}"
            ) from error
    return model


def _check_metadata(files, load_weights):
    """Holds the files against what the preset itself says of them."""
    if METADATA not in files:
        return
    said = read_config(files[METADATA]).get("files", {})
    if not isinstance(said, dict):
        raise PresetError(f"{METADATA} must say of each file what it is.")
    for name, expected in said.items():
        if name not in places.FILES or not isinstance(expected, dict):
            raise PresetError(
                f"{METADATA} speaks of {name!r}, which is no file of a "
                f"preset: {', '.join(places.FILES)}."
            )
        if name in files:
            check_file(files[name], expected, METADATA)
        elif name == WEIGHTS and load_weights:
            raise PresetError(f"{METADATA} speaks of {name}, which is missing.")


def _overridden(config, overrides):
    config = copy.deepcopy(config)
    inner = config.get("config")
    if not isinstance(inner, dict):
        raise PresetError(f"{CONFIG} must hold the arguments of a model.")
    overrides = dict(overrides)
    if overrides.get("dtype") is not None:
        policy = keras.dtype_policies.get(overrides.pop("dtype"))
        policy = keras.dtype_policies.serialize(policy)
        inner = config["config"] = _with_dtype(inner, inner["dtype"], policy)
    unknown = [key for key in overrides if key not in inner]
    if unknown:
        raise ValueError(
            f"This preset has no arguments {unknown}. Accepted: {sorted(inner)}"
        )
    inner.update(
        (key, keras.saving.serialize_keras_object(value))
        for key, value in overrides.items()
    )
    return config


def _with_dtype(value, old, new):
    """Replaces a model's dtype policy in it and in all that it holds."""
    if value == old:
        return new
    if isinstance(value, dict):
        return {k: _with_dtype(v, old, new) for k, v in value.items()}
    return value


def _build(config, custom_objects, numbers):
    try:
        with weight_budget(numbers):
            model = keras.saving.deserialize_keras_object(
                config, custom_objects=custom_objects, safe_mode=True
            )
    except PresetError:
        raise
    except Exception as error:
        # Whatever wrong arguments may lead to.
        raise PresetError(
            f"{CONFIG} builds no model: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(model, Pretrainer):
        raise PresetError(
            f"{CONFIG} must describe a model of keras_ab. Received: "
            f"{json.dumps(config.get('class_name'))}"
        )
    return model
