"""A look at the first batch of whatever `fit` was given."""

import itertools

import keras
import numpy as np


def first_batch(data, batch_size=None):
    """Reads the first batch of a data source, as NumPy arrays.

    Args:
        data: A `tf.data.Dataset`, a `keras.utils.PyDataset`, a generator or
            other iterable of batches, or a nested dict of arrays.
        batch_size: Int, examples to a batch where `data` is arrays.

    Returns:
        The batch, and the data to go on with: an iterator that was read from
        gets its batch back. The batch is None where the source cannot be
        looked into.
    """
    if isinstance(data, dict):
        batch = keras.tree.map_structure(
            lambda leaf: leaf[: batch_size or 32], data
        )
    elif isinstance(data, keras.utils.PyDataset):
        batch = data[0]
    elif hasattr(data, "element_spec") and hasattr(data, "take"):
        batch = next(iter(data.take(1)), None)
        if batch is None:
            raise ValueError(
                "The dataset is empty: it yields no batch. With "
                "`drop_remainder=True`, a batch larger than the data does that."
            )
    elif hasattr(data, "__next__"):
        batch = next(data)
        data = itertools.chain([batch], data)
    elif hasattr(data, "__iter__"):
        batch = next(iter(data))
    else:
        return None, data
    if isinstance(batch, (tuple, list)):
        batch = batch[0]
    return keras.tree.map_structure(_to_numpy, batch), data


def _to_numpy(leaf):
    if isinstance(leaf, np.ndarray):
        return leaf
    if hasattr(leaf, "numpy"):
        return leaf.numpy()
    return np.asarray(leaf)
