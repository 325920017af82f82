"""KerasHub's ViT, DINOv2, CLIP and SigLIP."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.conversion.source import Pixels
from keras_ab.conversion.source import Source
from keras_ab.conversion.source import patch_projection
from keras_ab.conversion.source import prefix_and_positions

ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_approximate": "gelu_tanh",
    "quick_gelu": "quick_gelu",
}


def from_preset(preset: str, pixels: Pixels | None = None) -> Source:
    """Reads a preset of KerasHub.

    Args:
        preset: Name, path or address that KerasHub knows.
        pixels: As in `open_source`; None asks the preset.

    Returns:
        A `Source`.
    """
    # Imported here: KerasHub comes with the extra `hub`.
    import keras_hub

    backbone = keras_hub.models.Backbone.from_preset(preset)
    if pixels is None:
        pixels = _pixels_of(preset)
    source = from_backbone(backbone, pixels)
    source.name = f"keras_hub:{preset}"
    return source


def _pixels_of(preset):
    """What the preset's own converter does to pixels, or None."""
    import keras_hub

    try:
        converter = keras_hub.layers.ImageConverter.from_preset(preset)
    except (ValueError, FileNotFoundError):
        return None
    scale, offset = converter.scale, converter.offset
    if scale is None:
        return None
    scale = np.broadcast_to(np.asarray(scale, "float64"), (3,))
    offset = np.broadcast_to(np.asarray(offset or 0.0, "float64"), (3,))
    std = 1.0 / (255.0 * scale)
    return -offset * std, std


def from_backbone(backbone: Any, pixels: Pixels | None = None) -> Source:
    """Reads a backbone of KerasHub.

    Args:
        backbone: A ViTBackbone, DINOV2Backbone, CLIPVisionEncoder or
            SigLIPVisionEncoder; of a CLIPBackbone or SigLIPBackbone the half
            for images.
        pixels: As in `open_source`; None for what the published weights of
            its kind take.

    Returns:
        A `Source`.
    """
    import keras_hub

    backbone = getattr(backbone, "vision_encoder", backbone)
    readers = {
        keras_hub.models.ViTBackbone: (_vit, "signed"),
        keras_hub.models.DINOV2Backbone: (_dinov2, "imagenet"),
        keras_hub.models.CLIPVisionEncoder: (_clip, "clip"),
        keras_hub.models.SigLIPVisionEncoder: (_siglip, "signed"),
    }
    for kind, (reader, default) in readers.items():
        if isinstance(backbone, kind):
            source = reader(backbone, default if pixels is None else pixels)
            source.name = backbone.name
            return source
    raise ValueError(
        "Of KerasHub's backbones, "
        f"{', '.join(kind.__name__ for kind in readers)} can be read. "
        f"Received: {type(backbone).__name__}"
    )


def _vit(model, pixels):
    config = model.get_config()
    if model.data_format != "channels_last":
        raise ValueError("A ViT must have its channels last.")
    embedding = model.get_layer("vit_patching_and_embedding")
    encoder = model.get_layer("vit_encoder")
    has_token = config["use_class_token"]
    arrays = {
        **_patches(embedding.patch_embedding, pixels),
        **prefix_and_positions(
            _value(embedding.class_token) if has_token else None,
            _value(embedding.position_embedding.embeddings),
        ),
        **_norm("norm", encoder.layer_norm),
    }
    for i, block in enumerate(encoder.encoder_layers):
        arrays |= _block(
            f"block_{i}",
            block.layer_norm_1,
            block.mha,
            block.layer_norm_2,
            block.mlp.dense_1,
            block.mlp.dense_2,
        )
    notes = [
        f"{key} = {config[key]} was left out"
        for key in ("dropout_rate", "attention_dropout")
        if config[key]
    ]
    arguments = {
        **_sizes(config, intermediate_dim=config["mlp_dim"]),
        "class_token": has_token,
        "pooling": "cls" if has_token else "gap",
        "layer_norm_epsilon": config["layer_norm_epsilon"],
        "activation": "gelu",
    }
    return Source(arguments, arrays, notes=notes)


def _dinov2(model, pixels):
    config = model.get_config()
    if config["use_swiglu_ffn"]:
        raise ValueError(
            "DINOv2's giant model has SwiGLU in its MLPs, which "
            "`keras_ab.backbones.ViT` has not."
        )
    embedding, count = model.embeddings, config["num_register_tokens"]
    arrays = {
        **_patches(embedding.patch_embeddings.projection, pixels),
        **prefix_and_positions(
            _value(embedding.cls_token),
            _value(embedding.interpolated_position_embeddings),
            _value(embedding.register_tokens) if count else None,
        ),
        **_norm("norm", model.layernorm),
    }
    for i, block in enumerate(model.encoder.layers):
        arrays |= _block(
            f"block_{i}",
            block.norm1,
            block.attention.attention,
            block.norm2,
            block.mlp.fc1,
            block.mlp.fc2,
            _value(block.layer_scale1.lambda1),
            _value(block.layer_scale2.lambda1),
        )
    arguments = {
        **_sizes(config),
        "class_token": True,
        "num_registers": count,
        "pooling": "cls",
        "layer_norm_epsilon": float(model.layernorm.epsilon),
        "activation": "gelu",
    }
    unused = ["mask_token"] if config["use_mask_token"] else []
    return Source(arguments, arrays, unused, [SCALED])


SCALED = "layer scales became part of the kernels that they follow"


