"""Our ViT as KerasHub's."""

import pathlib
from typing import Any

import keras
import numpy as np

from keras_ab.backbones import ViT
from keras_ab.conversion.warm_start import arrays_of
from keras_ab.models.preset_files import check_free
from keras_ab.typing import PathLike


def to_keras_hub(encoder: ViT, exact: bool = True) -> Any:
    """A `keras_hub.models.ViTBackbone` with the same weights and outputs.

    Args:
        encoder: A built `keras_ab.backbones.ViT`; of a trained model
            `model.network().encoder`, the target network's where there is
            one, which is what is evaluated. `model.encoder` is the online
            one.
        exact: Bool. KerasHub's ViT has the exact GELU and no other. True
            refuses an encoder with an approximation; False converts it, with
            outputs that differ slightly: measure them.

    Returns:
        The backbone. It takes the same pixels, in [-1, 1]; pooling is no part
        of it.

    Raises:
        ValueError: If KerasHub's ViT cannot represent the encoder.

    Example:

    ```python
    encoder = keras_ab.backbones.ViT.from_size("S", activation="gelu")
    encoder.build()
    backbone = keras_ab.conversion.to_keras_hub(encoder)
    ```
    """
    # Imported here: KerasHub comes with the extra `hub`.
    import keras_hub

    lacks = []
    if encoder.pre_norm:
        lacks.append("`pre_norm`")
    if encoder.num_registers:
        lacks.append("`num_registers`")
    if exact and encoder.activation != "gelu":
        lacks.append(
            f"activation {encoder.activation!r} (train with "
            "`activation='gelu'`, or accept other outputs with `exact=False`)"
        )
    if lacks:
        raise ValueError(
            f"KerasHub's ViTBackbone has no {', no '.join(lacks)}."
        )
    backbone = keras_hub.models.ViTBackbone(
        image_shape=encoder.image_shape,
        patch_size=encoder.patch_size,
        num_layers=encoder.num_layers,
        num_heads=encoder.num_heads,
        hidden_dim=encoder.hidden_dim,
        mlp_dim=encoder.intermediate_dim,
        layer_norm_epsilon=encoder.layer_norm_epsilon,
        use_class_token=encoder.class_token,
        name="image_encoder",
    )
    arrays = arrays_of(encoder)
    embedding = backbone.get_layer("vit_patching_and_embedding")
    positions = arrays["positions/embeddings"]
    if encoder.class_token:
        # Theirs has a position for the class token, ours has none.
        nowhere = np.zeros_like(positions[:1])
        positions = np.concatenate([nowhere, positions])
        embedding.class_token.assign(arrays["class_embedding"])
    embedding.position_embedding.embeddings.assign(positions)
    _dense(embedding.patch_embedding, arrays, "patches/projection")
    tower = backbone.get_layer("vit_encoder")
    for i, block in enumerate(tower.encoder_layers):
        _norm(block.layer_norm_1, arrays, f"block_{i}/attention_norm")
        _attention(block.mha, arrays, f"block_{i}/attention")
        _norm(block.layer_norm_2, arrays, f"block_{i}/mlp_norm")
        _dense(block.mlp.dense_1, arrays, f"block_{i}/mlp/expand")
        _dense(block.mlp.dense_2, arrays, f"block_{i}/mlp/contract")
    _norm(tower.layer_norm, arrays, "norm")
    return backbone


def save_keras_hub_preset(
    encoder: ViT, folder: PathLike, exact: bool = True
) -> None:
    """Saves an encoder as a preset that KerasHub opens.

    `keras_hub.models.ViTBackbone.from_preset(folder)` gives the backbone, and
    `keras_hub.layers.ImageConverter.from_preset(folder)` what scales pixels.

    Args:
        encoder: A built `keras_ab.backbones.ViT`; of a trained model
            `model.network().encoder`, the target network's where there is
            one, which is what is evaluated. `model.encoder` is the online
            one.
        folder: The folder, which may hold an older preset.
        exact: As in `to_keras_hub`.

    Raises:
        FileExistsError: If there is something else than a preset.
        ValueError: If KerasHub's ViT cannot represent the encoder.

    Example:

    ```python
    encoder = keras_ab.backbones.ViT.from_size("S", activation="gelu")
    encoder.build()
    keras_ab.conversion.save_keras_hub_preset(encoder, "vit")
    backbone = keras_hub.models.ViTBackbone.from_preset("vit")
    ```
    """
    import keras_hub

    backbone = to_keras_hub(encoder, exact)
    folder = pathlib.Path(folder)
    check_free(folder, {"image_converter.json"})
    backbone.save_to_preset(str(folder))
    converter = keras_hub.layers.ViTImageConverter(
        image_size=encoder.image_shape[:2], scale=1 / 127.5, offset=-1.0
    )
    converter.save_to_preset(str(folder))


def _dense(layer, arrays, path):
    for name, variable in (("kernel", layer.kernel), ("bias", layer.bias)):
        value = arrays[f"{path}/{name}"]
        variable.assign(np.reshape(value, variable.shape))


def _norm(layer: keras.layers.Layer, arrays, path):
    layer.gamma.assign(arrays[f"{path}/gamma"])
    layer.beta.assign(arrays[f"{path}/beta"])


def _attention(layer, arrays, path):
    kernels = np.split(arrays[f"{path}/qkv/kernel"], 3, axis=1)
    biases = np.split(arrays[f"{path}/qkv/bias"], 3)
    parts = (layer.query_dense, layer.key_dense, layer.value_dense)
    for part, kernel, bias in zip(parts, kernels, biases):
        _dense(part, {"a/kernel": kernel, "a/bias": bias}, "a")
    _dense(layer.output_dense, arrays, f"{path}/output_projection")
