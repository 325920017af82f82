"""Opening whatever a warm start may come from."""

import json
import os
import pathlib
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_ab.conversion.big_vision import NEEDED
from keras_ab.conversion.big_vision import PREFIXES
from keras_ab.conversion.big_vision import from_npz
from keras_ab.conversion.kerashub_source import from_backbone
from keras_ab.conversion.kerashub_source import from_preset
from keras_ab.conversion.source import Pixels
from keras_ab.conversion.source import Source
from keras_ab.conversion.state_dicts import from_state_dict
from keras_ab.conversion.timm_export import METADATA
from keras_ab.typing import PathLike

ACCEPTED = (
    "'keras_hub:PRESET', a backbone of KerasHub, a .npz file of big_vision, "
    "or a .safetensors file (timm, DINO, MAE, open_clip)"
)
# What our own files say of themselves.
SETTINGS = (
    "pixels",
    "num_heads",
    "activation",
    "layer_norm_epsilon",
    "image_shape",
)


def open_source(
    source: Any, pixels: Pixels | None = None, **settings: Any
) -> Source:
    """Reads a vision transformer of another library.

    Files are read as plain arrays: .npz without pickles, and safetensors. A
    PyTorch checkpoint (.pth) is a pickle, which can run code, and is refused:
    where you trust it, `safetensors.torch.save_file(state_dict, path)` makes
    one that can be read.

    Args:
        source: `"keras_hub:PRESET"`; a backbone of KerasHub (ViT, DINOv2,
            CLIP, SigLIP); the path of a .npz or .safetensors file; or a dict
            from names to NumPy arrays.
        pixels: How the source takes pixels: `"imagenet"`, `"clip"`,
            `"signed"` (in [-1, 1]) or `(mean, std)` of pixels in [0, 1]. None
            asks the source, or knows of its kind; state dicts in timm's
            layout need to be told. It becomes part of the projection of
            patches, since ours takes pixels in [-1, 1].
        **settings: What state dicts do not say: `num_heads`, `activation`,
            `layer_norm_epsilon`; and `image_shape`, where positions are no
            square.

    Returns:
        A `Source`: `source.build()` makes a ViT, `warm_start` fills one.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be represented by a
            `keras_ab.backbones.ViT`, or says too little.

    Example:

    >>> vit = keras_ab.backbones.ViT.from_size("test", activation="gelu")
    >>> vit.build()
    >>> keras_ab.conversion.save_timm(vit, "vit.safetensors")
    >>> source = keras_ab.conversion.open_source("vit.safetensors")
    >>> source.build().hidden_dim
    # 32
    """
    if isinstance(source, Mapping):
        return _from_arrays(dict(source), pixels, settings)
    if not isinstance(source, (str, os.PathLike)):
        if settings:
            raise ValueError(
                f"A backbone has its settings. Received: {list(settings)}"
            )
        return from_backbone(source, pixels)
    place = os.fspath(source)
    if place.startswith("keras_hub:"):
        if settings:
            raise ValueError(
                f"A preset has its settings. Received: {list(settings)}"
            )
        return from_preset(place.removeprefix("keras_hub:"), pixels)
    path = pathlib.Path(place)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {place!r}. Accepted: {ACCEPTED}."
        )
    if path.suffix == ".npz":
        found = _from_arrays(_read_npz(path), pixels, settings)
    elif path.suffix == ".safetensors":
        arrays, said = _read_safetensors(path)
        found = _from_arrays(arrays, pixels, {**said, **settings})
    else:
        raise ValueError(
            f"{path.name} is in no format that is read. Accepted: {ACCEPTED}. "
            "A .pth or .bin file can run code: where you trust it, save its "
            "state dict with `safetensors.torch.save_file`."
        )
    found.name = path.name
    return found


def _from_arrays(arrays, pixels, settings):
    said = settings.pop("pixels", None)
    pixels = said if pixels is None else pixels
    if any(prefix + NEEDED in arrays for prefix in PREFIXES):
        return from_npz(arrays, pixels, **settings)
    return from_state_dict(arrays, pixels, **settings)


def _read_npz(path: PathLike) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as fault:
        raise ValueError(f"{path} cannot be read: {fault}") from fault


def _read_safetensors(path):
    """Its arrays; and what our own files say of themselves."""
    # Imported here: it comes with the extra `safetensors`.
    import safetensors

    try:
        with safetensors.safe_open(path, framework="np") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            said = (file.metadata() or {}).get(METADATA, "{}")
    except (safetensors.SafetensorError, OSError, TypeError) as fault:
        raise ValueError(f"{path} cannot be read: {fault}") from fault
    said = json.loads(said)
    return arrays, {key: said[key] for key in SETTINGS if key in said}
