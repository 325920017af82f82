"""Samples of records that may be bad."""

import threading
from collections.abc import Callable
from typing import Any

from keras_ab.data.inspection import find_fault
from keras_ab.data.order import Place
from keras_ab.data.quarantine import Quarantine
from keras_ab.data.source import Source
from keras_ab.data.tf import tensorflow
from keras_ab.typing import Dataset
from keras_ab.typing import Tensor

# Records that are tried for one sample, each by TensorFlow and by PIL.
CANDIDATES = 64
READERS = 2
SEEDS = ((0, 0), (0, 0))


def read_batches(
    read: Callable[..., Any],
    source: Source,
    place: Place,
    size_limit: int,
    quarantine: Quarantine,
) -> Dataset:
    """The endless stream of batches, whatever is wrong with their records.

    A record that cannot be read is tried again by PIL, and then replaced by
    another, which `source.order` names: what is read is a function of seed
    and number alone.

    Args:
        read: Callable from a record's index, the sample's seeds `(2, 2)` and
            whether PIL is to decode it (int64, int64 and bool tensors), to a
            nested dict of tensors. It may fail, by its record.
        source: The `keras_ab.data.Source`.
        place: The `keras_ab.data.order.Place` of the stream.
        size_limit: Int, pixels above which an image is refused.
        quarantine: A `keras_ab.data.Quarantine`.

    Returns:
        A `tf.data.Dataset` of nested dicts, `place.rows` samples each.
    """
    tf = tensorflow()
    key = tf.constant(place.key, "int64")
    # A graph of its own, which is made once for the three places it is in.
    read = tf.function(
        read,
        input_signature=[
            tf.TensorSpec([], "int64"),
            tf.TensorSpec([2, 2], "int64"),
            tf.TensorSpec([], "bool"),
        ],
    )

    def read_plainly(local):
        number = place.number(local)
        return read(source.order(number, key), place.seeds(number), False)

    locals_ = tf.data.Dataset.range(place.first, 2**62)
    if source.never_fails:
        samples = locals_.map(read_plainly, num_parallel_calls=tf.data.AUTOTUNE)
        return samples.batch(place.rows, drop_remainder=True)
    spec = tf.nest.map_structure(
        lambda t: tf.TensorSpec(t.shape, t.dtype),
        read.get_concrete_function().structured_outputs,
    )
    log = _Log(read, source, key, size_limit, quarantine)

    # Failed samples drop out of the stream, and the next one finds a gap
    # before it. A mark at the end of each batch, which cannot fail, finds the
    # gap where everything fails. Of all ways to catch an error in tf.data
    # this costs the least where there is none (a nested data set for each
    # sample costs half of what it guards).
    def sample_or_mark(turn):
        step, row = turn // (place.rows + 1), turn % (place.rows + 1)
        local, is_mark = step * place.rows + row, row == place.rows
        values = tf.cond(
            is_mark, lambda: _blank(spec), lambda: read_plainly(local)
        )
        return local, is_mark, values

    def replaced(start, stop):
        return tf.map_fn(
            lambda local: _replace(read, source, place, key, log, local),
            tf.range(start, stop),
            fn_output_signature=spec,
            parallel_iterations=1,
        )

    def fill(start, element):
        local, is_mark, values = element
        alone = tf.nest.map_structure(lambda v: v[None], values)

        def close_gap():
            before = replaced(start, local)
            return tf.cond(
                is_mark,
                lambda: before,
                lambda: tf.nest.map_structure(
                    lambda *parts: tf.concat(parts, 0), before, alone
                ),
            )

        good = (local == start) & ~is_mark
        filled = tf.cond(good, lambda: alone, close_gap)
        filled = tf.nest.map_structure(
            lambda v, s: tf.ensure_shape(v, [None, *s.shape]), filled, spec
        )
        return local + tf.cast(~is_mark, "int64"), filled

    first = place.first // place.rows * (place.rows + 1)
    return (
        tf.data.Dataset.range(first, 2**62)
        .map(sample_or_mark, num_parallel_calls=tf.data.AUTOTUNE)
        .ignore_errors()
        .scan(tf.constant(place.first, "int64"), fill)
        .rebatch(place.rows, drop_remainder=True)
    )


def _replace(read, source, place, key, log, local):
    """What is read in place of a sample that failed."""
    tf = tensorflow()
    number = place.number(local)
    seeds = place.seeds(number)

    def attempt(k):
        index = source.order(number, key, k // READERS)
        return k, read(index, seeds, k % READERS == 1)

    attempts = tf.data.Dataset.range(CANDIDATES * READERS).map(attempt)
    failed = tf.constant(CANDIDATES * READERS, "int64")
    none = tf.nest.map_structure(
        lambda part: tf.zeros([size or 0 for size in part.shape], part.dtype),
        attempts.element_spec[1],
    )
    # Evaluated until one succeeds.
    outcome = (
        attempts.ignore_errors()
        .concatenate(tf.data.Dataset.from_tensors((failed, none)))
        .take(1)
    )
    k, values = outcome.get_single_element()
    bad = k // READERS
    checked = tf.cond(
        bad > 0,
        lambda: tf.numpy_function(
            log.report, [number, local - place.first + 1, bad], tf.int64
        ),
        lambda: bad,
    )
    with tf.control_dependencies([checked]):
        return tf.nest.map_structure(tf.identity, values)


def _blank(spec):
    """The least that has the types of a sample."""
    tf = tensorflow()
    return tf.nest.map_structure(
        lambda s: tf.zeros([0] * s.shape.rank, s.dtype), spec
    )


class _Log:
    """Names the bad records that a stream meets."""

    def __init__(
        self,
        read: Callable[..., Any],
        source: Source,
        key: Tensor,
        size_limit: int,
        quarantine: Quarantine,
    ):
        self.read, self.source, self.key = read, source, key
        self.size_limit = size_limit
        self.quarantine = quarantine
        self.found = {}
        self.lock = threading.Lock()

    def report(self, number: Tensor, seen: Tensor, bad: Tensor) -> Tensor:
        tf = tensorflow()
        for k in range(int(bad)):
            index = int(
                self.source.order(
                    tf.constant(number, "int64"),
                    self.key,
                    tf.constant(k, "int64"),
                )
            )
            with self.lock:
                if index in self.found:
                    continue
                self.found[index] = self._fault(index)
                self.quarantine.add(**self.found[index], source=self.source)
        with self.lock:
            faults = list(self.found.values())
        self.quarantine.check(faults, int(seen), self.source)
        if bad >= CANDIDATES:
            raise RuntimeError(
                f"None of {CANDIDATES} records that were tried for one sample "
                f"can be used. The last one: {faults[-1]}"
            )
        return bad

    def _fault(self, index):
        fault = find_fault(self.source, index, self.size_limit)
        if fault["reason"] is None:
            tf = tensorflow()
            # The record is good. If it fails again, the fault is not in the
            # data, and this is the error to be seen.
            self.read(tf.constant(index, "int64"), SEEDS, False)
            fault["reason"] = "failed twice"
        return fault
