"""Prediction of the features of masked patches, as in I-JEPA."""

import keras
from keras import ops

from keras_ab.ops.shapes import shapes_fit
from keras_ab.typing import DType
from keras_ab.typing import Tensor


def masked_latents(
    predictions: Tensor, targets: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Smooth L1 distance of predicted features from the target network's.

    `d² / 2` for differences d below 1, `|d| - 1/2` above.

    Args:
        predictions: Floats of shape `(B, ..., D)`, for example
            `(B, M, T, D)`: T patches of each of M targets.
        targets: Floats of the same shape. No gradient passes to them.
        mask: Bools of shape `(B, ...)`, which patches are meant; the rest is
            padding and costs nothing. None where all are.

    Returns:
        Float32 of shape `(B,)`: the mean over everything that is meant.

    Example:

    >>> x = np.zeros((1, 4, 5, 8))
    >>> keras_ab.losses.masked_latents(x + 2.0, x)
    # [1.5]

    Reference:
        Assran et al. 2023 and its code (`smooth_l1_loss`, beta 1); the
        paper's own text has the squared distance.
    """
    predictions = ops.cast(ops.convert_to_tensor(predictions), "float32")
    targets = ops.cast(ops.convert_to_tensor(targets), "float32")
    shape = tuple(predictions.shape)
    if len(shape) < 2 or not shapes_fit(shape, tuple(targets.shape)):
        raise ValueError(
            "`predictions` and `targets` must have the same shape "
            f"(B, ..., D). Received: {shape} and {tuple(targets.shape)}"
        )
    gap = predictions - ops.stop_gradient(targets)
    if mask is not None:
        mask = ops.cast(ops.convert_to_tensor(mask), "bool")
        if not shapes_fit(tuple(mask.shape), shape[:-1]):
            raise ValueError(
                f"`mask` must have shape {shape[:-1]}, the predictions' "
                f"without their last axis. Received: {tuple(mask.shape)}"
            )
        gap = ops.where(mask[..., None], gap, 0.0)
    size = ops.abs(gap)
    cost = ops.where(size < 1.0, 0.5 * ops.square(gap), size - 0.5)
    cost = ops.mean(cost, axis=tuple(range(1, len(shape))))
    if mask is None:
        return cost
    axes = tuple(range(1, len(shape) - 1))
    share = ops.mean(ops.cast(mask, "float32"), axis=axes)
    # Where nothing is meant, the cost is 0.
    return cost / ops.maximum(share, 1e-9)


@keras.saving.register_keras_serializable(package="keras_ab")
class MaskedLatentsLoss(keras.losses.Loss):
    """Class form of `keras_ab.losses.masked_latents`.

    `y_true` are the target network's features `(B, ..., D)`, `y_pred` the
    predicted ones, all of them meant.

    Args:
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.

    Example:

    >>> x = np.zeros((1, 4, 5, 8))
    >>> keras_ab.losses.MaskedLatentsLoss()(x, x + 2.0)
    # 1.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "masked_latents",
        dtype: DType | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return masked_latents(y_pred, y_true)
