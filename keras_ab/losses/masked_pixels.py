"""Reconstruction of the pixels of masked patches, as in MAE."""

from typing import Any

import keras
from keras import ops

from keras_ab.ops.shapes import shapes_fit
from keras_ab.typing import DType
from keras_ab.typing import Tensor


def masked_pixels(
    predictions: Tensor,
    patches: Tensor,
    masked: Tensor | None = None,
    normalize: bool = True,
) -> Tensor:
    """Squared error of predicted patches against the images' own.

    Args:
        predictions: Floats of shape `(B, T, P)`: P numbers for each patch.
        patches: Floats of shape `(B, T, P)`: pixels, patch by patch.
        masked: Ints of shape `(B, M)`, the patches that count, by their place
            on the axis T; None for all of them.
        normalize: Bool, whether each patch of `patches` is brought to mean 0
            and variance 1 first (unbiased variance, plus 1e-6).

    Returns:
        Float32 of shape `(B,)`: averaged over the P numbers, then over the
        patches that count. With `normalize`, predicting 0 costs about 1.

    Example:

    >>> patches = np.arange(48.0).reshape(1, 4, 12)
    >>> keras_ab.losses.masked_pixels(np.zeros((1, 4, 12)), patches)
    # [0.917] = 11 / 12

    Reference:
        He et al. 2022, "Reconstruction target".
    """
    predictions = ops.cast(ops.convert_to_tensor(predictions), "float32")
    patches = ops.cast(ops.convert_to_tensor(patches), "float32")
    shape = tuple(predictions.shape)
    if len(shape) != 3 or not shapes_fit(shape, tuple(patches.shape)):
        raise ValueError(
            "`predictions` and `patches` must have the same shape (B, T, P). "
            f"Received: {shape} and {tuple(patches.shape)}"
        )
    if masked is not None:
        masked = ops.convert_to_tensor(masked)
        if not shapes_fit(tuple(masked.shape), (shape[0], None)):
            raise ValueError(
                "`masked` must hold ids of shape (B, M), one row for each of "
                f"the {shape[0]} images. Received: shape {tuple(masked.shape)}"
            )
        masked = ops.expand_dims(masked, -1)
        predictions = ops.take_along_axis(predictions, masked, axis=1)
        patches = ops.take_along_axis(patches, masked, axis=1)
    if normalize:
        patches = _normalized(patches)
    return ops.mean(ops.square(predictions - patches), axis=(1, 2))


def _normalized(patches):
    """Each patch with mean 0 and unbiased variance 1."""
    size = patches.shape[-1]
    patches = patches - ops.mean(patches, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(patches), axis=-1, keepdims=True)
    variance = variance * (size / max(size - 1, 1))
    return patches * ops.rsqrt(variance + 1e-6)


@keras.saving.register_keras_serializable(package="keras_ab")
class MaskedPixelsLoss(keras.losses.Loss):
    """Class form of `keras_ab.losses.masked_pixels`.

    `y_true` are the images' patches `(B, M, P)`, `y_pred` the predicted ones,
    both of the masked patches alone.

    Args:
        normalize: Bool, whether each true patch is normalised first.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.

    Example:

    >>> patches = np.arange(48.0).reshape(1, 4, 12)
    >>> keras_ab.losses.MaskedPixelsLoss()(patches, np.zeros((1, 4, 12)))
    # 0.917
    """

    def __init__(
        self,
        normalize: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "masked_pixels",
        dtype: DType | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.normalize = normalize

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return masked_pixels(y_pred, y_true, normalize=self.normalize)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "normalize": self.normalize}
