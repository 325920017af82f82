"""Configurations from somebody else: only classes that are known."""

import inspect
import json
import pathlib
from typing import Any

import keras

from keras_ab.presets.errors import PresetError

LONGEST_FILE = 64 * 2**20
DEEPEST = 100
NAMES = ("class_name", "registered_name", "module")
# What stands for plain data, and runs nothing.
DATA = {
    "__tuple__",
    "__numpy__",
    "__tensor__",
    "__bytes__",
    "__slice__",
    "__ellipsis__",
    "__keras_tensor__",
}
# Where Keras keeps what models are made of.
KERAS_MODULES = {
    "keras",
    "keras.layers",
    "keras.models",
    "keras.initializers",
    "keras.regularizers",
    "keras.constraints",
    "keras.dtype_policies",
    "keras.random",
}
# Keras writes down where it keeps the class of functional models.
FUNCTIONAL = {
    # What a ConvNeXt of Keras is made of, which has no public name.
    ("keras.src.applications.convnext", "LayerScale"),
    ("keras.src.ops.numpy", "Add"),
    ("keras", "Functional"),
    ("keras.models", "Functional"),
    ("keras.src.models.functional", "Functional"),
    ("keras", "Sequential"),
    ("keras.models", "Sequential"),
    ("keras.src.models.sequential", "Sequential"),
}
# They hold code, or open files.
REFUSED = {
    "Lambda",
    "TorchModuleWrapper",
    "TFSMLayer",
    "JaxLayer",
    "FlaxLayer",
    "StringLookup",
    "IntegerLookup",
    "TextVectorization",
}
LIBRARIES = ("keras_ab", "keras_hub", "keras_cv")
# Some arrays are made in plain NumPy, before any weight: tables of positions
# and of bins. These bound them.
LARGEST_INT = 2**26
LARGEST = {"num_layers": 1000, "num_bins": 2**20}
LARGEST_SIDE = 2**14
LARGEST_TABLE = 2**28


