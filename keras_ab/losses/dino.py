"""Self-distillation over prototypes, as in DINO."""

from typing import Any

import keras
from keras import ops

from keras_ab.losses.temperature import check_temperature
from keras_ab.typing import DType
from keras_ab.typing import Tensor


def dino(
    student_logits: Tensor,
    teacher_probabilities: Tensor,
    temperature: float = 0.1,
) -> Tensor:
    """Cross-entropy of the student's views against the teacher's.

    The teacher sees the first G of the student's V views. Every pair of a
    teacher view g and a student view v ≠ g counts once.

    Args:
        student_logits: Floats of shape `(V, B, K)`, raw prototype scores.
        teacher_probabilities: Floats of shape `(G, B, K)`, `G <= V`, each row
            a distribution. Centring and sharpening happen before, in the
            objective that holds the centre. No gradient passes to them.
        temperature: Positive float that divides the student's logits.

    Returns:
        Float32 of shape `(B,)`: the mean over the pairs `g != v`.

    Example:

    >>> logits = np.zeros((10, 2, 16))
    >>> keras_ab.losses.dino(logits, np.full((2, 2, 16), 1 / 16))
    # [2.773, 2.773] = ln 16

    Reference:
        Section 3.2 (ABDINO's reward); Caron et al. 2021, equation 3.
    """
    student = ops.cast(ops.convert_to_tensor(student_logits), "float32")
    teacher = ops.cast(ops.convert_to_tensor(teacher_probabilities), "float32")
    views, teachers = student.shape[0], teacher.shape[0]
    if (
        len(student.shape) != 3
        or len(teacher.shape) != 3
        or tuple(student.shape[1:]) != tuple(teacher.shape[1:])
        or not 1 <= teachers <= views
        or views < 2
    ):
        raise ValueError(
            "`student_logits` must have shape (V, B, K) with V >= 2 and "
            "`teacher_probabilities` (G, B, K) with 1 <= G <= V. "
            f"Received: {tuple(student.shape)} and {tuple(teacher.shape)}"
        )
    check_temperature(temperature)
    teacher = ops.stop_gradient(teacher)
    log_student = ops.log_softmax(student / temperature, axis=-1)
    # For each teacher the sum over the other views: their difference from
    # the sum over all would cancel.
    total = 0.0
    for g in range(teachers):
        others = [log_student[v] for v in range(views) if v != g]
        total = total - ops.sum(teacher[g] * sum(others), axis=-1)
    return total / (teachers * (views - 1))


@keras.saving.register_keras_serializable(package="keras_ab")
class DINOLoss(keras.losses.Loss):
    """Class form of `keras_ab.losses.dino`.

    `y_true` are the teacher's probabilities `(G, B, K)`, `y_pred` the
    student's logits `(V, B, K)`.

    Args:
        temperature: Positive float that divides the student's logits.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.

    Example:

    >>> loss = keras_ab.losses.DINOLoss()
    >>> loss(np.full((2, 2, 16), 1 / 16), np.zeros((10, 2, 16)))
    # 2.773
    """

    def __init__(
        self,
        temperature: float = 0.1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "dino",
        dtype: DType | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        check_temperature(temperature)
        self.temperature = temperature

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return dino(y_pred, y_true, self.temperature)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}
