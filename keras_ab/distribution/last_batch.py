"""The end of data, as TensorFlow's graphs see it."""

import contextlib
from typing import Any

import keras


def once_there(data: Any) -> contextlib.AbstractContextManager:
    """What is written in here happens once a batch is there.

    Of data whose length is unknown, Keras learns that they are at an end from
    a step that it begins and that finds no batch. In a graph that XLA does not
    compile, whatever of that step needs no batch, such as weight decay and the
    count of a metric, would happen all the same.

    Args:
        data: What `train_step` or `test_step` is given.

    Returns:
        A context manager, which does nothing but on TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        return contextlib.nullcontext()
    import tensorflow as tf

    leaves = filter(tf.is_tensor, keras.tree.flatten(data))
    return tf.control_dependencies(list(leaves))
