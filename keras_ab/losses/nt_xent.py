"""NT-Xent between two views of the same images, as in SimCLR."""

from typing import Any

import keras
from keras import ops

from keras_ab.losses.temperature import check_temperature
from keras_ab.ops.similarity import l2_normalize
from keras_ab.typing import DType
from keras_ab.typing import Tensor


def nt_xent(a: Tensor, b: Tensor, temperature: float = 0.1) -> Tensor:
    """Normalised-temperature cross-entropy between two sets of views.

    Row i of `a` and row i of `b` are views of one image. Each of the 2B
    embeddings is to pick its twin out of the other 2B - 1, of which 2B - 2
    are negatives.

    Args:
        a: Floats of shape `(B, D)`, the first views' embeddings.
        b: Floats of shape `(B, D)`, the second views' embeddings.
        temperature: Positive float that divides the cosines.

    Returns:
        Float32 of shape `(B,)`: the mean of the two views' terms. About
        `ln(2B - 1)` for random embeddings.

    Example:

    >>> x = np.eye(4, dtype="float32")
    >>> keras_ab.losses.nt_xent(x, x, temperature=0.1)
    # four values of about 2.7e-4

    Reference:
        Section 3.2 (ABSimCLR's reward); Chen et al. 2020, equation 1.
    """
    a, b = ops.convert_to_tensor(a), ops.convert_to_tensor(b)
    if len(a.shape) != 2 or tuple(a.shape) != tuple(b.shape):
        raise ValueError(
            "`a` and `b` must have the same shape (B, D). "
            f"Received: {tuple(a.shape)} and {tuple(b.shape)}"
        )
    check_temperature(temperature)
    a, b = l2_normalize(a), l2_normalize(b)
    views = ops.concatenate([a, b], axis=0)
    logits = ops.matmul(views, ops.transpose(views)) / temperature
    count = ops.shape(a)[0]
    positives = ops.concatenate(
        [
            ops.diagonal(logits[:count, count:]),
            ops.diagonal(logits[count:, :count]),
        ]
    )
    # An embedding is not its own negative.
    logits = ops.where(ops.eye(2 * count, dtype="bool"), -1e9, logits)
    # The difference first: afterwards what is left of it would be rounded.
    logits = logits - positives[:, None]
    terms = ops.reshape(ops.logsumexp(logits, axis=1), (2, -1))
    return ops.mean(terms, axis=0)


@keras.saving.register_keras_serializable(package="keras_ab")
class NTXent(keras.losses.Loss):
    """Class form of `keras_ab.losses.nt_xent`.

    `y_true` and `y_pred` are the two views' embeddings, `(B, D)` each.

    Args:
        temperature: Positive float that divides the cosines.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.

    Example:

    >>> x = np.eye(4, dtype="float32")
    >>> keras_ab.losses.NTXent(temperature=0.1)(x, x)
    # 2.7e-4
    """

    def __init__(
        self,
        temperature: float = 0.1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "nt_xent",
        dtype: DType | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        check_temperature(temperature)
        self.temperature = temperature

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return nt_xent(y_true, y_pred, self.temperature)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}
