"""What Keras models of images take and return, whoever made them."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.typing import Shape


def image_half(model: Any) -> Any:
    """The half for images of a model that has one for text besides.

    Args:
        model: A Keras model, such as KerasHub's CLIP or SigLIP.

    Returns:
        A Keras model.
    """
    return getattr(model, "vision_encoder", model)


def pooled_and_tokens(model: Any) -> keras.Model | None:
    """A model that returns tokens where the given one has pooled them.

    Args:
        model: A Keras model of images.

    Returns:
        A model that returns tokens, and what was made of them; None for one
        that pools nothing, or in another way. SigLIP's vision encoder ends in
        a pooling of its own.
    """
    if not (is_functional(model) and hasattr(model, "post_layer_norm")):
        return None
    shape: Shape = getattr(model.output, "shape", ())
    if len(shape) == 2 or (len(shape) == 3 and shape[1] == 1):
        return keras.Model(
            model.inputs, [model.post_layer_norm.output, model.output]
        )
    return None


def is_functional(model: Any) -> bool:
    """Whether a model's layers and inputs are known."""
    return hasattr(model, "get_layer") and hasattr(model, "inputs")


def single_input(model: Any) -> Callable[..., Any]:
    """A model's call, for one that wants its images under a name.

    Args:
        model: A Keras model or layer.

    Returns:
        Callable from images, and what else calls take, to the outputs.

    Raises:
        ValueError: If it takes more than images.
    """
    # A Sequential has one input and does not tell it.
    inputs: Any = getattr(model, "input", None)
    names = list(inputs) if isinstance(inputs, dict) else []
    if len(names) > 1 or (
        isinstance(inputs, (list, tuple)) and len(inputs) > 1
    ):
        raise ValueError(
            "An encoder must take images alone. Received: "
            f"{model.name!r}, which takes {names or len(inputs)}"
        )
    if names:
        return lambda images, **kwargs: model({names[0]: images}, **kwargs)
    return model


def image_size(model: Any) -> tuple[int, int] | None:
    """`(height, width)` of a model's images, None where it leaves it open."""
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
