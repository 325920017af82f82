"""Several processes, each of which feeds its part of a batch (JAX)."""

import contextlib
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_ab.typing import Batch


def num_hosts() -> int:
    """How many processes train together.

    Returns:
        Int, 1 unless `keras.distribution.initialize` was called.
    """
    if keras.backend.backend() != "jax":
        return 1
    import jax

    return jax.process_count()


def is_first_host() -> bool:
    """Whether this process writes what is written once.

    Returns:
        Bool.
    """
    if keras.backend.backend() != "jax":
        return True
    import jax

    return jax.process_index() == 0


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """What one process does without the others.

    Variables that are made here are this process' own; under a distribution,
    all processes would have to make them.
    """
    distribution = keras.distribution.distribution()
    if distribution is not None:
        keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        if distribution is not None:
            keras.distribution.set_distribution(distribution)


def global_batch(batch: Batch | None) -> Batch | None:
    """The batch of all processes out of each one's part.

    What is set by the first batch, such as a bias of -ln L, goes by the
    global one. All processes must call it.

    Args:
        batch: Nested dict of NumPy arrays, this process' rows, or None.

    Returns:
        Nested dict of NumPy arrays with the rows of all processes that feed
        different ones; the batch itself where there is one process.
    """
    if batch is None or num_hosts() == 1:
        return batch
    from jax.experimental import multihost_utils

    parts = multihost_utils.process_allgather(batch, tiled=False)
    shards = _shards()
    return keras.tree.map_structure(
        lambda leaf: np.concatenate([np.asarray(leaf)[i] for i in shards]),
        parts,
    )


def check_whole(variables: Sequence[keras.Variable]) -> None:
    """Raises `ValueError` for variables of which this process has a part.

    Args:
        variables: List of variables.

    Raises:
        ValueError: If weights are cut up between processes, so that none of
            them can save all.
    """
    if num_hosts() == 1:
        return
    for variable in variables:
        value = variable.value
        if not (value.is_fully_addressable or value.is_fully_replicated):
            raise ValueError(
                "Checkpoints are saved by one process, which must hold all "
                "weights: give the mesh's model axis devices of one process. "
                f"Received: {variable.path}, cut up between processes"
            )


def _shards() -> list[Any]:
    """One process for each part of the batch, in the parts' order."""
    distribution = keras.distribution.distribution()
    replicas = distribution.num_model_replicas
    hosts = num_hosts()
    # Processes that share a replica of the model are fed the same rows.
    step = 1 if replicas >= hosts else hosts // replicas
    return list(range(0, hosts, step))
