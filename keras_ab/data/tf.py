"""TensorFlow as an input pipeline."""

import contextlib
from types import ModuleType

import keras


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