def _clip(model, pixels):
    config = model.get_config()
    embedding = model.embedding
    arrays = {
        **_patches(embedding.patch_embedding, pixels),
        **prefix_and_positions(
            _value(embedding.class_embedding),
            _positions(embedding),
        ),
        **_norm("embedding_norm", model.pre_layer_norm),
        **_norm("norm", model.layer_norm),
    }
    for i, block in enumerate(model.encoder_layers):
        arrays |= _block(
            f"block_{i}",
            block.layer_norm_1,
            block.attention,
            block.layer_norm_2,
            block.dense_1,
            block.dense_2,
        )
    arguments = {
        **_sizes(config),
        "class_token": True,
        "pooling": "cls",
        "pre_norm": True,
        "layer_norm_epsilon": float(model.layer_norm.epsilon),
        "activation": _activation(config["intermediate_activation"]),
    }
    return Source(arguments, arrays)


def _siglip(model, pixels):
    config = model.get_config()
    embedding, head = model.embedding, model.head
    query, key, value, out = _attention(head.attention)
    arrays = {
        **_patches(embedding.patch_embedding, pixels),
        **prefix_and_positions(None, _positions(embedding)),
        **_norm("norm", model.post_layer_norm),
        "pooling/query": _value(head.probe),
        **_dense("pooling/attention/query", *query),
        **_dense("pooling/attention/key_value", *_beside(key, value)),
        **_dense("pooling/attention/output_projection", *out),
        **_norm("pooling/norm", head.layer_norm),
        **_dense("pooling/mlp/expand", *_kernel(head.mlp.fc1)),
        **_dense("pooling/mlp/contract", *_kernel(head.mlp.fc2)),
    }
    for i, block in enumerate(model.encoder_layers):
        arrays |= _block(
            f"block_{i}",
            block.layer_norm1,
            block.self_attn,
            block.layer_norm2,
            block.mlp.fc1,
            block.mlp.fc2,
        )
    arguments = {
        **_sizes(config),
        "pooling": "map",
        "layer_norm_epsilon": config["layer_norm_epsilon"],
        "activation": _activation(config["intermediate_activation"]),
    }
    return Source(arguments, arrays)


def _positions(embedding):
    # A weight says which row is whose: it is zero until a preset is loaded.
    rows = ops.convert_to_numpy(embedding.position_ids).reshape(-1)
    return _value(embedding.position_embedding.embeddings)[rows]


def _sizes(config, intermediate_dim=None):
    patch = config["patch_size"]
    patch = (patch, patch) if isinstance(patch, int) else tuple(patch)
    return {
        "image_shape": tuple(config["image_shape"]),
        "patch_size": patch,
        "hidden_dim": config["hidden_dim"],
        "num_layers": config["num_layers"],
        "num_heads": config["num_heads"],
        "intermediate_dim": intermediate_dim or config["intermediate_dim"],
    }


def _activation(name):
    if name not in ACTIVATIONS:
        raise ValueError(
            f"Activations that can be read are {list(ACTIVATIONS)}. Received: "
            f"{name!r}"
        )
    return ACTIVATIONS[name]


def _block(name, norm, attention, mlp_norm, expand, contract, *scales):
    """The arrays of one block; layer scales go into what they follow."""
    query, key, value, out = _attention(attention)
    first, second = scales or (1.0, 1.0)
    kernel, bias = _kernel(contract)
    return {
        **_norm(f"{name}/attention_norm", norm),
        **_dense(f"{name}/attention/qkv", *_beside(query, key, value)),
        **_dense(
            f"{name}/attention/output_projection",
            out[0] * first,
            out[1] * first,
        ),
        **_norm(f"{name}/mlp_norm", mlp_norm),
        **_dense(f"{name}/mlp/expand", *_kernel(expand)),
        **_dense(f"{name}/mlp/contract", kernel * second, bias * second),
    }


def _attention(layer):
    """Kernels `(D, D)` and biases of a Keras MultiHeadAttention."""
    found = []
    for part in (layer.query_dense, layer.key_dense, layer.value_dense):
        kernel = _value(part.kernel)
        kernel = kernel.reshape(kernel.shape[0], -1)
        found.append((kernel, _bias(part, kernel.shape[1])))
    kernel = _value(layer.output_dense.kernel)
    kernel = kernel.reshape(-1, kernel.shape[-1])
    found.append((kernel, _bias(layer.output_dense, kernel.shape[1])))
    return found


def _beside(*parts):
    kernels, biases = zip(*parts)
    return np.concatenate(kernels, axis=1), np.concatenate(biases)


def _kernel(layer):
    kernel = _value(layer.kernel)
    return kernel, _bias(layer, kernel.shape[1])


def _patches(layer, pixels):
    bias = None if layer.bias is None else _value(layer.bias)
    return patch_projection(_value(layer.kernel), bias, pixels)


def _bias(layer, size):
    # A projection without one has ours start at zero.
    if layer.bias is None:
        return np.zeros(size, "float32")
    return _value(layer.bias).reshape(-1)


def _dense(name, kernel, bias):
    return {f"{name}/kernel": kernel, f"{name}/bias": bias}


def _norm(name, layer):
    return {
        f"{name}/gamma": _value(layer.gamma),
        f"{name}/beta": _value(layer.beta),
    }


def _value(variable: keras.Variable) -> np.ndarray:
    return np.asarray(
        ops.convert_to_numpy(ops.cast(variable, "float32")), "float32"
    )
