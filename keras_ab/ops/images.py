"""Pixel values."""

import keras
from keras import ops

from keras_ab.typing import DType
from keras_ab.typing import Tensor


def scale_images(images: Tensor, dtype: DType | None = None) -> Tensor:
    """Scales uint8 pixels to [-1, 1]; floats pass through.

    Images travel to the device as uint8 and become floats there.

    Args:
        images: uint8 in [0, 255], or floats already in [-1, 1], of any shape.
        dtype: Dtype of the result, by default `keras.config.floatx()`.

    Returns:
        Floats of the same shape.

    Example:

    >>> keras_ab.ops.scale_images(np.array([0, 255], "uint8"))
    # [-1.0, 1.0]
    """
    dtype = dtype or keras.config.floatx()
    images = ops.convert_to_tensor(images)
    kind = keras.backend.standardize_dtype(images.dtype)
    if kind == "uint8":
        return ops.cast(ops.cast(images, "float32") / 127.5 - 1.0, dtype)
    if not kind.startswith(("float", "bfloat")):
        raise ValueError(
            f"Images must be uint8, or float in [-1, 1]. Received: dtype {kind}"
        )
    return ops.cast(images, dtype)
