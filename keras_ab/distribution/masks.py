"""Batches as `fit` can hand them to replicas."""

from typing import Any

import keras

from keras_ab.distribution.support import num_devices


def without_bools(data: Any, distribution: Any) -> Any:
    """A data set whose masks are numbers, where Keras needs that.

    On TensorFlow, `fit` takes the mean of the first batch over the replicas,
    to learn its shapes, and there is no mean of bools.

    Args:
        data: What `fit` is given.
        distribution: What `present` returned when the model was built.

    Returns:
        The data; a `tf.data.Dataset` with uint8 in place of bools on several
        of TensorFlow's devices.
    """
    if keras.backend.backend() != "tensorflow" or num_devices(distribution) < 2:
        return data
    if not hasattr(data, "element_spec") or not hasattr(data, "map"):
        return data

    def as_numbers(*parts):
        parts = keras.tree.map_structure(_as_number, parts)
        return parts[0] if len(parts) == 1 else parts

    return data.map(as_numbers)


def _as_number(leaf):
    if keras.backend.standardize_dtype(leaf.dtype) != "bool":
        return leaf
    return keras.ops.cast(leaf, "uint8")
