"""The value loss: cross-entropy of Q against its Bellman target."""

import keras
from keras import ops

from keras_ab.ops.bellman import pairs_fit
from keras_ab.typing import DType
from keras_ab.typing import Tensor


def bellman_value(q_logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy of the value function against its target.

    The prediction from every view i for the action that leads to view j is
    pulled towards the one target of view j.

    Args:
        q_logits: Floats of shape `(B, N, N, L)`: logits of
            `Q(x_i, bb_{i→j}, l)` from the online network.
        target: Floats of shape `(B, N, L)` in [0, 1]: the result of
            `keras_ab.ops.bellman_target`.

    Returns:
        Float32 of shape `(B,)`: summed over the L annotations, averaged over
        the N² pairs (i = j included).

    Example:

    >>> q_logits, target = np.zeros((2, 4, 4, 8)), np.full((2, 4, 8), 0.5)
    >>> keras_ab.losses.bellman_value(q_logits, target)
    # [5.545, 5.545] = 8 * ln 2

    Reference:
        Equation 5, `L_AB` in Algorithm 1 and `value_loss` in Algorithm 2. The
        sum over annotations keeps the term commensurate with InfoNCE.
    """
    q_logits = ops.cast(ops.convert_to_tensor(q_logits), "float32")
    target = ops.cast(ops.convert_to_tensor(target), "float32")
    if not pairs_fit(q_logits.shape, target.shape):
        raise ValueError(
            "`q_logits` must have shape (B, N, N, L) and `target` (B, N, L). "
            f"Received: {tuple(q_logits.shape)} and {tuple(target.shape)}"
        )
    # BCE(sigmoid(q), y) = softplus(q) - y q
    pairs = ops.softplus(q_logits) - q_logits * ops.expand_dims(target, 1)
    return ops.mean(ops.sum(pairs, axis=-1), axis=(1, 2))


@keras.saving.register_keras_serializable(package="keras_ab")
class BellmanValueLoss(keras.losses.Loss):
    """Class form of `keras_ab.losses.bellman_value`.

    `y_true` is the target `(B, N, L)`, `y_pred` the logits `(B, N, N, L)`.

    Args:
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.

    Example:

    >>> loss = keras_ab.losses.BellmanValueLoss()
    >>> loss(np.full((2, 4, 8), 0.5), np.zeros((2, 4, 4, 8)))
    # 5.545
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "bellman_value",
        dtype: DType | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return bellman_value(y_pred, y_true)
