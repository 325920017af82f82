"""Vision transformers in NumPy that read weights under other libraries' names.

Written from what the libraries compute, each in its own layout: linear layers
of PyTorch are `(out, in)`, those of Flax `(in, heads, size)`.
"""

import math

import numpy as np

from tests.reference.transformer import attend

ACTIVATIONS = {
    "gelu": np.vectorize(lambda x: x * 0.5 * (1 + math.erf(x / 2**0.5))),
    "gelu_tanh": lambda x: (
        0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))
    ),
    "quick_gelu": lambda x: x / (1 + np.exp(-1.702 * x)),
}


def norm(x, scale, shift, epsilon=1e-6):
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon) * scale + shift


def patches(images, size):
    """`(B, T, size, size, 3)`, in raster order."""
    side = range(0, images.shape[1], size)
    cut = [images[:, r : r + size, c : c + size] for r in side for c in side]
    return np.stack(cut, axis=1)


def timm(images, state, heads, activation="gelu", epsilon=1e-6):
    """Tokens after the last norm, from weights under timm's names."""
    size = state["patch_embed.proj.weight"].shape[-1]
    x = np.einsum(
        "bthwc,dchw->btd",
        patches(images, size),
        state["patch_embed.proj.weight"],
    )
    x = x + state.get("patch_embed.proj.bias", 0.0)
    # Tokens before the patches have a place or none: timm with and without
    # `no_embed_class`, and DINOv2, whose registers have none.
    positions = state["pos_embed"]
    places = positions.shape[1] - x.shape[1]
    x = x + positions[:, places:]
    before = [
        np.broadcast_to(state[name], (len(x), *state[name].shape[1:]))
        for name in ("cls_token", "reg_token", "register_tokens")
        if name in state
    ]
    if before:
        first = np.concatenate(before, axis=1)
        first[:, :places] += positions[:, :places]
        x = np.concatenate([first, x], axis=1)
    if "norm_pre.weight" in state:
        x = torch_norm(x, state, "norm_pre", epsilon)
    i = 0
    while f"blocks.{i}.norm1.weight" in state:
        b = f"blocks.{i}"
        h = linear(
            torch_norm(x, state, f"{b}.norm1", epsilon), state, f"{b}.attn.qkv"
        )
        h = attend(*np.split(h, 3, axis=-1), heads)
        h = linear(h, state, f"{b}.attn.proj")
        x = x + h * state.get(f"{b}.ls1.gamma", 1.0)
        h = linear(
            torch_norm(x, state, f"{b}.norm2", epsilon), state, f"{b}.mlp.fc1"
        )
        h = linear(ACTIVATIONS[activation](h), state, f"{b}.mlp.fc2")
        x = x + h * state.get(f"{b}.ls2.gamma", 1.0)
        i += 1
    return torch_norm(x, state, "norm", epsilon)


def linear(x, state, name):
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def torch_norm(x, state, name, epsilon):
    scale, shift = state[f"{name}.weight"], state[f"{name}.bias"]
    return norm(x, scale, shift, epsilon)


def timm_state(
    rng,
    dim=64,
    depth=2,
    inner=96,
    patch=8,
    grid=4,
    cls=True,
    registers=0,
    scales=False,
    pre_norm=False,
):
    """Random weights under timm's names."""

    def draw(*shape):
        return rng.normal(0, 0.15, shape)

    state = {
        "patch_embed.proj.weight": draw(dim, 3, patch, patch),
        "patch_embed.proj.bias": draw(dim),
        "pos_embed": draw(1, grid**2 + cls, dim),
        "norm.weight": 1 + draw(dim),
        "norm.bias": draw(dim),
    }
    if cls:
        state["cls_token"] = draw(1, 1, dim)
    if registers:
        state["register_tokens"] = draw(1, registers, dim)
    if pre_norm:
        state |= {"norm_pre.weight": 1 + draw(dim), "norm_pre.bias": draw(dim)}
    for i in range(depth):
        b = f"blocks.{i}"
        for name in ("norm1", "norm2"):
            state[f"{b}.{name}.weight"] = 1 + draw(dim)
            state[f"{b}.{name}.bias"] = draw(dim)
        for name, out, into in (
            ("attn.qkv", 3 * dim, dim),
            ("attn.proj", dim, dim),
            ("mlp.fc1", inner, dim),
            ("mlp.fc2", dim, inner),
        ):
            state[f"{b}.{name}.weight"] = draw(out, into)
            state[f"{b}.{name}.bias"] = draw(out)
        if scales:
            state[f"{b}.ls1.gamma"] = draw(dim)
            state[f"{b}.ls2.gamma"] = draw(dim)
    return {name: value.astype("float32") for name, value in state.items()}


def open_clip_state(state):
    """The same weights under open_clip's names."""
    found = {}
    for name, value in state.items():
        name = name.replace("patch_embed.proj", "conv1")
        name = name.replace("norm_pre", "ln_pre")
        if name == "cls_token":
            name, value = "class_embedding", value[0, 0]
        if name == "pos_embed":
            name, value = "positional_embedding", value[0]
        if name.startswith("blocks"):
            name = f"transformer.res{name}".replace("norm", "ln_")
            name = name.replace("attn.qkv.", "attn.in_proj_")
            name = name.replace("attn.proj", "attn.out_proj")
            name = name.replace("mlp.fc1", "mlp.c_fc")
            name = name.replace("mlp.fc2", "mlp.c_proj")
        elif name.startswith("norm"):
            name = name.replace("norm", "ln_post")
        found[f"visual.{name}"] = value
    return found