def read_config(path: pathlib.Path) -> dict[str, Any]:
    """Reads a configuration as plain data.

    Args:
        path: Path of a JSON file.

    Returns:
        A dict.

    Raises:
        PresetError: If it is too long, or no JSON object.
    """
    if path.stat().st_size > LONGEST_FILE:
        raise PresetError(
            f"{path.name} is longer than {LONGEST_FILE:,} bytes: "
            f"{path.stat().st_size:,}."
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise PresetError(f"{path.name} is no JSON: {error}") from error
    if not isinstance(config, dict):
        raise PresetError(
            f"{path.name} must hold an object. Received: "
            f"{type(config).__name__}"
        )
    return config


def check_config(
    config: Any, custom_objects: dict[str, Any] | None = None
) -> None:
    """Refuses a configuration that names anything but known classes.

    Known are the classes of this package, of Keras (without those that hold
    code), of KerasHub and KerasCV, and what the user names. Nothing is
    imported for a name, and nothing is built.

    Args:
        config: What `read_config` returned.
        custom_objects: Dict from names to classes that the user trusts.

    Raises:
        PresetError: If there is anything else, or a size beyond reason.
    """
    _walk(config, "config.json", custom_objects or {}, 0)


def _walk(value, place, custom_objects, depth):
    if depth > DEEPEST:
        raise PresetError(f"config.json is nested more than {DEEPEST} deep.")
    if isinstance(value, dict):
        parts = value
        if "class_name" in value:
            _check_class(value, place, custom_objects)
            parts = {k: v for k, v in value.items() if k not in NAMES}
        _check_tables(value, place)
        for key, part in parts.items():
            below = f"{place}: {key}"
            if key in LARGEST and isinstance(part, int):
                _check_int(part, below, LARGEST[key])
            _walk(part, below, custom_objects, depth + 1)
    elif isinstance(value, (list, tuple)):
        for part in value:
            _walk(part, place, custom_objects, depth + 1)
    elif isinstance(value, int):
        _check_int(value, place, LARGEST_INT)
    elif isinstance(value, str) and ">" in value:
        # Keras takes such a string for the object of this name.
        _check_string(value, place, custom_objects)


def _check_int(value, place, largest):
    # A count of updates is no size.
    if place.endswith("steps"):
        return
    if abs(value) > largest:
        raise PresetError(
            f"{place} is {value:,}, beyond what a model may ask for: "
            f"{largest:,}."
        )


def _check_tables(config, place):
    shape = config.get("image_shape", config.get("grid_shape"))
    if not isinstance(shape, (list, tuple)) or len(shape) < 2:
        return
    sides = [side for side in shape[:2] if isinstance(side, int)]
    if any(side > LARGEST_SIDE for side in sides):
        raise PresetError(
            f"{place} has sides of {shape}, beyond {LARGEST_SIDE:,}."
        )
    patch = config.get("patch_size", 1)
    patch = patch if isinstance(patch, (list, tuple)) else (patch, patch)
    width = config.get("hidden_dim", 1)
    numbers = [*sides, *patch, width]
    if not all(isinstance(n, int) and n > 0 for n in numbers):
        return
    table = width
    for side, step in zip(sides, patch):
        table *= max(side // step, 1)
    if table > LARGEST_TABLE:
        raise PresetError(
            f"{place} asks for {table:,} numbers of positions, beyond "
            f"{LARGEST_TABLE:,}."
        )


def _check_class(config, place, custom_objects):
    name = config["class_name"]
    registered = config.get("registered_name")
    module = config.get("module")
    said = f"{place}: class {name!r}"
    if not isinstance(name, str) or not isinstance(
        registered, (str, type(None))
    ):
        raise PresetError(f"{said} is no name.")
    if name in DATA:
        return
    if name in REFUSED or name.startswith("__"):
        raise PresetError(f"{said} is refused: it can hold code or open files.")
    if registered in custom_objects or name in custom_objects:
        return
    if registered is not None and _is_known(registered):
        return
    found = keras.saving.get_registered_object(registered or name)
    # Keras refuses another registered name for a class of its own.
    if (
        found is None
        and registered in (None, name)
        and ((module, name) in FUNCTIONAL or _is_of_keras(module, name))
    ):
        return
    raise PresetError(
        f"{said} (module {module!r}, registered as {registered!r}) is not "
        "known. Known are classes of keras_ab, Keras and KerasHub; name a "
        "class of your own in `custom_objects`, and only if you trust it."
    )


def _is_known(registered):
    """Whether a registered name is that of a class of a known library."""
    library = registered.partition(">")[0]
    if library not in LIBRARIES:
        return False
    if library == "keras_hub" and not _import_hub(registered):
        return False
    found = keras.saving.get_registered_object(registered)
    return (
        inspect.isclass(found)
        and found.__module__.partition(".")[0] == library
        and found.__name__ not in REFUSED
    )


def _import_hub(registered):
    """Has KerasHub register its classes; whether this is one for images."""
    try:
        import keras_hub
    except ImportError as error:
        raise PresetError(
            f"config.json names {registered!r}, which needs KerasHub: pip "
            f"install keras-hub. ({error})"
        ) from error
    found = keras.saving.get_registered_object(registered)
    # Tokenizers open the files that their configurations name.
    tokenizer = keras_hub.tokenizers.Tokenizer
    return inspect.isclass(found) and not issubclass(found, tokenizer)


def _is_of_keras(module, name):
    """Whether a module of Keras' public names has this class."""
    if module not in KERAS_MODULES:
        return False
    place = keras
    for part in module.split(".")[1:]:
        place = getattr(place, part, None)
    return inspect.isclass(getattr(place, name, None))


def _check_string(value, place, custom_objects):
    if value in custom_objects or _is_known(value):
        return
    if keras.saving.get_registered_object(value) is not None:
        raise PresetError(
            f"{place} names {value!r}, which is not known. Name it in "
            "`custom_objects`, and only if you trust it."
        )
