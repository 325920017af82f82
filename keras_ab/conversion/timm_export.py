"""Our ViT as a state dict in timm's layout."""

import json
import pathlib
from typing import Any

import numpy as np

from keras_ab.backbones import ViT
from keras_ab.conversion.warm_start import arrays_of
from keras_ab.typing import PathLike

METADATA = "keras_ab"
ACTIVATIONS = {
    "gelu_tanh": "gelu_tanh",
    "gelu": "gelu",
    "quick_gelu": "quick_gelu",
}
POOLING = {"gap": "avg", "cls": "token", "map": "map"}


def timm_arguments(encoder: ViT) -> dict[str, Any]:
    """What `timm.models.VisionTransformer` takes to compute the same.

    Args:
        encoder: A `keras_ab.backbones.ViT`; of a trained model
            `model.network().encoder`, the target network's where there is
            one, which is what is evaluated. `model.encoder` is the online
            one.

    Returns:
        Dict of arguments. `norm_layer` is not among them: it must have the
        encoder's epsilon, which is timm's own, 1e-6, unless it was changed.
        Pixels are in [-1, 1]: mean and std are 0.5.

    Example:

    >>> encoder = model.network().encoder
    >>> keras_ab.conversion.timm_arguments(encoder)["embed_dim"]
    # 32
    """
    (height, width), (rows, columns) = (
        encoder.patch_size,
        encoder.image_shape[:2],
    )
    return {
        "img_size": (rows, columns),
        "patch_size": (height, width),
        "embed_dim": encoder.hidden_dim,
        "depth": encoder.num_layers,
        "num_heads": encoder.num_heads,
        "mlp_ratio": encoder.intermediate_dim / encoder.hidden_dim,
        "class_token": encoder.class_token,
        "no_embed_class": True,
        "reg_tokens": encoder.num_registers,
        "pre_norm": encoder.pre_norm,
        "global_pool": POOLING[encoder.pooling],
        # Normalised before pooling, as here.
        "final_norm": True,
        "fc_norm": False,
        "act_layer": ACTIVATIONS[encoder.activation],
        "num_classes": 0,
    }


def timm_state_dict(encoder: ViT) -> dict[str, np.ndarray]:
    """The weights of an encoder under timm's names.

    Args:
        encoder: As in `save_timm`.

    Returns:
        Dict of float32 arrays.
    """
    arrays = arrays_of(encoder)
    height, width = encoder.patch_size
    kernel = arrays["patches/projection/kernel"]
    kernel = kernel.reshape(height, width, -1, encoder.hidden_dim)
    state = {
        "patch_embed.proj.weight": kernel.transpose(3, 2, 0, 1),
        "patch_embed.proj.bias": arrays["patches/projection/bias"],
        "pos_embed": arrays["positions/embeddings"][None],
    }
    if encoder.class_token:
        state["cls_token"] = arrays["class_embedding"]
    if encoder.num_registers:
        state["reg_token"] = arrays["registers"]
    if encoder.pre_norm:
        # timm's projection then has no bias; every patch has a position.
        state["pos_embed"] = state["pos_embed"] + state.pop(
            "patch_embed.proj.bias"
        )
        state |= _norm("norm_pre", arrays, "embedding_norm")
    for i in range(encoder.num_layers):
        name, place = f"blocks.{i}", f"block_{i}"
        state |= {
            **_norm(f"{name}.norm1", arrays, f"{place}/attention_norm"),
            **_dense(f"{name}.attn.qkv", arrays, f"{place}/attention/qkv"),
            **_dense(
                f"{name}.attn.proj",
                arrays,
                f"{place}/attention/output_projection",
            ),
            **_norm(f"{name}.norm2", arrays, f"{place}/mlp_norm"),
            **_dense(f"{name}.mlp.fc1", arrays, f"{place}/mlp/expand"),
            **_dense(f"{name}.mlp.fc2", arrays, f"{place}/mlp/contract"),
        }
    state |= _norm("norm", arrays, "norm")
    if encoder.pooling == "map":
        place, name = "pooling", "attn_pool"
        state |= {
            "attn_pool.latent": arrays["pooling/query"],
            **_dense(f"{name}.q", arrays, f"{place}/attention/query"),
            **_dense(f"{name}.kv", arrays, f"{place}/attention/key_value"),
            **_dense(
                f"{name}.proj", arrays, f"{place}/attention/output_projection"
            ),
            **_norm(f"{name}.norm", arrays, f"{place}/norm"),
            **_dense(f"{name}.mlp.fc1", arrays, f"{place}/mlp/expand"),
            **_dense(f"{name}.mlp.fc2", arrays, f"{place}/mlp/contract"),
        }
    # A view of another order would be written in the wrong one.
    return {k: np.ascontiguousarray(v) for k, v in state.items()}


def save_timm(encoder: ViT, path: PathLike) -> None:
    """Saves an encoder as a safetensors file in timm's layout.

    The file says what it needs besides: under `"timm"` the arguments of
    `timm.models.VisionTransformer`, under `"keras_ab"` those of
    `keras_ab.conversion.open_source`.

    Args:
        encoder: A built `keras_ab.backbones.ViT`; of a trained model
            `model.network().encoder`, the target network's where there is
            one, which is what is evaluated. `model.encoder` is the online
            one.
        path: The file, which should end in .safetensors.

    Example:

    >>> encoder = model.network().encoder
    >>> keras_ab.conversion.save_timm(encoder, "vit.safetensors")
    >>> source = keras_ab.conversion.open_source("vit.safetensors")
    >>> source.build().hidden_dim
    # 32
    """
    # Imported here: it comes with the extra `safetensors`.
    from safetensors.numpy import save_file

    said = {
        "pixels": "signed",
        "num_heads": encoder.num_heads,
        "activation": encoder.activation,
        "layer_norm_epsilon": encoder.layer_norm_epsilon,
        "image_shape": encoder.image_shape,
    }
    save_file(
        timm_state_dict(encoder),
        pathlib.Path(path),
        metadata={
            "format": "pt",
            METADATA: json.dumps(said),
            "timm": json.dumps(timm_arguments(encoder)),
        },
    )


def _dense(name, arrays, path):
    return {
        f"{name}.weight": arrays[f"{path}/kernel"].T,
        f"{name}.bias": arrays[f"{path}/bias"],
    }


def _norm(name, arrays, path):
    return {
        f"{name}.weight": arrays[f"{path}/gamma"],
        f"{name}.bias": arrays[f"{path}/beta"],
    }
