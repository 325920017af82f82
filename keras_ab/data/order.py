"""Which records a step reads: a pure function of seed and step."""

import functools
from typing import TYPE_CHECKING

import numpy as np

from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor
from keras_ab.typing import is_integral

if TYPE_CHECKING:
    from keras_ab.data.source import Source

# Each stream draws from a lane of its own: equal seeds and sources do not
# make equal orders or crops.
LANES = {
    "reward": 0,
    "value": 1,
    "views": 2,
    "crops": 3,
    "masked": 4,
    "blocks": 5,
}


def sample_indices(
    source: "Source | int",
    seed: int,
    step: int,
    batch_size: int,
    lane: str = "reward",
    num_hosts: int = 1,
    host: int = 0,
) -> np.ndarray:
    """Indices of the records in a step's batch, without reading any.

    Where a record is bad, another takes its place in the batch, but not here.

    Args:
        source: The `keras_ab.data.Source`, or the number of its records.
        seed: Int, as given to the batches.
        step: Int.
        batch_size: Int, of the global batch.
        lane: The part of the batch: `"reward"`, `"value"`, `"views"`,
            `"crops"` or `"masked"`, which have orders of their own.
        num_hosts: Int, hosts that share the batch.
        host: Int in [0, num_hosts), whose part is wanted.

    Returns:
        int64 array `(batch_size // num_hosts,)`.

    Raises:
        ValueError: If the lane is unknown, or hosts cannot share the batch.

    Example:

    >>> keras_ab.data.sample_indices(1000, seed=0, step=7, batch_size=4)
    # array of 4 indices in [0, 1000)
    """
    tf = tensorflow()
    place = Place(seed, lane, step, batch_size, num_hosts, host)
    if isinstance(source, int):
        order = functools.partial(place_in_order, size=source)
    else:
        order = source.order
    key = tf.constant(place.key, "int64")
    numbers = tf.data.Dataset.range(place.first, place.first + place.rows).map(
        lambda local: order(place.number(local), key)
    )
    return np.array(list(numbers.as_numpy_iterator()), "int64")


def place_in_order(
    number: Tensor, seed: Tensor, size: int, attempt: Tensor = 0
) -> Tensor:
    """`keras_ab.data.Source.order` of a source with `size` records."""
    tf = tensorflow()
    epoch, position = number // size, number % size
    # What Python knows to be 0 costs nothing in the graph.
    if not (isinstance(attempt, int) and attempt == 0):
        attempt = tf.convert_to_tensor(attempt, "int64")
        other = (position + size // 2 + attempt - 1) % size
        position = tf.where(attempt > 0, other, position)
    # The shuffle reads a few low bits of its seed alone (8 of each number for
    # small sources), so that epochs 256 apart would have one order.
    hashed = tf.random.stateless_uniform(
        (2,), tf.stack([seed, epoch]), minval=None, maxval=None, dtype="int64"
    )
    return tf.random.experimental.index_shuffle(position, hashed, size - 1)


def lane_key(seed: int, lane: str) -> int:
    """One int for a seed and a lane; no two pairs share one.

    Args:
        seed: Int, below 2**31.
        lane: One of `LANES`.

    Returns:
        Int, below 2**63.

    Raises:
        ValueError: If the lane is unknown.
    """
    if lane not in LANES:
        raise ValueError(
            f"`lane` must be one of {sorted(LANES)}. Received: {lane!r}"
        )
    number = LANES[lane]
    # The first two lanes are neighbours, as they were before there were more.
    return 2 * seed + number % 2 + number // 2 * 2**48


class Place:
    """Where a stream starts, and which samples of it are this host's.

    The hosts' rows, one host after the other, are the global batch.

    Args:
        seed: Int.
        lane: One of `LANES`.
        start_step: Int.
        batch_size: Int, of the global batch.
        num_hosts: Int.
        host: Int in [0, num_hosts).
    """

    def __init__(
        self,
        seed: int,
        lane: str,
        start_step: int,
        batch_size: int,
        num_hosts: int = 1,
        host: int = 0,
    ):
        if not is_integral(seed):
            raise ValueError(f"`seed` must be an int. Received: {seed!r}")
        if not (is_integral(start_step) and start_step >= 0):
            raise ValueError(
                "`start_step` must be an int, 0 or more. "
                f"Received: {start_step!r}"
            )
        check_hosts(batch_size, num_hosts, host, "batch_size")
        self.key = lane_key(seed, lane)
        self.batch_size, self.num_hosts, self.host = batch_size, num_hosts, host
        self.rows = batch_size // num_hosts
        self.first = start_step * self.rows

    def number(self, local: Tensor) -> Tensor:
        """The number, among all hosts' samples, of this host's n-th.

        Args:
            local: int64 scalar tensor, n.

        Returns:
            int64 scalar tensor.
        """
        if self.num_hosts == 1:
            return local
        before = local // self.rows * self.batch_size + self.host * self.rows
        return before + local % self.rows

    def seeds(self, number: Tensor) -> Tensor:
        """Two seeds of a sample, int64 `(2, 2)`."""
        tf = tensorflow()
        key = tf.constant(self.key, "int64")
        return tf.random.split(tf.stack([key, number]), 2)


def check_hosts(
    batch_size: int, num_hosts: int, host: int, batch_name: str
) -> None:
    """Raises `ValueError` for hosts that cannot share a batch evenly."""
    if not 0 <= host < num_hosts:
        raise ValueError(
            "`host` must lie in [0, num_hosts). Received: "
            f"host={host}, num_hosts={num_hosts}"
        )
    if not is_integral(batch_size):
        raise ValueError(
            f"`{batch_name}` must be an int. Received: {batch_size!r}"
        )
    if batch_size % num_hosts:
        raise ValueError(
            f"`{batch_name}` must be a multiple of num_hosts={num_hosts}. "
            f"Received: {batch_size}"
        )
