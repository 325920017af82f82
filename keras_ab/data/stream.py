"""Endless streams whose batches are functions of `(seed, step)`."""

import math

from keras_ab.data.tf import tensorflow

# Each stream draws from a lane of its own: equal seeds and sources do not
# make equal orders or crops.
REWARD_LANE, VALUE_LANE, VIEWS_LANE, CROPS_LANE = range(4)
MASKED_LANE, BLOCKS_LANE = range(4, 6)


def batches(example, batch_size, start_step):
    """Batches of consecutive examples, without end.

    Args:
        example: Callable from a sample's number, an int64 scalar, to a nested
            dict of tensors of static shapes.
        batch_size: Int.
        start_step: Int, the step of the first batch.

    Returns:
        A `tf.data.Dataset`.
    """
    tf = tensorflow()
    numbers = tf.data.Dataset.range(start_step * batch_size, 2**62)
    examples = numbers.map(example, num_parallel_calls=tf.data.AUTOTUNE)
    batches = examples.batch(batch_size, drop_remainder=True)
    return batches.prefetch(tf.data.AUTOTUNE)


def place(number, size, seed, lane):
    """Which record stands at a place in the stream, and its seeds.

    Args:
        number: int64 scalar tensor, the sample's number in the stream.
        size: Int, records in the source.
        seed: Int, the stream's seed.
        lane: One of this module's lanes.

    Returns:
        The record's index, and two seeds of shape `(2,)`.
    """
    tf = tensorflow()
    epoch, position = number // size, number % size
    key = lane_key(seed, lane)
    order = tf.stack([key, epoch])
    if lane not in (REWARD_LANE, VALUE_LANE):
        # The shuffle reads a few low bits of its seed alone: 8 of each number
        # for small sources. The first two lanes keep the orders they had.
        order = tf.random.stateless_uniform(
            (2,), order, minval=None, maxval=None, dtype="int64"
        )
    index = tf.random.experimental.index_shuffle(position, order, size - 1)
    seeds = tf.random.split(tf.stack([key, number]), 2)
    return index, seeds


def lane_key(seed, lane):
    """One int64 for a seed and a lane; no two pairs share one.

    Args:
        seed: Int, below 2**31.
        lane: One of this module's lanes.

    Returns:
        int64 scalar tensor.
    """
    # The first two lanes are neighbours, as they were before there were more.
    return tensorflow().constant(
        2 * seed + lane % 2 + lane // 2 * 2**48, "int64"
    )


def merge(*datasets):
    """The parts of several streams as one batch.

    Args:
        *datasets: `tf.data.Dataset`s of dicts with different keys.

    Returns:
        A `tf.data.Dataset` of one dict.
    """
    tf = tensorflow()

    def join(*parts):
        return {key: part[key] for part in parts for key in part}

    joined = tf.data.Dataset.zip(*datasets).map(join)
    return joined.prefetch(tf.data.AUTOTUNE)


def check_size(size, name="image_size"):
    """A size as `(height, width)`, or `ValueError`."""
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or min(pair) < 1:
        raise ValueError(
            f"`{name}` must be a positive int or a pair of them. "
            f"Received: {size}"
        )
    return pair


def check_source(source, name, batch_size, batch_name):
    """Raises `ValueError` for what is no source, or a batch beyond it."""
    for method in ("__len__", "load", "fields"):
        if not hasattr(source, method):
            raise ValueError(
                f"`{name}` must be a keras_ab.data.Source. Received: "
                f"{type(source).__name__}"
            )
    if not 1 <= batch_size <= len(source):
        raise ValueError(
            f"`{batch_name}` must lie in [1, {len(source)}], the size of "
            f"`{name}`. Received: {batch_size}"
        )


def check_area(area, name):
    """Raises `ValueError` for anything but a range of shares."""
    low, high = area
    if not (0 < low <= high <= 1) or math.isnan(low + high):
        raise ValueError(
            f"`{name}` must be a pair with 0 < low <= high <= 1. Received: "
            f"{area}"
        )
