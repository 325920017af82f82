"""What users pass to a model outside of `fit`."""

from collections.abc import Sequence

import numpy as np
from keras import ops

from keras_ab.objectives.checks import check_images
from keras_ab.typing import Tensor


def as_images(images: Tensor | Sequence[Tensor]) -> Tensor:
    """Checked images as a tensor.

    Args:
        images: uint8, or float in [-1, 1], of shape `(B, H, W, 3)`.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        ValueError: If the rank, the channels, the dtype or the range is
            another. The range is checked where values can be read: not
            inside a compiled function.
    """
    if isinstance(images, (list, tuple)):
        images = np.stack([np.asarray(image) for image in images])
    values = concrete(images)
    if values is not None:
        if values.dtype == np.float64:
            values = values.astype("float32")
            images = values
        check_images(values, "`images`")
    return ops.convert_to_tensor(images)


def concrete(values: Tensor) -> np.ndarray | None:
    """A tensor's values as NumPy, or None while a function is traced."""
    if isinstance(values, np.ndarray):
        return values
    try:
        return ops.convert_to_numpy(values)
    except (TypeError, ValueError, NotImplementedError, AttributeError):
        return None
