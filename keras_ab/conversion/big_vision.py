"""The .npz files of big_vision and of Google's vision_transformer."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_ab.conversion.source import Pixels
from keras_ab.conversion.source import Source
from keras_ab.conversion.source import image_shape_of
from keras_ab.conversion.source import patch_projection
from keras_ab.conversion.source import places_before
from keras_ab.conversion.source import prefix_and_positions

PREFIXES = (
    "",
    "params/",
    "params/img/",
    "img/",
    "opt/target/",
    "opt/target/img/",
)
NEEDED = "embedding/kernel"


def from_npz(
    state: Mapping[str, np.ndarray],
    pixels: Pixels | None = None,
    image_shape: tuple[int, int, int] | None = None,
) -> Source:
    """Reads a vision transformer of big_vision or vision_transformer.

    Args:
        state: Dict from names to arrays.
        pixels: As in `open_source`; None for `"signed"`, which both libraries
            use.
        image_shape: `(height, width, 3)` of positions that are no square.

    Returns:
        A `Source`. Its activation is the approximation by a tanh, as in Flax.

    Raises:
        ValueError: If it is of another layout.
    """
    reader = _Reader(state)
    kernel = reader("embedding/kernel")
    if kernel.ndim != 4 or kernel.shape[2] != 3:
        raise ValueError(
            "The projection of patches must have shape (height, width, 3, "
            f"hidden_dim). Received: {kernel.shape}"
        )
    *patch, _, dim = kernel.shape
    arrays = patch_projection(
        kernel, reader("embedding/bias"), pixels or "signed"
    )
    heads, depth = None, 0
    while reader.has_block(depth):
        block, heads = _block(reader, depth)
        arrays |= block
        depth += 1
    token = reader("cls", needed=False)
    positions = reader("pos_embedding", needed=False)
    if positions is None:
        positions = reader("Transformer/posembed_input/pos_embedding", False)
    arguments: dict[str, Any] = {}
    if positions is None:
        # Fixed ones are not in the file.
        arguments["positions"] = "sincos"
        if image_shape is None:
            raise ValueError(
                "The file holds no positions, so they are fixed: pass "
                "`image_shape`, (height, width, 3)."
            )
        if token is not None:
            arrays["class_embedding"] = token.reshape(1, 1, dim)
    else:
        positions = positions.reshape(-1, dim)
        patches = None
        if image_shape is not None:
            patches = image_shape[0] // patch[0] * (image_shape[1] // patch[1])
        prefixes = [0] if token is None else [1, 0]
        places = places_before(len(positions), patches, prefixes)
        arrays |= prefix_and_positions(token, positions, None, places)
        if image_shape is None:
            image_shape = image_shape_of(len(positions) - places, patch)
    arrays |= reader.norm("norm", "Transformer/encoder_norm")
    pooling = "gap" if token is None else "cls"
    if reader.has("MAPHead_0/probe"):
        arrays |= _attention_pooling(reader)
        pooling = "map"
    arguments |= {
        "image_shape": tuple(image_shape),
        "patch_size": tuple(patch),
        "hidden_dim": dim,
        "num_layers": depth,
        "num_heads": heads,
        "intermediate_dim": arrays["block_0/mlp/expand/kernel"].shape[1],
        "class_token": token is not None,
        "pooling": pooling,
        "layer_norm_epsilon": 1e-6,
        "activation": "gelu_tanh",
    }
    return Source(arguments, arrays, reader.left())


class _Reader:
    """Takes arrays out of a file, and knows which were left."""

    def __init__(self, state):
        found = [p for p in PREFIXES if p + NEEDED in state]
        if not found:
            raise ValueError(
                "The file is in no layout that is known: it lacks "
                f"{NEEDED!r} (big_vision, vision_transformer). It has: "
                f"{sorted(state)[:5]}"
            )
        self.state, self.prefix, self.used = state, found[0], set()
        # Blocks that were scanned are stacked under one name.
        self.stacked = self.has("Transformer/encoderblock/LayerNorm_0/scale")
        # vision_transformer counts the parts of a block through.
        first = "Transformer/encoderblock_0/MlpBlock_3/Dense_0/kernel"
        self.attention, self.mlp, self.second = (
            (1, 3, 2) if self.has(first) else (0, 0, 1)
        )

    def has(self, name):
        return self.prefix + name in self.state

    def has_block(self, index):
        if self.stacked:
            name = "Transformer/encoderblock/LayerNorm_0/scale"
            return index < len(self.state[self.prefix + name])
        return self.has(f"Transformer/encoderblock_{index}/LayerNorm_0/scale")

    def __call__(self, name, needed=True, index=None):
        if not self.has(name):
            if not needed:
                return None
            raise ValueError(f"The file lacks {self.prefix + name!r}.")
        self.used.add(self.prefix + name)
        value = self.state[self.prefix + name]
        value = value if index is None else value[index]
        return np.asarray(value, "float32")

    def of_block(self, index, name):
        if self.stacked:
            return self(f"Transformer/encoderblock/{name}", index=index)
        return self(f"Transformer/encoderblock_{index}/{name}")

    def norm(self, place, name):
        return {
            f"{place}/gamma": self(f"{name}/scale"),
            f"{place}/beta": self(f"{name}/bias"),
        }

    def left(self):
        return sorted(set(self.state) - self.used)


def _block(reader, index) -> tuple[dict[str, Any], int]:
    place = f"block_{index}"

    def take(name):
        return reader.of_block(index, name)

    arrays = {}
    norms = {"attention_norm": 0, "mlp_norm": reader.second}
    for norm, number in norms.items():
        arrays[f"{place}/{norm}/gamma"] = take(f"LayerNorm_{number}/scale")
        arrays[f"{place}/{norm}/beta"] = take(f"LayerNorm_{number}/bias")
    parts = f"MultiHeadDotProductAttention_{reader.attention}"
    kernel, bias, heads = _projections(take, parts, ("query", "key", "value"))
    out, out_bias, _ = _projections(take, parts, ("out",))
    arrays |= {
        f"{place}/attention/qkv/kernel": kernel,
        f"{place}/attention/qkv/bias": bias,
        f"{place}/attention/output_projection/kernel": out,
        f"{place}/attention/output_projection/bias": out_bias,
    }
    for number, dense in enumerate(("expand", "contract")):
        name = f"MlpBlock_{reader.mlp}/Dense_{number}"
        arrays[f"{place}/mlp/{dense}/kernel"] = take(f"{name}/kernel")
        arrays[f"{place}/mlp/{dense}/bias"] = take(f"{name}/bias")
    return arrays, heads


def _projections(take, parts, names):
    """Several projections beside each other; and how many heads they have."""
    kernels, biases = [], []
    for name in names:
        kernel = take(f"{parts}/{name}/kernel")
        # (D, heads, size), or (heads, size, D) on the way out.
        heads = kernel.shape[0 if name == "out" else 1]
        shape = (-1, kernel.shape[-1])
        if name != "out":
            shape = (kernel.shape[0], -1)
        kernels.append(kernel.reshape(shape))
        biases.append(take(f"{parts}/{name}/bias").reshape(-1))
    return np.concatenate(kernels, axis=1), np.concatenate(biases), heads


def _attention_pooling(reader):
    parts = "MAPHead_0/MultiHeadDotProductAttention_0"
    query, query_bias, _ = _projections(reader, parts, ("query",))
    pair, pair_bias, _ = _projections(reader, parts, ("key", "value"))
    out, out_bias, _ = _projections(reader, parts, ("out",))
    mlp = "MAPHead_0/MlpBlock_0"
    return {
        "pooling/query": reader("MAPHead_0/probe"),
        "pooling/attention/query/kernel": query,
        "pooling/attention/query/bias": query_bias,
        "pooling/attention/key_value/kernel": pair,
        "pooling/attention/key_value/bias": pair_bias,
        "pooling/attention/output_projection/kernel": out,
        "pooling/attention/output_projection/bias": out_bias,
        **reader.norm("pooling/norm", "MAPHead_0/LayerNorm_0"),
        "pooling/mlp/expand/kernel": reader(f"{mlp}/Dense_0/kernel"),
        "pooling/mlp/expand/bias": reader(f"{mlp}/Dense_0/bias"),
        "pooling/mlp/contract/kernel": reader(f"{mlp}/Dense_1/kernel"),
        "pooling/mlp/contract/bias": reader(f"{mlp}/Dense_1/bias"),
    }
