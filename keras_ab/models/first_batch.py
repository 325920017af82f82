"""A look at the first batch of whatever `fit` was given."""

import itertools
from typing import Any

import keras
import numpy as np

from keras_ab.typing import Batch


def first_batch(
    data: Any, batch_size: int | None = None
) -> tuple[Batch | None, Any]:
    """Reads the first batch of a data source, as NumPy arrays.

    Args:
        data: A `tf.data.Dataset`, a `keras.utils.PyDataset`, a generator or
            other iterable of batches, or a nested dict of arrays.
        batch_size: Int, examples to a batch where `data` is arrays; None
            takes Keras' default of 32.

    Returns:
        The batch, and the data to go on with: an iterator that was read from
        gets its batch back. The batch is None where the source cannot be
        looked into.

    Raises:
        ValueError: If there is no data or no batch, or arrays of one part of
            a batch differ in length.
    """
    if data is None:
        raise ValueError(
            "`x` must be a data set of batches: a tf.data.Dataset, a "
            "keras.utils.PyDataset, an iterable or a nested dict of arrays. "
            "Received: None"
        )
    if isinstance(data, dict):
        _check_lengths(data)
        batch = keras.tree.map_structure(
            lambda leaf: leaf[: batch_size or 32], data
        )
    elif isinstance(data, keras.utils.PyDataset):
        batch = data[0] if len(data) else None
    elif hasattr(data, "element_spec") and hasattr(data, "take"):
        data = _let_go(data)
        batch = next(iter(data.take(1)), None)
    elif hasattr(data, "__iter__"):
        rest = iter(data)
        batch = next(rest, None)
        if rest is data:
            # Keras takes generators of tuples, and no other iterators.
            data = (
                b if isinstance(b, tuple) else (b,)
                for b in itertools.chain([batch], rest)
            )
    else:
        return None, data
    if batch is None:
        raise ValueError(
            "The dataset is empty: it yields no batch. With "
            "`drop_remainder=True`, a batch larger than the data does that."
        )
    return as_arrays(batch), data


def as_arrays(batch: Any) -> Any:
    """A batch as NumPy arrays, without the tuple that Keras allows."""
    if isinstance(batch, (tuple, list)):
        batch = batch[0]
    return keras.tree.map_structure(_to_numpy, batch)


def _let_go(dataset):
    """A dataset whose iterators end when they are told to.

    Under JAX, the end of `fit` would wait for tf.data's tuner to wake. It
    sleeps twice as long each time, so a call of `fit` could take up to twice
    its time. Without it, parallel calls get a thread each, up to 16.
    """
    if keras.backend.backend() != "jax" or not hasattr(dataset, "options"):
        return dataset
    # The library's own class, reached without importing the library.
    options = type(dataset.options())()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _check_lengths(arrays):
    """Keras cuts arrays into batches by one length for all."""
    lengths = {len(leaf) for leaf in keras.tree.flatten(arrays)}
    if len(lengths) > 1:
        found = keras.tree.map_structure(len, arrays)
        raise ValueError(
            "Arrays given to `fit` must all have the same length; use a "
            "tf.data.Dataset where parts of a batch differ in size. "
            f"Received: lengths {found}"
        )


def _to_numpy(leaf):
    if isinstance(leaf, np.ndarray):
        return leaf
    if hasattr(leaf, "numpy"):
        return leaf.numpy()
    return np.asarray(leaf)
