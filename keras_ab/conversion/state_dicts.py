"""State dicts of PyTorch: timm, DINO, DINOv2, MAE and open_clip."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_ab.conversion.source import Pixels
from keras_ab.conversion.source import Source
from keras_ab.conversion.source import heads_of
from keras_ab.conversion.source import image_shape_of
from keras_ab.conversion.source import patch_projection
from keras_ab.conversion.source import places_before
from keras_ab.conversion.source import prefix_and_positions

# What checkpoints put before the names of the encoder's weights.
PREFIXES = (
    "",
    "module.",
    "backbone.",
    "module.backbone.",
    "encoder.",
    "module.encoder.",
    "visual.trunk.",
    "module.visual.trunk.",
)
CLIP_PREFIXES = ("visual.", "module.visual.", "")
# open_clip's names, part by part, in timm's.
FROM_CLIP = (
    ("transformer.resblocks.", "blocks."),
    ("conv1.", "patch_embed.proj."),
    ("class_embedding", "cls_token"),
    ("positional_embedding", "pos_embed"),
    ("ln_pre.", "norm_pre."),
    ("ln_post.", "norm."),
    (".ln_1.", ".norm1."),
    (".ln_2.", ".norm2."),
    (".attn.in_proj_", ".attn.qkv."),
    (".attn.out_proj.", ".attn.proj."),
    (".mlp.c_fc.", ".mlp.fc1."),
    (".mlp.c_proj.", ".mlp.fc2."),
    (".ls_1.", ".ls1."),
    (".ls_2.", ".ls2."),
)
NEEDED = "patch_embed.proj.weight"


def from_state_dict(
    state: Mapping[str, np.ndarray],
    pixels: Pixels | None = None,
    num_heads: int | None = None,
    activation: str | None = None,
    layer_norm_epsilon: float | None = None,
    image_shape: tuple[int, int, int] | None = None,
) -> Source:
    """Reads a state dict in the layout of timm or of open_clip.

    DINO, DINOv2 and MAE have timm's.

    Args:
        state: Dict from names to arrays.
        pixels: As in `open_source`.
        num_heads: Int; None for 64 numbers a head, as published models have.
        activation: As in `keras_ab.backbones.ViT`; None for `"gelu"`.
            OpenAI's own CLIP has `"quick_gelu"`.
        layer_norm_epsilon: Float; None for 1e-6, or 1e-5 of open_clip.
        image_shape: `(height, width, 3)` of positions that are no square.

    Returns:
        A `Source`.

    Raises:
        ValueError: If it is of another layout, or says too little.
    """
    names, is_clip = _names(state)
    taken = _Taken(state, names)
    if pixels is None:
        if not is_clip:
            raise ValueError(
                "A state dict does not say how pixels are scaled: pass "
                "`pixels`, 'imagenet' (DINO, DINOv2, MAE, I-JEPA), 'signed' "
                "([-1, 1]; most of timm's own) or (mean, std)."
            )
        pixels = "clip"
    weight = taken(NEEDED)
    if weight.ndim != 4 or weight.shape[1] != 3:
        raise ValueError(
            "The projection of patches must have shape (hidden_dim, 3, "
            f"height, width). Received: {weight.shape}"
        )
    dim, _, *patch = weight.shape
    arrays = patch_projection(
        weight.transpose(2, 3, 1, 0),
        taken("patch_embed.proj.bias", needed=False),
        pixels,
    )
    depth = 0
    while f"blocks.{depth}.norm1.weight" in names:
        arrays |= _block(taken, depth)
        depth += 1
    embedded = _embedding(taken, patch, image_shape)
    arrays |= embedded.pop("arrays")
    norm = next(
        (n for n in ("norm", "fc_norm") if f"{n}.weight" in names), None
    )
    notes = []
    if norm is None:
        raise ValueError("The state dict has no last normalisation.")
    arrays |= _norm("norm", taken, norm)
    if "norm_pre.weight" in names:
        arrays |= _norm("embedding_norm", taken, "norm_pre")
    pooling = "cls" if embedded["class_token"] else "gap"
    if norm == "fc_norm":
        notes.append(
            "the last normalisation came after pooling, and is now before: "
            "pooled features differ"
        )
        pooling = "gap"
    if "attn_pool.latent" in names:
        arrays |= _attention_pooling(taken)
        pooling = "map"
    if any(".ls1." in name for name in names):
        notes.append("layer scales became part of the kernels they follow")
    arguments = {
        **embedded,
        "patch_size": tuple(patch),
        "hidden_dim": dim,
        "num_layers": depth,
        "num_heads": heads_of(dim, num_heads),
        "intermediate_dim": arrays["block_0/mlp/expand/kernel"].shape[1],
        "pooling": pooling,
        "pre_norm": "norm_pre.weight" in names,
        "layer_norm_epsilon": layer_norm_epsilon or (1e-5 if is_clip else 1e-6),
        "activation": activation or "gelu",
    }
    return Source(arguments, arrays, taken.left(), notes)


def _names(state):
    """Names in timm's layout to those of the state dict."""
    for prefix in PREFIXES:
        if prefix + NEEDED in state:
            names = {
                name.removeprefix(prefix): name
                for name in state
                if name.startswith(prefix)
            }
            return names, False
    for prefix in CLIP_PREFIXES:
        if f"{prefix}conv1.weight" in state:
            names = {
                _from_clip(name.removeprefix(prefix)): name
                for name in state
                if name.startswith(prefix)
            }
            return names, True
    raise ValueError(
        f"The state dict is in no layout that is known: it has neither "
        f"{NEEDED!r} (timm, DINO, MAE) nor 'visual.conv1.weight' (open_clip). "
        f"It has: {sorted(state)[:5]}"
    )


