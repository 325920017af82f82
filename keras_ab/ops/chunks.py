"""Work on the rows of a long matrix, a chunk of them at a time."""

from collections.abc import Callable

import keras
from keras import ops

from keras_ab.typing import Tensor


def over_chunks(
    step: Callable[..., tuple[Tensor, ...]],
    carry: tuple[Tensor, ...],
    rows: Tensor,
    size: int,
) -> tuple[Tensor, ...]:
    """Runs `step(start, length, carry)` over chunks, one after the other.

    It is a loop of the backend, since XLA may run the rounds of an unrolled
    one side by side. Gradients do not pass: call it where a gradient is
    written by hand.

    Args:
        step: A function of the first row of a chunk, its number of rows (the
            last chunk may have fewer) and the carry, that returns the carry.
        carry: Tuple of tensors.
        rows: Tensor of shape `(L, ...)`.
        size: Int, rows of a chunk.

    Returns:
        The carry after the last chunk.
    """
    total = ops.shape(rows)[0]
    if not isinstance(total, int):
        size = ops.minimum(size, total)
    whole = total // size
    carry = ops.fori_loop(
        0,
        whole,
        lambda i, carry: step(_after(i * size, carry[0]), size, carry),
        carry,
    )
    rest = total - whole * size
    if isinstance(rest, int) and rest == 0:
        return carry
    return step(_after(whole * size, carry[0]), rest, carry)


def _after(start, done):
    """A chunk's start that is not known before the chunk before is done.

    TensorFlow's loops run up to ten rounds ahead as far as the data allow,
    with the memory of ten.
    """
    if keras.backend.backend() != "tensorflow":
        return start
    return start + 0 * ops.cast(ops.sum(done), "int32")


def take_rows(
    matrix: Tensor, start: int | Tensor, length: int | Tensor
) -> Tensor:
    """A chunk of a matrix.

    Args:
        matrix: Tensor of shape `(L, D)`.
        start: Int or int32 scalar, its first row.
        length: Int or int32 scalar, its number of rows.

    Returns:
        Tensor of shape `(length, D)`.
    """
    return ops.slice(matrix, (start, 0), (length, matrix.shape[1]))


def put_rows(matrix: Tensor, start: int | Tensor, rows: Tensor) -> Tensor:
    """Writes a chunk of a matrix that nothing else uses.

    Args:
        matrix: Tensor of shape `(L, D)`; on PyTorch it is written in place.
        start: Int or int32 scalar, the first row to write.
        rows: Tensor of shape `(length, D)`.

    Returns:
        The matrix with the rows.
    """
    if keras.backend.backend() == "torch":
        # `slice_update` would copy all of it for each chunk.
        matrix[start : start + rows.shape[0]] = rows
        return matrix
    return ops.slice_update(matrix, (start, 0), rows)
