"""What kinds of encoders there are, and where their tokens come from."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras

from keras_ab.backbones.outputs import as_tokens
from keras_ab.backbones.outputs import image_half
from keras_ab.backbones.outputs import image_size
from keras_ab.backbones.outputs import is_functional
from keras_ab.backbones.outputs import pooled_and_tokens
from keras_ab.backbones.outputs import single_input
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
    model = image_half(model)
    functional = is_functional(model)
    module = model
    if isinstance(layer, str) and functional:
        output = model.get_layer(layer).output
        module = keras.Model(model.inputs, output)
    elif layer is not None:
        raise ValueError(
            "`layer` of a Keras model must be the name of one of its layers. "
            f"Received: {layer!r} for {model.name!r}"
        )
    else:
        both = pooled_and_tokens(model)
        if both is not None:
            return _with_head(model, both)
    return Parts(
        "model",
        None,
        module,
        single_input(module),
        as_tokens,
        None,
        image_size(model),
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
        single_input(module),
        lambda outputs: as_tokens(outputs[0]),
        vectors,
        image_size(model),
        model.weights,
        model,
    )


def first_token(outputs: Any) -> Any:
    """The first token, which is the class token where there is one."""
    return as_tokens(outputs)[:, 0]
