"""What kinds of encoders there are, and where their tokens come from."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.models import Pretrainer

KINDS = ("pretrainer", "backbone", "model", "callable")
POOLINGS = ("mean", "first")


@dataclasses.dataclass
class Parts:
    """An encoder taken apart.

    Attributes:
        kind: One of `KINDS`.
        branch: `"online"` or `"target"`, or None where there is no choice.
        module: The layer that holds the weights, or None.
        encode: Callable from float images to tokens or a map.
        tokens: Callable from what `encode` returned to tokens.
        pool: Callable from what `encode` returned to vectors, or None.
        image_size: `(height, width)`, or None where the encoder leaves it
            open.
        weights: List of variables, in an order of their own.
        origin: The layer that `Parts` were made of, or None: what a copy of
            the encoder is a copy of.
    """

    kind: str
    branch: str | None
    module: Any
    encode: Callable[[Any], Any]
    tokens: Callable[[Any], Any]
    pool: Callable[[Any], Any] | None
    image_size: tuple[int, int] | None
    weights: list[Any]
    origin: Any = None


def take_apart(
    encoder: Any,
    network: str | None = None,
    layer: int | str | None = None,
    pooling: str | None = None,
) -> Parts:
    """Says of any encoder how it is used.

    Args:
        encoder: As in `keras_ab.probes.FrozenEncoder`.
        network: As there.
        layer: As there.
        pooling: As there.

    Returns:
        `Parts`.
    """
    if pooling not in (None, *POOLINGS):
        raise ValueError(
            f"`pooling` must be None or one of {POOLINGS}. Received: "
            f"{pooling!r}"
        )
    if isinstance(encoder, Pretrainer):
        chosen = encoder.network(network)
        branch = "target" if chosen is encoder.target else "online"
        parts = _of_backbone(chosen.encoder, layer)
        parts.kind, parts.branch = "pretrainer", branch
    elif network is not None:
        raise ValueError(
            "`network` chooses a branch of a keras_ab Pretrainer. Received: "
            f"{network!r} for a {type(encoder).__name__}"
        )
    elif hasattr(encoder, "pool") and hasattr(encoder, "image_shape"):
        parts = _of_backbone(encoder, layer)
    elif isinstance(encoder, keras.layers.Layer):
        parts = _of_model(encoder, layer)
    elif callable(encoder):
        if layer is not None:
            raise ValueError(
                "`layer` needs a model whose layers are known. Received: "
                f"{layer!r} for a {type(encoder).__name__}"
            )
        parts = Parts(
            "callable", None, None, encoder, as_tokens, None, None, []
        )
    else:
        raise ValueError(
            "An encoder must be a keras_ab model or backbone, a Keras model, "
            f"or a callable from images to tokens. Received: {encoder!r}"
        )
    if pooling is not None:
        # The class token is one that `tokens` may leave out.
        parts.pool = first_token if pooling == "first" else None
    return parts


def _of_backbone(encoder, layer):
    """A backbone with `pool`, such as `keras_ab.backbones.ViT`."""
    encode = encoder
    if layer is not None:
        depth = getattr(encoder, "num_layers", 0)
        if not isinstance(layer, int) or not -depth <= layer < depth:
            raise ValueError(
                f"`layer` must be the number of a block, from {-depth} to "
                f"{depth - 1}. Received: {layer!r}"
            )

        def encode(images):
            return encoder(images, return_intermediates=True)[1][layer]

    return Parts(
        "backbone",
        None,
        encoder,
        encode,
        getattr(encoder, "patch_tokens", as_tokens),
        encoder.pool,
        tuple(encoder.image_shape[:2]),
        encoder.weights,
        encoder,
    )


def _of_model(model, layer):
    """A Keras model or layer, such as a backbone of KerasHub."""
    # KerasHub's CLIP and SigLIP hold one for text besides.
    model = getattr(model, "vision_encoder", model)
    functional = hasattr(model, "get_layer") and hasattr(model, "inputs")
    module = model
    if isinstance(layer, str) and functional:
        output = model.get_layer(layer).output
        module = keras.Model(model.inputs, output)
    elif layer is not None:
        raise ValueError(
            "`layer` of a Keras model must be the name of one of its layers. "
            f"Received: {layer!r} for {model.name!r}"
        )
    elif functional and hasattr(model, "post_layer_norm") and _is_flat(model):
        # SigLIP's vision encoder ends in its own pooling.
        outputs = [model.post_layer_norm.output, model.output]
        module = keras.Model(model.inputs, outputs)
        return _with_head(model, module)
    return Parts(
        "model",
        None,
        module,
        _single_input(module),
        as_tokens,
        None,
        _image_size(model),
        model.weights,
        model,
    )


def _with_head(model, module):
    def vectors(outputs):
        pooled = outputs[1]
        return pooled[:, 0] if len(pooled.shape) == 3 else pooled

    return Parts(
        "model",
        None,
        module,
        _single_input(module),
        lambda outputs: as_tokens(outputs[0]),
        vectors,
        _image_size(model),
        model.weights,
        model,
    )


def _is_flat(model):
    shape = getattr(model.output, "shape", ())
    return len(shape) == 2 or (len(shape) == 3 and shape[1] == 1)


def _single_input(model):
    """A model's call, for one that wants its images under a name."""
    # A Sequential has one input and does not tell it.
    inputs = getattr(model, "input", None)
    names = list(inputs) if isinstance(inputs, dict) else []
    if len(names) > 1 or (
        isinstance(inputs, (list, tuple)) and len(inputs) > 1
    ):
        raise ValueError(
            "An encoder must take images alone. Received: "
            f"{model.name!r}, which takes {names or len(inputs)}"
        )
    if names:
        return lambda images: model({names[0]: images})
    return model


def _image_size(model):
    shape = getattr(model, "image_shape", None)
    if shape is None:
        shape = getattr(model, "input_shape", None)
        if isinstance(shape, dict):
            shape = next(iter(shape.values()))
        if isinstance(shape, list):
            shape = shape[0]
        shape = None if shape is None else shape[1:]
    if shape is None or len(shape) != 3 or None in shape[:2]:
        return None
    return tuple(shape[:2])


def as_tokens(outputs: Any) -> Any:
    """Tokens `(B, T, D)`, of tokens or of a map `(B, h, w, D)`."""
    check_outputs(outputs)
    if len(outputs.shape) == 3:
        return outputs
    *_, rows, columns, dim = outputs.shape
    if isinstance(outputs, np.ndarray):
        return outputs.reshape(len(outputs), rows * columns, dim)
    return ops.reshape(outputs, (-1, rows * columns, dim))


def first_token(outputs: Any) -> Any:
    """The first token, which is the class token where there is one."""
    return as_tokens(outputs)[:, 0]


def check_outputs(outputs: Any) -> None:
    """Raises `ValueError` for what is neither tokens nor a map."""
    if isinstance(outputs, (dict, list, tuple)):
        said = f"{type(outputs).__name__} of {len(outputs)}"
        if isinstance(outputs, dict):
            said += f": {list(outputs)}"
    else:
        shape = getattr(outputs, "shape", None)
        if shape is not None and len(shape) in (3, 4):
            return
        said = (
            type(outputs).__name__ if shape is None else f"shape {tuple(shape)}"
        )
    raise ValueError(
        "An encoder must return tokens (B, T, D) or a map (B, h, w, D), not "
        "pooled features or logits (for keras.applications: "
        f"`include_top=False`, `pooling=None`). Received: {said}"
    )
