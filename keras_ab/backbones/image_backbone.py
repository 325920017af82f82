"""Any image model of Keras as an image encoder."""

import copy
from typing import Any
from typing import Self

import keras
from keras import ops

from keras_ab.backbones.outputs import as_tokens
from keras_ab.backbones.outputs import image_half
from keras_ab.backbones.outputs import image_size
from keras_ab.backbones.outputs import pooled_and_tokens
from keras_ab.backbones.outputs import single_input
from keras_ab.typing import Shape
from keras_ab.typing import Tensor

# Factor and shift of pixels in [-1, 1], and whether blue comes first.
CAFFE = (103.939, 116.779, 123.68)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PIXELS = {
    "signed": (1.0, 0.0, False),
    "unit": (0.5, 0.5, False),
    "bytes": (127.5, 127.5, False),
    "imagenet": (
        [0.5 / s for s in STD],
        [(0.5 - m) / s for m, s in zip(MEAN, STD)],
        False,
    ),
    "caffe": (127.5, [127.5 - mean for mean in CAFFE], True),
}
# A model that scales its images itself takes 0 to 255.
SCALING = (keras.layers.Rescaling, keras.layers.Normalization)


@keras.saving.register_keras_serializable(package="keras_ab")
class ImageBackbone(keras.layers.Layer):
    """A model of KerasHub, keras.applications or KerasCV as an encoder.

    Methods wrap what they are given as `image_encoder` in this by themselves;
    it is for saying more.

    Args:
        model: A Keras model from images to tokens `(B, T, D)` or to a map
            `(B, h, w, D)`. Of KerasHub's CLIP and SigLIP the half for images
            is taken, before its pooling.
        image_shape: `(height, width, 3)`, for a model that leaves it open.
        pixels: What the model takes: `"signed"` for [-1, 1], `"unit"` for
            [0, 1], `"bytes"` for [0, 255], `"imagenet"` for pixels less the
            mean of ImageNet over its deviation, `"caffe"` as
            `keras.applications.resnet.preprocess_input` makes them. None for
            `"bytes"` where the model scales its images itself (EfficientNet,
            ConvNeXt), else `"signed"`. It matters for trained weights.
        num_prefix_tokens: Int, tokens before those of patches: a class token,
            registers. None for those that are more than the patches of a
            model that has a `patch_size`, else 0.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        images: Floats in [-1, 1] of shape `(B, H, W, 3)`.
        training: Bool.

    Returns:
        Floats of shape `(B, T, hidden_dim)`.

    Example:

    >>> model = keras.Sequential(
    ...     [keras.Input((32, 32, 3)), keras.layers.Conv2D(8, 4, strides=4)]
    ... )
    >>> encoder = keras_ab.backbones.ImageBackbone(model)
    >>> encoder(np.zeros((2, 32, 32, 3))).shape, encoder.hidden_dim
    # (2, 64, 8), 8
    """

    def __init__(
        self,
        model: keras.layers.Layer,
        image_shape: tuple[int, int, int] | None = None,
        pixels: str | None = None,
        num_prefix_tokens: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        model = image_half(model)
        if not isinstance(model, keras.layers.Layer):
            raise ValueError(
                "An image encoder must be a Keras model or layer, or the name "
                f"of a ViT's size. Received: {model!r}"
            )
        size = image_shape or image_size(model)
        if size is None:
            raise ValueError(
                f"{model.name!r} leaves the size of images open: wrap it as "
                "`keras_ab.backbones.ImageBackbone(model, image_shape=(height, "
                "width, 3))`."
            )
        if pixels is None:
            pixels = "bytes" if _scales(model) else "signed"
        if pixels not in PIXELS:
            raise ValueError(
                f"`pixels` must be one of {list(PIXELS)}. Received: {pixels!r}"
            )
        self.image_shape = (*size[:2], 3)
        self.pixels = pixels
        # In a function, or Keras would count the weights of what is left out.
        self._given = lambda: model
        both = pooled_and_tokens(model)
        self.model = model
        if both is not None:
            self.model = keras.Model(model.inputs, both.outputs[0])
        self._run = single_input(self.model)
        shape = self._shape_of_tokens()
        self.hidden_dim = shape[-1]
        self.num_prefix_tokens = num_prefix_tokens
        if num_prefix_tokens is None:
            self.num_prefix_tokens = self._prefix(shape)

    def _shape_of_tokens(self):
        images = keras.KerasTensor((None, *self.image_shape), "float32")
        return tuple(as_tokens(self._run(images)).shape)

    def _prefix(self, shape):
        config: dict[str, Any] = getattr(self.model, "get_config", dict)()
        patch = config.get("patch_size")
        if patch is None:
            return 0
        patch = (patch, patch) if isinstance(patch, int) else patch
        rows, columns = (
            side // step for side, step in zip(self.image_shape, patch)
        )
        return max(shape[1] - rows * columns, 0)

    def build(self, input_shape: Shape | None = None) -> None:
        if not self.model.built:
            self.model.build((None, *self.image_shape))

    def call(self, images: Tensor, training: bool = False) -> Tensor:
        factor, shift, blue_first = PIXELS[self.pixels]
        images = ops.cast(images, self.compute_dtype)
        factor = ops.convert_to_tensor(factor, images.dtype)
        shift = ops.convert_to_tensor(shift, images.dtype)
        if blue_first:
            images = ops.flip(images, axis=-1)
        return as_tokens(self._run(images * factor + shift, training=training))

    def pool(self, tokens: Tensor) -> Tensor:
        """One vector for each image: the mean of its patches' tokens.

        Args:
            tokens: What `call` returned, `(B, T, hidden_dim)`.

        Returns:
            Floats of shape `(B, hidden_dim)`.
        """
        return ops.mean(self.patch_tokens(tokens), axis=1)

    def patch_tokens(self, tokens: Tensor) -> Tensor:
        """The tokens of patches, without those before them.

        Args:
            tokens: What `call` returned.

        Returns:
            Floats of shape `(B, rows * columns, hidden_dim)`.
        """
        return tokens[:, self.num_prefix_tokens :]

    def get_build_config(self) -> None:
        # Built by the model that holds it.
        return None

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "model": keras.saving.serialize_keras_object(self._given()),
            "image_shape": self.image_shape,
            "pixels": self.pixels,
            "num_prefix_tokens": self.num_prefix_tokens,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        # A functional model's config is emptied by what reads it.
        model = copy.deepcopy(config["model"])
        model = keras.saving.deserialize_keras_object(model)
        config = {**config, "model": model}
        return cls(**config)


def as_encoder(encoder: Any) -> Any:
    """An image encoder, of whatever can be one.

    Args:
        encoder: What has `pool`, `hidden_dim` and `image_shape`, which passes
            through, or a Keras model or layer.

    Returns:
        A layer from float images to tokens.
    """
    if isinstance(encoder, keras.layers.Layer) and not hasattr(encoder, "pool"):
        return ImageBackbone(encoder, name="image_encoder")
    return encoder


def _scales(model):
    layers = getattr(model, "layers", ())
    return any(isinstance(layer, SCALING) for layer in layers)
