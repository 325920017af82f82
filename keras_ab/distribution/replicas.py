"""What the replicas of a step know together.

Under `tf.distribute.MirroredStrategy` each replica runs the step on its rows
of the batch, and what a loss says about the whole batch has to be brought
together. Elsewhere these functions do nothing: under `keras.distribution`, an
array is the global one, however it lies on devices.
"""

from collections.abc import Sequence

import keras
from keras import ops

from keras_ab.typing import Tensor


def num_replicas() -> int:
    """In how many replicas the calling code runs side by side.

    Returns:
        Int, 1 outside of a replicated step.
    """
    context = _context()
    return 1 if context is None else context.num_replicas_in_sync


def gather(rows: Tensor) -> Tensor:
    """The rows of all replicas, in their order, on each of them.

    The gradient of a replica's rows is the sum of what all replicas make of
    them. A loss of gathered rows, which is the same on every replica, must
    therefore be divided by `num_replicas()`, as must one of own rows.

    Args:
        rows: Tensor of shape `(B, ...)`; B may differ between replicas.

    Returns:
        Tensor of shape `(sum of all B, ...)`.

    Example:

    >>> keras_ab.distribution.gather(np.ones((2, 3))).shape
    # (2, 3): there is one replica here
    """
    context = _context()
    if context is None:
        return rows
    rows = ops.convert_to_tensor(rows)
    dtype = keras.backend.standardize_dtype(rows.dtype)
    if "float" not in dtype:
        return context.all_gather(rows, axis=0)
    # In float32, in which the gradients are then added up.
    gathered = context.all_gather(ops.cast(rows, "float32"), axis=0)
    return ops.cast(gathered, dtype)


def mean_of_rows(rows: Tensor) -> Tensor:
    """The mean over the rows of all replicas.

    Args:
        rows: Floats of shape `(B, ...)`.

    Returns:
        Floats of shape `(...)`.
    """
    context = _context()
    if context is None:
        return ops.mean(rows, axis=0)
    count = ops.cast(ops.shape(rows)[0], rows.dtype)
    summed, count = total([ops.sum(rows, axis=0), count])
    return summed / count


def total(values: Sequence[Tensor]) -> list[Tensor]:
    """The sums over all replicas.

    Args:
        values: List of dense tensors, of the same shapes on each replica.

    Returns:
        List of tensors, the same on each replica.
    """
    context = _context()
    if context is None:
        return list(values)
    return list(context.all_reduce("SUM", list(values)))


def _context():
    """TensorFlow's replica context, where there is more than one replica."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return None
    return context