def big_vision_state(rng, dim=64, heads=2, inner=96, patch=8, grid=4, cls=True):
    """Random weights under big_vision's names, with attention pooling."""

    def draw(*shape):
        return rng.normal(0, 0.15, shape)

    state = {
        "embedding/kernel": draw(patch, patch, 3, dim),
        "embedding/bias": draw(dim),
        "pos_embedding": draw(1, grid**2 + cls, dim),
        "Transformer/encoder_norm/scale": 1 + draw(dim),
        "Transformer/encoder_norm/bias": draw(dim),
        "MAPHead_0/probe": draw(1, 1, dim),
    }
    if cls:
        state["cls"] = draw(1, 1, dim)
    parts = [f"Transformer/encoderblock_{i}" for i in range(2)]
    for place in (*parts, "MAPHead_0"):
        for i in range(2 if place in parts else 1):
            state[f"{place}/LayerNorm_{i}/scale"] = 1 + draw(dim)
            state[f"{place}/LayerNorm_{i}/bias"] = draw(dim)
        attention = f"{place}/MultiHeadDotProductAttention_0"
        for name in ("query", "key", "value"):
            state[f"{attention}/{name}/kernel"] = draw(dim, heads, dim // heads)
            state[f"{attention}/{name}/bias"] = draw(heads, dim // heads)
        state[f"{attention}/out/kernel"] = draw(heads, dim // heads, dim)
        state[f"{attention}/out/bias"] = draw(dim)
        for i, (into, out) in enumerate(((dim, inner), (inner, dim))):
            dense = f"{place}/MlpBlock_0/Dense_{i}"
            state[f"{dense}/kernel"] = draw(into, out)
            state[f"{dense}/bias"] = draw(out)
    return {name: value.astype("float32") for name, value in state.items()}


def stacked(state):
    """The same with the blocks scanned: under one name, one axis more."""
    found = {k: v for k, v in state.items() if "encoderblock" not in k}
    for name in state:
        if "encoderblock_0" in name:
            parts = [name.replace("_0/", f"_{i}/", 1) for i in range(2)]
            one = name.replace("encoderblock_0", "encoderblock")
            found[one] = np.stack([state[part] for part in parts])
    return found


def flax_norm(x, state, name):
    return norm(x, state[f"{name}/scale"], state[f"{name}/bias"])


def flax_attention(x, context, state, name):
    def project(y, part):
        out = np.einsum("btd,dhs->bths", y, state[f"{name}/{part}/kernel"])
        out = out + state[f"{name}/{part}/bias"]
        return out.reshape(*out.shape[:2], -1)

    kernel = state[f"{name}/out/kernel"]
    query, key, value = (
        project(x, "query"),
        project(context, "key"),
        project(context, "value"),
    )
    heads, mixed = kernel.shape[0], np.zeros_like(query)
    size = kernel.shape[1]
    for h in range(heads):
        part = slice(h * size, (h + 1) * size)
        scores = query[..., part] @ key[..., part].swapaxes(1, 2) / size**0.5
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        mixed[..., part] = scores @ value[..., part]
    return (
        mixed @ kernel.reshape(-1, kernel.shape[-1])
        + (state[f"{name}/out/bias"])
    )


def flax_mlp(x, state, name):
    h = x @ state[f"{name}/Dense_0/kernel"] + state[f"{name}/Dense_0/bias"]
    h = ACTIVATIONS["gelu_tanh"](h)
    return h @ state[f"{name}/Dense_1/kernel"] + state[f"{name}/Dense_1/bias"]


def big_vision(images, state):
    """Tokens after the last norm, and what the attention pooling makes."""
    kernel = state["embedding/kernel"]
    x = np.einsum("bthwc,hwcd->btd", patches(images, kernel.shape[0]), kernel)
    x = x + state["embedding/bias"]
    if "cls" in state:
        first = np.broadcast_to(state["cls"], (len(x), 1, x.shape[-1]))
        x = np.concatenate([first, x], axis=1)
    x = x + state["pos_embedding"]
    for i in range(2):
        b = f"Transformer/encoderblock_{i}"
        h = flax_norm(x, state, f"{b}/LayerNorm_0")
        x = x + flax_attention(
            h, h, state, f"{b}/MultiHeadDotProductAttention_0"
        )
        h = flax_norm(x, state, f"{b}/LayerNorm_1")
        x = x + flax_mlp(h, state, f"{b}/MlpBlock_0")
    x = flax_norm(x, state, "Transformer/encoder_norm")
    probe = np.broadcast_to(state["MAPHead_0/probe"], (len(x), 1, x.shape[-1]))
    y = flax_attention(
        probe, x, state, "MAPHead_0/MultiHeadDotProductAttention_0"
    )
    h = flax_norm(y, state, "MAPHead_0/LayerNorm_0")
    return x, (y + flax_mlp(h, state, "MAPHead_0/MlpBlock_0"))[:, 0]
