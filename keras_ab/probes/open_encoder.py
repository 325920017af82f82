"""Opening an encoder by a path, or by the name of a model."""

import os
import pathlib
from typing import Any

import keras

from keras_ab import presets
from keras_ab.data.by_name import FORM
from keras_ab.data.by_name import by_name
from keras_ab.models.preset_files import CONFIG
from keras_ab.probes.frozen_encoder import FrozenEncoder
from keras_ab.typing import PathLike

ACCEPTED = (
    "a .keras file; a folder of checkpoints (step-*.keras), of which the "
    "newest is taken; a preset's folder, or 'preset:NAME'; "
    "'keras_hub:PRESET'; 'applications:NAME', a class of "
    "keras.applications with ImageNet's weights; or 'module:name', any "
    "encoder in Python, 'module:name()' if it is what a call returns"
)
APPLICATION_SIZE = 224


def open_encoder(spec: PathLike, **options: Any) -> FrozenEncoder:
    """Opens what a path or a name stands for.

    Accepted are

    - a `.keras` file, such as `model.save` writes;
    - a folder of `keras_ab.callbacks.Checkpoint`'s, of which the newest is
      taken;
    - the folder of a preset, or `"preset:NAME"`, whatever
      `keras_ab.presets.load` opens;
    - `"keras_hub:PRESET"`, a backbone of KerasHub, with the pixels scaled as
      the preset says, or to [-1, 1] where it does not;
    - `"applications:NAME"`, a class of keras.applications without its top,
      with ImageNet's weights, and pixels scaled by its `preprocess_input`;
    - `"module:name"`, anything in Python that `FrozenEncoder` takes, or
      `"module:name()"` for what a function without arguments returns.

    Args:
        spec: String or path.
        **options: Arguments of `keras_ab.probes.FrozenEncoder`, in place of
            what would be found out.

    Returns:
        A `FrozenEncoder`, by default named as the file, preset or class.

    Raises:
        FileNotFoundError: If there is no such path, and no such model.
        ValueError: If the file holds no model that can be loaded.

    Example:

    >>> model.save("abclip.keras")
    >>> keras_ab.probes.open_encoder("abclip.keras").name
    # 'abclip'
    """
    spec = os.fspath(spec)
    path = pathlib.Path(spec)
    kind, _, rest = spec.partition(":")
    if path.is_dir() and (path / CONFIG).is_file():
        encoder, found = presets.load(path), {"name": path.name}
    elif path.is_dir():
        encoder, found = _load(_newest(path)), {"name": path.name}
    elif path.is_file():
        encoder, found = _load(path), {"name": path.stem}
    elif kind == "preset" and rest:
        encoder, found = presets.load(rest), {"name": rest.rpartition("/")[2]}
    elif kind == "keras_hub" and rest:
        encoder, found = _from_hub(rest)
    elif kind == "applications" and rest:
        encoder, found = _application(rest)
    elif FORM.fullmatch(spec.removesuffix("()")):
        encoder, found = _import(spec)
    else:
        raise FileNotFoundError(
            f"There is no model {spec!r}. Accepted: {ACCEPTED}."
        )
    given = {key: value for key, value in options.items() if value is not None}
    return FrozenEncoder(encoder, **{**found, **given})


def _newest(folder):
    found = sorted(folder.glob("step-*.keras"))
    if not found:
        raise FileNotFoundError(
            f"The folder {str(folder)!r} holds no checkpoint (step-*.keras). "
            f"Accepted: {ACCEPTED}."
        )
    return found[-1]


def _load(path):
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:
        raise ValueError(
            f"{path} holds no model that can be loaded: "
            f"{type(error).__name__}: {error}"
        ) from error


def _from_hub(preset):
    # Imported here: KerasHub comes with the extra `hub`.
    import keras_hub

    backbone = keras_hub.models.Backbone.from_preset(preset)
    found = {"name": preset.rstrip("/").rpartition("/")[2]}
    try:
        converter = keras_hub.layers.ImageConverter.from_preset(preset)
    except (ValueError, FileNotFoundError):
        # A preset of the backbone alone.
        return backbone, found
    if converter.image_size is not None:
        found["image_size"] = tuple(converter.image_size)
    return backbone, {**found, "scale": _by(converter)}


def _by(converter):
    def scale(pixels):
        # It also resizes, which here changes nothing.
        return keras.ops.convert_to_numpy(converter(pixels))

    return scale


def _application(name):
    modules = [
        module
        for module in vars(keras.applications).values()
        if hasattr(module, "preprocess_input") and hasattr(module, name)
    ]
    if not modules:
        raise FileNotFoundError(
            f"keras.applications has no model {name!r}. Accepted: {ACCEPTED}."
        )
    size = APPLICATION_SIZE
    model = getattr(modules[0], name)(
        include_top=False, input_shape=(size, size, 3)
    )
    return model, {
        "name": name,
        "image_size": size,
        "scale": modules[0].preprocess_input,
    }


def _import(spec):
    name = spec.removesuffix("()")
    found = by_name(name, "an encoder", ACCEPTED)
    if spec.endswith("()"):
        found = found()
    return found, {"name": name.rpartition(":")[2].rpartition(".")[2]}
