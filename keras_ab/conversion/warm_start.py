"""Weights of another model into an encoder of ours."""

import dataclasses
import posixpath
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.backbones import ViT
from keras_ab.conversion.source import Source
from keras_ab.layers.positions import resize_matrix
from keras_ab.layers.sincos import sincos_table

# They change what is computed and show in no shape.
SETTINGS = ("activation", "num_heads", "layer_norm_epsilon", "patch_size")
POSITIONS = "positions/embeddings"


@dataclasses.dataclass
class Report:
    """What a warm start took, and what it did not.

    Attributes:
        taken: List of the encoder's weights that were filled.
        missing: List of the encoder's weights that the source lacks, and that
            stayed as they were.
        unused: List of names in the source that went nowhere.
        differing: List of sentences on what does not fit; empty unless
            `strict=False`.
        notes: List of sentences on what was done to fit.
    """

    taken: list[str] = dataclasses.field(default_factory=list)
    missing: list[str] = dataclasses.field(default_factory=list)
    unused: list[str] = dataclasses.field(default_factory=list)
    differing: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{len(self.taken)} weights were taken."]
        for title in ("missing", "unused", "differing", "notes"):
            found = getattr(self, title)
            if found:
                lines.append(f"{title}: {len(found)}")
                lines += [f"  {line}" for line in found]
        return "\n".join(lines)


def warm_start(
    model: keras.layers.Layer, source: Source, strict: bool = True
) -> Report:
    """Fills an encoder with the weights of a source.

    Position embeddings of another grid are resized (bicubic, antialiased).

    Args:
        model: A built `keras_ab.backbones.ViT`, or a model of
            `keras_ab.models`: then its target network is filled too.
        source: What `open_source` returned.
        strict: Bool. True refuses an encoder that would compute something
            else; False takes what fits and lists the rest.

    Returns:
        A `Report`.

    Raises:
        ValueError: If something does not fit; nothing was changed then.

    Example:

    >>> vit = keras_ab.backbones.ViT.from_size("test", activation="gelu")
    >>> vit.build()
    >>> keras_ab.conversion.save_timm(vit, "vit.safetensors")
    >>> source = keras_ab.conversion.open_source("vit.safetensors")
    >>> encoder = keras_ab.backbones.ViT(**source.arguments)
    >>> model = keras_ab.models.SimCLR(encoder, hidden_dims=(16,))
    >>> keras_ab.conversion.warm_start(model, source).missing
    # []
    """
    encoders = [model]
    if hasattr(model, "online"):
        networks = (model.online, model.target)
        encoders = [n.encoder for n in networks if n is not None]
    first = encoders[0]
    if not isinstance(first, ViT) or not first.built:
        raise ValueError(
            "A warm start fills a built `keras_ab.backbones.ViT`, or a model "
            f"that has one. Received: {model!r}"
        )
    report = Report(unused=list(source.unused), notes=list(source.notes))
    values = _fitting(first, source, report)
    if strict and report.differing:
        raise ValueError(
            f"{source.name} does not fit the encoder: "
            f"{'; '.join(report.differing)}. Build the encoder with "
            "`ViT(**source.arguments)` or `source.build()`, or pass "
            "`strict=False` to take what fits. Nothing was changed."
        )
    for encoder in encoders:
        variables = variables_of(encoder)
        for path, value in values.items():
            variables[path].assign(value)
    report.taken = list(values)
    report.missing = [p for p in variables_of(first) if p not in values]
    return report


def variables_of(encoder: ViT) -> dict[str, keras.Variable]:
    """The weights of an encoder by their paths inside it.

    Args:
        encoder: A built `keras_ab.backbones.ViT`.

    Returns:
        Dict such as `{"block_0/mlp/expand/kernel": ...}`.
    """
    paths = [variable.path for variable in encoder.weights]
    start = len(posixpath.commonpath(paths)) + 1
    return {variable.path[start:]: variable for variable in encoder.weights}


def arrays_of(encoder: ViT) -> dict[str, np.ndarray]:
    """The same as NumPy arrays, positions that are computed among them.

    Args:
        encoder: A built `keras_ab.backbones.ViT`.

    Returns:
        Dict of float32 arrays.
    """
    arrays = {
        path: np.asarray(ops.convert_to_numpy(variable), "float32")
        for path, variable in variables_of(encoder).items()
    }
    if encoder.kind_of_positions == "sincos":
        arrays[POSITIONS] = sincos_table(encoder.grid_shape, encoder.hidden_dim)
    return arrays


def _fitting(encoder, source, report) -> dict[str, Any]:
    """The values to assign; what does not fit goes into the report."""
    theirs = {**_defaults(), **source.arguments}
    ours = encoder.get_config()
    for key in SETTINGS:
        if ours[key] != theirs[key]:
            report.differing.append(
                f"{key} is {ours[key]!r}, the source's {theirs[key]!r}"
            )
    variables = variables_of(encoder)
    values = {}
    for path, value in source.arrays.items():
        if path == POSITIONS:
            value = _positions(encoder, source, value, report)
            if value is None:
                continue
        variable = variables.get(path)
        if variable is None:
            report.unused.append(path)
            # Pooling is the last thing, and may be another one.
            if not path.startswith("pooling/"):
                report.differing.append(f"the encoder has no {path}")
        elif tuple(variable.shape) != value.shape:
            report.unused.append(path)
            report.differing.append(
                f"{path} has shape {tuple(variable.shape)}, the source's "
                f"{value.shape}"
            )
        else:
            values[path] = value
    lacks = [
        path
        for path in variables
        if path not in values
        and path not in source.arrays
        and not path.startswith("pooling/")
    ]
    report.differing += [f"the source has no {path}" for path in lacks]
    return values


def _defaults():
    # Of what a source need not mention.
    return {"activation": "gelu_tanh", "layer_norm_epsilon": 1e-6}


def _positions(encoder, source, value, report):
    """Positions for the encoder's grid, or None where they are fixed."""
    if value.shape[-1] != encoder.hidden_dim:
        return value
    grid, wanted = source.grid_shape, encoder.grid_shape
    if encoder.kind_of_positions == "sincos":
        table = sincos_table(grid, encoder.hidden_dim)
        if np.abs(table - value).max() > 1e-4:
            report.differing.append(
                "the encoder's positions are fixed, and the source's others"
            )
        else:
            report.notes.append("positions are the fixed ones of the encoder")
        return None
    if grid == wanted:
        return value
    report.notes.append(
        f"positions were resized from {grid[0]} x {grid[1]} to "
        f"{wanted[0]} x {wanted[1]}"
    )
    rows, columns = map(resize_matrix, grid, wanted)
    value = value.reshape(*grid, -1)
    value = np.einsum("ar,bc,rcd->abd", rows, columns, value)
    return value.reshape(-1, encoder.hidden_dim)
