"""One way to use any encoder, which leaves it as it is."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.backbones.outputs import check_outputs
from keras_ab.probes.encoder_parts import take_apart
from keras_ab.probes.fingerprint import array_fingerprint
from keras_ab.probes.frozen_call import compiled
from keras_ab.typing import Size
from keras_ab.typing import Tensor
from keras_ab.typing import is_integral

Scale = Callable[[np.ndarray], np.ndarray] | Sequence[Any] | None
"""How pixels become floats: see `FrozenEncoder`."""


class FrozenEncoder:
    """Any encoder of images, used and not changed.

    Weights, statistics and random states stay as they are, to the bit. What
    it computes follows the encoder's weights where these are trained on.

    Args:
        encoder: A `keras_ab.models.Pretrainer`; a backbone of keras_ab; a
            model of KerasHub, keras.applications or KerasCV, or any Keras
            layer, that returns tokens `(B, T, D)` or a map `(B, h, w, D)`; or
            a callable from images to either, which is called with NumPy
            arrays. A `FrozenEncoder` passes through, if nothing else is said.
        network: `"target"` or `"online"` of a Pretrainer; None for the target
            network where there is one.
        image_size: Int or `(height, width)`; None asks the encoder.
        scale: How uint8 becomes what the encoder takes. None for [-1, 1];
            `(mean, std)` of pixels in [0, 1]; or a callable from float32 of
            0 to 255, NumPy of shape `(B, h, w, 3)`, such as a
            keras.applications model's `preprocess_input`.
        layer: None for the last; the number of a block of a keras_ab ViT,
            before its last normalisation; or the name of a layer of a
            functional Keras model.
        name: String; None asks the encoder.
        pooling: None for the encoder's own pooling where it has one and the
            mean of tokens elsewhere; `"mean"`, or `"first"` for the first
            token, which is the class token where there is one.

    Raises:
        ValueError: If the encoder does not return tokens or a map, or does
            not say what size of images it takes.

    Example:

    >>> encoder = keras_ab.probes.FrozenEncoder(model)
    >>> encoder.pooled(images).shape
    # (4, 32)
    """

    def __new__(cls, encoder: Any = None, *args: Any, **kwargs: Any) -> Any:
        given = [*args, *kwargs.values()]
        if not isinstance(encoder, FrozenEncoder):
            return super().__new__(cls)
        if any(value is not None for value in given):
            raise ValueError(
                "A FrozenEncoder has its settings. Received: one, with more "
                f"arguments: {given}"
            )
        return encoder

    def __init__(
        self,
        encoder: Any,
        network: str | None = None,
        image_size: Size | None = None,
        scale: Scale = None,
        layer: int | str | None = None,
        name: str | None = None,
        pooling: str | None = None,
    ):
        if encoder is self:
            return
        parts = take_apart(encoder, network, layer, pooling)
        self.encoder = encoder
        self.layer = layer
        self.scale = _check_scale(scale)
        self.pooling = pooling
        self.name = name or _name(encoder)
        self.image_size = _check_size(image_size, parts, self.name)
        self._parts = parts
        self._functions: dict[str, Any] = {}
        if parts.module is not None:
            # An output of another kind is an error here, not later.
            self._function("tokens")

    @property
    def kind(self) -> str:
        """`"pretrainer"`, `"backbone"`, `"model"` or `"callable"`."""
        return self._parts.kind

    @property
    def branch(self) -> str | None:
        """`"online"` or `"target"` of a Pretrainer, else None."""
        return self._parts.branch

    @property
    def module(self) -> keras.layers.Layer | None:
        """The layer that holds the weights, None of a callable."""
        return self._parts.module

    @property
    def origin(self) -> keras.layers.Layer | None:
        """The layer that was given, or is the branch's; None of a callable."""
        return self._parts.origin

    def tokens(self, images: Tensor, batch_size: int = 64) -> np.ndarray:
        """The tokens of images.

        Args:
            images: uint8 of shape `(B, h, w, 3)`, of `image_size`.
            batch_size: Int, images to a call of the encoder.

        Returns:
            float32 of shape `(B, T, D)`, for a keras_ab backbone without the
            class token.
        """
        return self._run("tokens", images, batch_size)

    def pooled(self, images: Tensor, batch_size: int = 64) -> np.ndarray:
        """One vector for each image.

        Args:
            images: uint8 of shape `(B, h, w, 3)`, of `image_size`.
            batch_size: Int, images to a call of the encoder.

        Returns:
            float32 of shape `(B, D)`.
        """
        return self._run("pooled", images, batch_size)

    def fingerprint(self) -> str:
        """What the weights are, whatever they are called.

        Returns:
            Hexadecimal SHA-256 of the values of all weights, in order; of an
            encoder without weights, of what it makes of a fixed batch of
            noise.
        """
        weights = [ops.convert_to_numpy(w) for w in self._parts.weights]
        if not weights:
            rng = np.random.default_rng(0)
            noise = rng.integers(0, 256, (2, *self.image_size, 3), "uint8")
            weights = [self.tokens(noise)]
        return array_fingerprint(weights)

    def describe(self) -> dict[str, Any]:
        """What results say of the encoder, JSON-ready."""
        return {
            "name": self.name,
            "kind": self.kind,
            "branch": self.branch,
            "layer": self.layer,
            "pooling": self.pooling,
            "image_size": list(self.image_size),
            "scale": _describe_scale(self.scale),
            "parameters": sum(
                int(np.prod(w.shape)) for w in self._parts.weights
            ),
            "fingerprint": self.fingerprint(),
        }

    def _run(self, output, images, batch_size):
        images = self.check_images(images)
        function = self._function(output)
        results = []
        for start in range(0, len(images), batch_size):
            part = images[start : start + batch_size]
            count = len(part)
            if start and self.module is not None and count < batch_size:
                # Another shape would be compiled anew.
                blank = [(0, batch_size - count), (0, 0), (0, 0), (0, 0)]
                part = np.pad(part, blank)
            result = np.asarray(function(self._sent(part)), "float32")
            results.append(result[:count])
        return np.concatenate(results)

    def scaled(self, images: np.ndarray) -> np.ndarray:
        """Pixels as the encoder takes them.

        Args:
            images: uint8 or floats from 0 to 255, `(B, h, w, 3)`.

        Returns:
            float32 of the same shape.
        """
        images = images.astype("float32")
        if self.scale is None:
            return images / 127.5 - 1.0
        if callable(self.scale):
            return np.asarray(self.scale(images), "float32")
        mean, std = self.scale
        return (images / 255.0 - mean) / std

    def _sent(self, images):
        """Pixels as the compiled call takes them."""
        if self.scale is None and self.module is not None:
            # A quarter of the bytes; it is scaled where they arrive.
            return images
        return self.scaled(images)

    def _function(self, output):
        if output not in self._functions:
            parts = self._parts
            finish = parts.tokens
            if output == "pooled":
                finish = parts.pool or (lambda x: _mean(parts.tokens(x)))
            if parts.module is None:
                function = _plain_call(parts.encode, finish)
            else:
                function = compiled(
                    parts.module,
                    parts.encode,
                    finish,
                    (*self.image_size, 3),
                    "uint8" if self.scale is None else "float32",
                )
            self._functions[output] = function
        return self._functions[output]

    def check_images(self, images: Tensor) -> np.ndarray:
        """Images as an array, or `ValueError` for what it does not take.

        Args:
            images: uint8 of shape `(B, h, w, 3)`.
        """
        images = np.asarray(images)
        expected = (*self.image_size, 3)
        if images.dtype != np.uint8 or images.shape[1:] != expected:
            raise ValueError(
                f"Images for {self.name!r} must be uint8 of shape (B, "
                f"{', '.join(map(str, expected))}), as "
                "`keras_ab.probes.center_crop` makes them. Received: "
                f"{images.dtype} of shape {images.shape}"
            )
        if not len(images):
            raise ValueError("There must be an image or more. Received: none")
        return images


