"""TensorFlow as an input pipeline."""

import contextlib
from collections.abc import Callable
from types import ModuleType

import keras

from keras_ab.typing import Tensor


def tensorflow() -> ModuleType:
    """Imports TensorFlow, which only feeds where another is the backend.

    Then it takes no GPU, and runs each operation on one core: images go in
    parallel, and on two cores half the time went into sharing single images.

    Returns:
        The `tensorflow` module.

    Raises:
        ImportError: If it is not installed; the message says how to get it.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            "Input pipelines are built with tf.data, on every backend. "
            "Install it with `pip install keras_ab[data]`."
        ) from error
    if keras.backend.backend() != "tensorflow":
        # Where its devices are in use already, it is too late to hide them.
        with contextlib.suppress(RuntimeError):
            tf.config.set_visible_devices([], "GPU")
            tf.config.threading.set_intra_op_parallelism_threads(1)
    return tf


def out_of_line(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function that stays one operation of a graph.

    Of a branch not taken each operation is still gone through; one that is
    seldom taken costs less as a single operation.

    Args:
        function: Callable from tensors to tensors.

    Returns:
        Callable of the same arguments.
    """
    return tensorflow().function(
        function, experimental_attributes={"_noinline": True}
    )
