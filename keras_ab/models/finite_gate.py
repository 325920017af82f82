"""The finite gate: a step that is not finite leaves nothing behind."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_ab import optimizers
from keras_ab.typing import Tensor


def poisoned(loss: Tensor) -> Tensor:
    """A loss whose every gradient is NaN if it is not finite itself.

    So the gate need look only at what the gradients touched.

    Args:
        loss: Float scalar.

    Returns:
        Float scalar: the loss where it is finite, else NaN.
    """
    poison = ops.where(ops.isfinite(loss), 0.0, float("nan"))
    return loss + poison * loss


def copies(variables: Iterable[keras.Variable]) -> list[Any]:
    """Values of variables that later steps do not change.

    Args:
        variables: Variables.

    Returns:
        List of tensors.
    """
    return [ops.copy(value_of(variable)) for variable in variables]


def value_of(variable: keras.Variable) -> Tensor:
    """A variable's value, outside of any gradient.

    Args:
        variable: A variable.

    Returns:
        A tensor.
    """
    return ops.stop_gradient(variable.value)


def passes(
    touched: Iterable[keras.Variable],
    counter: keras.Variable,
    count: Tensor,
) -> Tensor:
    """Whether a step that was made may stay.

    Args:
        touched: Variables that gradients reach: trained weights and the
            optimizer's state.
        counter: The optimizer's count of micro-steps.
        count: Its value before the step. Loss scaling skips a step by
            leaving it as it was.

    Returns:
        Bool scalar.
    """
    finite = [
        ops.all(ops.isfinite(value_of(v)))
        for v in touched
        if "float" in v.dtype
    ]
    return ops.logical_and(
        ops.all(ops.stack(finite)), ops.not_equal(value_of(counter), count)
    )


def settle(
    variables: Sequence[keras.Variable],
    before: Sequence[Any],
    ok: Tensor,
    late: Mapping[int, Any],
    updates: Tensor,
    optimizer: keras.optimizers.Optimizer,
) -> None:
    """Takes a step back, or leaves it; in the same compiled step.

    Args:
        variables: All that a step may change.
        before: Their values before it.
        ok: Bool scalar, whether it stays.
        late: By the `id` of a variable, the number of updates during which
            it is frozen. It moves from then on, and at first by the share
            that makes up for averages that had begun without it.
        updates: Int scalar, updates made before this step.
        optimizer: The optimizer that made it, unwrapped.
    """
    for variable, old in zip(variables, before):
        new, stays = value_of(variable), ok
        if id(variable) in late:
            age = updates - late[id(variable)]
            share = optimizers.late_share(optimizer, age, updates)
            new = old + ops.cast(share, old.dtype) * (new - old)
            stays = ops.logical_and(ok, age >= 0)
        variable.assign(ops.where(stays, new, old))
