"""Frozen features of many images."""

import keras
import numpy as np
from keras import ops


class _Features(keras.layers.Layer):
    """Images to one of the outputs of a network, in one compiled call."""

    def __init__(self, network, output, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.output_function = output

    def build(self, input_shape):
        pass

    def call(self, images):
        return self.output_function(self.network, images)


def _pooled(network, images):
    return network.encoder.pool(network.encode(images))


def _tokens(network, images):
    return network.encoder.patch_tokens(network.encode(images))


OUTPUTS = {"pooled": _pooled, "tokens": _tokens}


def extract_features(
    model, images, network=None, output="pooled", batch_size=256
):
    """Encodes images with the weights frozen.

    Args:
        model: A `keras_ab.models.Pretrainer`.
        images: uint8 of shape `(B, H, W, 3)`. Images of another size than
            the encoder's are resized to it, whole (`extract_views`).
        network: `"target"`, `"online"`, or None for the target network where
            there is one.
        output: `"pooled"` for one vector an image, `"tokens"` for its patch
            tokens.
        batch_size: Int, images to a call.

    Returns:
        Float32 of shape `(B, hidden_dim)` or `(B, T, hidden_dim)`.

    Example:

    >>> features = keras_ab.probes.extract_features(model, images)
    """
    if output not in OUTPUTS:
        raise ValueError(
            f"`output` must be one of {list(OUTPUTS)}. Received: {output!r}"
        )
    network = model.network(network)
    images = extract_views(images, network.encoder.image_shape[:2])
    inputs = keras.Input(images.shape[1:], dtype="uint8")
    outputs = _Features(network, OUTPUTS[output])(inputs)
    extractor = keras.Model(inputs, outputs)
    features = extractor.predict(images, batch_size=batch_size, verbose=0)
    return np.asarray(features, "float32")


def extract_views(images, size, batch_size=512):
    """Whole images, resized to what an encoder takes.

    Args:
        images: uint8 of shape `(B, H, W, 3)`.
        size: `(height, width)`.
        batch_size: Int, images to a call.

    Returns:
        uint8 of shape `(B, height, width, 3)`; antialiased bilinear.
    """
    images = np.asarray(images)
    size = tuple(size)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(
            "`images` must be uint8 of shape (B, H, W, 3). Received: "
            f"{images.dtype} of shape {images.shape}"
        )
    if images.shape[1:3] == size:
        return images
    parts = []
    for start in range(0, len(images), batch_size):
        part = ops.image.resize(
            ops.cast(images[start : start + batch_size], "float32"),
            size,
            interpolation="bilinear",
            antialias=True,
            data_format="channels_last",
        )
        part = ops.convert_to_numpy(ops.clip(ops.round(part), 0, 255))
        parts.append(part.astype("uint8"))
    return np.concatenate(parts)