def _plain_call(encode, finish):
    def call(images):
        outputs = encode(images)
        check_outputs(outputs)
        return finish(np.asarray(ops.convert_to_numpy(outputs)))

    return call


def _mean(tokens):
    numpy = isinstance(tokens, np.ndarray)
    return tokens.mean(axis=1) if numpy else ops.mean(tokens, axis=1)


def _name(encoder):
    for key in ("name", "__name__"):
        if isinstance(getattr(encoder, key, None), str):
            return getattr(encoder, key)
    return type(encoder).__name__


def _check_size(size, parts, name):
    if size is None and parts.image_size is None:
        raise ValueError(
            f"Encoder {name!r} does not say what size of images it takes: "
            "pass `image_size`. Received: image_size=None"
        )
    size = parts.image_size if size is None else size
    pair: Any = (size, size) if is_integral(size) else tuple(size)
    if len(pair) != 2 or not all(is_integral(n) and n > 0 for n in pair):
        raise ValueError(
            "`image_size` must be a positive int or a pair of them. Received: "
            f"{size!r}"
        )
    return tuple(int(n) for n in pair)


def _check_scale(scale):
    if scale is None or callable(scale):
        return scale
    try:
        mean, std = (np.asarray(part, "float32") for part in scale)
        fits = {mean.shape, std.shape} <= {(), (3,)} and (std > 0).all()
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ValueError(
            "`scale` must be None, a callable, or (mean, std), each a number "
            f"or one for each channel. Received: {scale!r}"
        )
    return mean, std


def _describe_scale(scale):
    if scale is None:
        return "[-1, 1]"
    if callable(scale):
        # By what it does, whatever it is called.
        ramp = np.linspace(0, 255, 256, dtype="float32")
        ramp = np.repeat(ramp, 3).reshape(1, 16, 16, 3)
        return array_fingerprint([np.asarray(scale(ramp.copy()), "float32")])
    return {"mean": scale[0].tolist(), "std": scale[1].tolist()}