def _from_clip(name):
    for theirs, timms in FROM_CLIP:
        name = name.replace(theirs, timms)
    return name


class _Taken:
    """Takes arrays out of a state dict, and knows which were left."""

    def __init__(self, state, names):
        self.state, self.names = state, names
        self.used = set()

    def __call__(self, name, needed=True):
        if name not in self.names:
            if not needed:
                return None
            raise ValueError(
                f"The state dict lacks {name!r} (in timm's names)."
            )
        self.used.add(self.names[name])
        return np.asarray(self.state[self.names[name]], "float32")

    def dense(self, place, name, scale=None):
        """A linear layer as kernel and bias; no bias is one of zeros."""
        kernel = self(f"{name}.weight").T
        bias = self(f"{name}.bias", needed=False)
        if bias is None:
            bias = np.zeros(kernel.shape[1], "float32")
        if scale is not None:
            kernel, bias = kernel * scale, bias * scale
        return {f"{place}/kernel": kernel, f"{place}/bias": bias}

    def left(self):
        return sorted(set(self.state) - self.used)


def _block(taken, index):
    name, place = f"blocks.{index}", f"block_{index}"
    if f"{name}.mlp.w12.weight" in taken.names:
        raise ValueError(
            "The source has SwiGLU in its MLPs, which "
            "`keras_ab.backbones.ViT` has not."
        )
    unknown = [
        part
        for part in taken.names
        if part.startswith(f"{name}.")
        and re.search(r"attn\.(q_norm|k_norm|norm)\.|mlp\.norm\.", part)
    ]
    if unknown:
        raise ValueError(
            "The source normalises inside its blocks, which "
            f"`keras_ab.backbones.ViT` does not: {unknown[:3]}"
        )
    first = taken(f"{name}.ls1.gamma", needed=False)
    second = taken(f"{name}.ls2.gamma", needed=False)
    return {
        **_norm(f"{place}/attention_norm", taken, f"{name}.norm1"),
        **taken.dense(f"{place}/attention/qkv", f"{name}.attn.qkv"),
        **taken.dense(
            f"{place}/attention/output_projection",
            f"{name}.attn.proj",
            first,
        ),
        **_norm(f"{place}/mlp_norm", taken, f"{name}.norm2"),
        **taken.dense(f"{place}/mlp/expand", f"{name}.mlp.fc1"),
        **taken.dense(f"{place}/mlp/contract", f"{name}.mlp.fc2", second),
    }


def _norm(place, taken, name):
    return {
        f"{place}/gamma": taken(f"{name}.weight"),
        f"{place}/beta": taken(f"{name}.bias"),
    }


def _embedding(taken, patch, image_shape) -> dict[str, Any]:
    """Positions and prefix; and what they say of the ViT."""
    token = taken("cls_token", needed=False)
    registers = taken("reg_token", needed=False)
    if registers is None:
        registers = taken("register_tokens", needed=False)
    positions = taken("pos_embed")
    positions = positions.reshape(-1, positions.shape[-1])
    count = 0 if registers is None else registers.shape[-2]
    prefixes = [0]
    if token is not None:
        # Registers have positions in timm, and none in DINOv2.
        prefixes = [1, 1 + count, 0]
    patches = None
    if image_shape is not None:
        patches = image_shape[0] // patch[0] * (image_shape[1] // patch[1])
    places = places_before(len(positions), patches, prefixes)
    if image_shape is None:
        image_shape = image_shape_of(len(positions) - places, patch)
    return {
        "arrays": prefix_and_positions(token, positions, registers, places),
        "image_shape": tuple(image_shape),
        "class_token": token is not None,
        "num_registers": count,
    }


def _attention_pooling(taken):
    place, name = "pooling", "attn_pool"
    return {
        "pooling/query": taken("attn_pool.latent"),
        **taken.dense(f"{place}/attention/query", f"{name}.q"),
        **taken.dense(f"{place}/attention/key_value", f"{name}.kv"),
        **taken.dense(f"{place}/attention/output_projection", f"{name}.proj"),
        **_norm(f"{place}/norm", taken, f"{name}.norm"),
        **taken.dense(f"{place}/mlp/expand", f"{name}.mlp.fc1"),
        **taken.dense(f"{place}/mlp/contract", f"{name}.mlp.fc2"),
    }
