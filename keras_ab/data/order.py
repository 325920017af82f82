"""Which records a step reads: a pure function of seed and step."""

import functools

import numpy as np

from keras_ab.data.tf import tensorflow

# The two streams draw from lanes of their own: equal seeds and sources do not
# make equal orders or crops.
LANES = {"reward": 0, "value": 1}


def sample_indices(
    source, seed, step, batch_size, lane="reward", num_hosts=1, host=0
):
    """Indices of the records in a step's batch, without reading any.

    Where a record is bad, another takes its place in the batch, but not here.

    Args:
        source: The `keras_ab.data.Source`, or the number of its records.
        seed: Int, as given to the batches.
        step: Int.
        batch_size: Int, of the global batch.
        lane: `"reward"` or `"value"`, which have orders of their own.
        num_hosts: Int, hosts that share the batch.
        host: Int in [0, num_hosts), whose part is wanted.

    Returns:
        int64 array `(batch_size // num_hosts,)`.

    Example:

    >>> keras_ab.data.sample_indices(1000, seed=0, step=7, batch_size=4)
    # array of 4 indices in [0, 1000)
    """
    tf = tensorflow()
    check_hosts(batch_size, num_hosts, host, "batch_size")
    if isinstance(source, int):
        order = functools.partial(place_in_order, size=source)
    else:
        order = source.order
    key = tf.constant(lane_seed(seed, lane), "int64")
    rows = batch_size // num_hosts
    numbers = tf.data.Dataset.range(rows).map(
        lambda row: order(
            global_number(row + step * rows, batch_size, num_hosts, host), key
        )
    )
    return np.array(list(numbers.as_numpy_iterator()), "int64")


def place_in_order(number, seed, size, attempt=0):
    """`keras_ab.data.Source.order` of a source with `size` records."""
    tf = tensorflow()
    epoch, position = number // size, number % size
    # What Python knows to be 0 costs nothing in the graph.
    if not (isinstance(attempt, int) and attempt == 0):
        attempt = tf.convert_to_tensor(attempt, "int64")
        other = (position + size // 2 + attempt - 1) % size
        position = tf.where(attempt > 0, other, position)
    return tf.random.experimental.index_shuffle(
        position, tf.stack([seed, epoch]), size - 1
    )


def lane_seed(seed, lane):
    """The seed of one of the two streams, an int."""
    if lane not in LANES:
        raise ValueError(
            f"`lane` must be one of {sorted(LANES)}. Received: {lane!r}"
        )
    return 2 * seed + LANES[lane]


def global_number(number, batch_size, num_hosts, host):
    """Where a host's n-th sample stands in the stream of all hosts.

    The hosts' rows, one host after the other, are the global batch.

    Args:
        number: int64 scalar tensor, n.
        batch_size: Int, of the global batch.
        num_hosts: Int.
        host: Int.

    Returns:
        int64 scalar tensor.
    """
    if num_hosts == 1:
        return number
    rows = batch_size // num_hosts
    return number // rows * batch_size + host * rows + number % rows


def check_hosts(batch_size, num_hosts, host, batch_name):
    """Raises `ValueError` for hosts that cannot share a batch evenly."""
    if not 0 <= host < num_hosts:
        raise ValueError(
            "`host` must lie in [0, num_hosts). Received: "
            f"host={host}, num_hosts={num_hosts}"
        )
    if batch_size % num_hosts:
        raise ValueError(
            f"`{batch_name}` must be a multiple of num_hosts={num_hosts}. "
            f"Received: {batch_size}"
        )
