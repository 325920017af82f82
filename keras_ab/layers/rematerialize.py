"""Less memory for a layer's gradient, at the price of computing it twice."""

from typing import Any

import keras
from keras import ops

from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


def rematerialized(
    layer: keras.layers.Layer, tensors: Tensors, **kwargs: Any
) -> Tensor:
    """Calls a layer whose inner values are computed again for its gradient.

    Random numbers are the same in both turns.

    Args:
        layer: A built layer.
        tensors: Dict from names of call arguments to tensors, the first
            argument first. Gradients pass to those that are floats.
        **kwargs: What else the layer is called with.

    Returns:
        What the layer returns, one tensor.

    Example:

    >>> dense = keras_ab.layers.Dense(4)
    >>> dense.build((None, 8))
    >>> inputs = {"inputs": np.ones((2, 8))}
    >>> keras_ab.layers.rematerialized(dense, inputs).shape
    # (2, 4)
    """
    weights, state = _values(layer)
    outputs, state = _twice(layer, weights, state, _tensors(tensors), kwargs)
    _keep_seeds(layer, state)
    return outputs


def in_passes(
    layer: keras.layers.Layer, passes: int, rows: Tensors, **kwargs: Any
) -> Tensor:
    """Calls a layer on a few rows at a time, one after the other.

    Values and gradients are those of one call on all rows, if the layer looks
    at each row by itself. Its inner values exist for one pass at a time, and
    once more for the gradient.

    Args:
        layer: A built layer.
        passes: Int, how many; fewer where there are fewer rows.
        rows: Dict from names of call arguments to tensors `(B, ...)`, the
            first argument first. Gradients pass to those that are floats.
        **kwargs: What else the layer is called with.

    Returns:
        What the layer returns, one tensor `(B, ...)`.

    Example:

    >>> dense = keras_ab.layers.Dense(4)
    >>> dense.build((None, 8))
    >>> inputs = {"inputs": np.ones((6, 8))}
    >>> keras_ab.layers.in_passes(dense, 3, inputs).shape
    # (6, 4)
    """
    rows = _tensors(rows)
    number = next(iter(rows.values())).shape[0]
    if number is not None:
        passes = min(passes, number)
    run = _scanned if keras.backend.backend() == "jax" else _unrolled
    return run(layer, passes, rows, kwargs)


def _tensors(tensors):
    return {k: ops.convert_to_tensor(v) for k, v in tensors.items()}


def _values(layer):
    """Weights that have a gradient, and the rest of what a call reads."""
    seeds = {id(v) for v in _seeds(layer)}
    return (
        [_value(v) for v in layer.trainable_variables],
        [
            # By value: the variable will have moved on by the second turn.
            ops.copy(v.value) if id(v) in seeds else _value(v)
            for v in layer.non_trainable_variables
        ],
    )


def _value(variable):
    """A tensor: one of TensorFlow's variables would not do as an argument."""
    if keras.backend.backend() == "tensorflow":
        return ops.copy(variable.value)
    return ops.convert_to_tensor(variable)


def _seeds(layer):
    """The states of seed generators, all that a call may change."""
    weights = {id(w) for w in layer.weights}
    return [v for v in layer.non_trainable_variables if id(v) not in weights]


def _twice(layer, weights, state, tensors, kwargs):
    """The layer as a function of its variables' values, as `remat` wants.

    What has a gradient is an argument. The rest, ids and what random numbers
    are drawn from, is the same in both turns.
    """
    first = next(iter(tensors))
    floats = {k: v for k, v in tensors.items() if _is_float(v)}
    jax = keras.backend.backend() == "jax"
    drawn = []

    def call(weights, floats):
        given = {**tensors, **floats}
        outputs, now = layer.stateless_call(
            weights, state, given.pop(first), **given, **kwargs
        )
        if jax:
            return outputs, now
        # Not a result: TensorFlow would want integers' gradients.
        drawn.append(now)
        return outputs

    outputs = keras.remat(call)(weights, floats)
    return outputs if jax else (outputs, drawn[0])


def _is_float(tensor):
    return "float" in keras.backend.standardize_dtype(tensor.dtype)


def _keep_seeds(layer, state):
    """Seed generators go on from where a call left them."""
    after = {
        id(variable): value
        for variable, value in zip(layer.non_trainable_variables, state)
    }
    for variable in _seeds(layer):
        variable.assign(after[id(variable)])


def _unrolled(layer, passes, rows, kwargs):
    size = ops.shape(next(iter(rows.values())))[0]
    weights, state = _values(layer)
    parts: list[Tensor] = []
    for i in range(passes):
        start, stop = i * size // passes, (i + 1) * size // passes
        part = {k: v[start:stop] for k, v in rows.items()}
        if parts and weights:
            weights = [_after(weights[0], parts[-1]), *weights[1:]]
        outputs, state = _twice(layer, weights, state, part, kwargs)
        parts.append(outputs)
    _keep_seeds(layer, state)
    return ops.concatenate(parts, axis=0)


def _after(weight, done):
    """A weight that is not there before the pass before is done.

    TensorFlow's graphs would run all passes at once, forward and backward,
    with the memory of all.
    """
    if keras.backend.backend() != "tensorflow":
        return weight
    return weight + ops.cast(0.0 * ops.sum(done), weight.dtype)


def _scanned(layer, passes, rows, kwargs):
    """Passes as a loop of XLA, which would mix the rounds of an unrolled one.

    A pass takes every n-th row, so that all devices, each of which holds a
    stretch of them, take part in every pass.
    """
    number = next(iter(rows.values())).shape[0]
    size = number // passes
    weights, state = _values(layer)

    def turned(x):
        x = ops.reshape(x[: size * passes], (size, passes, *x.shape[1:]))
        return ops.moveaxis(x, 1, 0)

    def one_pass(state, part):
        outputs, state = _twice(layer, weights, state, part, kwargs)
        return state, outputs

    parts = {k: turned(v) for k, v in rows.items()}
    state, outputs = ops.scan(one_pass, state, parts)
    outputs = ops.moveaxis(outputs, 0, 1)
    outputs = ops.reshape(outputs, (-1, *outputs.shape[2:]))
    if number > size * passes:
        rest = {k: v[size * passes :] for k, v in rows.items()}
        state, last = one_pass(state, rest)
        outputs = ops.concatenate([outputs, last], axis=0)
    _keep_seeds(layer, state)
    return outputs
