"""Endless streams whose batches are functions of `(seed, step)`."""

import functools
import math
from collections.abc import Callable
from typing import Any

from keras_ab.data.crops import cut_groups
from keras_ab.data.guard import read_batches
from keras_ab.data.headers import MAX_PIXELS
from keras_ab.data.order import Place
from keras_ab.data.quarantine import Quarantine
from keras_ab.data.source import Source
from keras_ab.data.tf import tensorflow
from keras_ab.typing import Dataset
from keras_ab.typing import Size


def batches(
    source: Source,
    read: Callable[..., Any],
    *,
    lane: str,
    batch_size: int,
    seed: int = 0,
    start_step: int = 0,
    num_hosts: int = 1,
    host: int = 0,
    quarantine: Quarantine | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Dataset:
    """Batches of consecutive samples of a source, without end.

    All builders of batches go through here: bad records are replaced by
    others, named and counted, whatever is made of them.

    Args:
        source: A `keras_ab.data.Source`.
        read: Callable that makes a sample, a nested dict of tensors of static
            shapes, out of a record's index (int64 scalar tensor), two seeds
            `(2, 2)`, and `cut`, which is `keras_ab.data.crops.cut_groups`
            with the stream's settings. It may fail, by its record.
        lane: The stream's name in `keras_ab.data.order.LANES`.
        batch_size: Int, of all hosts together.
        seed: Int.
        start_step: Int, the step of the first batch.
        num_hosts: Int, hosts (processes) that share each batch. It divides
            `batch_size`, and the batch does not depend on it.
        host: Int in [0, num_hosts), whose rows of the batch these are.
        quarantine: A `keras_ab.data.Quarantine` for records that cannot be
            used. None keeps them in memory, with an error budget of 5%.
        max_pixels: Int, pixels above which an image is refused by its header,
            undecoded.

    Returns:
        A `tf.data.Dataset`.

    Raises:
        ValueError: If hosts cannot share the batch.
        BudgetError: If more records than the quarantine allows were bad when
            the source was opened; and while reading, in the text of a
            `tf.errors.OpError`, if more turn out to be.
    """
    tf = tensorflow()
    place = Place(seed, lane, start_step, batch_size, num_hosts, host)
    quarantine = quarantine or Quarantine()
    quarantine.open(source)

    def sample(index, seeds, by_pil):
        cut = functools.partial(
            cut_groups, by_pil=by_pil, max_pixels=max_pixels
        )
        return read(index, seeds, cut)

    stream = read_batches(sample, source, place, max_pixels, quarantine)
    return stream.prefetch(tf.data.AUTOTUNE)


def merge(*datasets: Dataset) -> Dataset:
    """The parts of several streams as one batch.

    Args:
        *datasets: `tf.data.Dataset`s of dicts with different keys.

    Returns:
        A `tf.data.Dataset` of one dict.

    Raises:
        ValueError: If two of them have a key in common.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=16)
    >>> batches = keras_ab.data.merge(
    ...     keras_ab.data.labelled_batches(scenes, 32, batch_size=4),
    ...     keras_ab.data.value_batches(scenes, 32, batch_size=2),
    ... )
    # batches of {"reward": ..., "value": ...}
    """
    tf = tensorflow()
    found = [sorted(dataset.element_spec) for dataset in datasets]
    if len({key for keys in found for key in keys}) < sum(map(len, found)):
        raise ValueError(
            "Streams to merge must have different keys, or one would stand "
            f"for the other. Received: {found}"
        )

    def join(*parts):
        return {key: part[key] for part in parts for key in part}

    joined = tf.data.Dataset.zip(*datasets).map(join)
    return joined.prefetch(tf.data.AUTOTUNE)


def check_size(size: Size, name: str = "image_size") -> tuple[int, int]:
    """A size as `(height, width)`, or `ValueError`."""
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or min(pair) < 1:
        raise ValueError(
            f"`{name}` must be a positive int or a pair of them. "
            f"Received: {size}"
        )
    return pair


def check_source(
    source: Source, name: str, batch_size: int, batch_name: str
) -> None:
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


def check_fields(source: Source, *fields: str) -> None:
    """Raises `ValueError` for a source whose records lack a field."""
    if not set(fields) <= source.fields:
        raise ValueError(
            f"Records must have {', '.join(map(repr, fields))}. Received: "
            f"records with {sorted(source.fields)}"
        )


def check_area(area: tuple[float, float], name: str) -> None:
    """Raises `ValueError` for anything but a range of shares."""
    low, high = area
    if not (0 < low <= high <= 1) or math.isnan(low + high):
        raise ValueError(
            f"`{name}` must be a pair with 0 < low <= high <= 1. Received: "
            f"{area}"
        )
