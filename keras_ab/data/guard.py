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
    blank = tf.nest.map_structure(lambda s: tf.zeros(s.shape, s.dtype), spec)
    log = _Log(read, source, key, size_limit, quarantine)

    # Failed samples drop out of the stream, so that what is batched has gaps.
    # A mark after each batch's samples, which cannot fail, shows them where
    # everything fails. Of all ways to catch an error in tf.data this costs the
    # least where there is none: one look at a batch (a nested data set for
    # each sample costs half of what it guards).
    turns = place.rows + 1

    def local_of(turn):
        return turn // turns * place.rows + turn % turns

    def is_mark(turn):
        return turn % turns == place.rows

    def sample_or_mark(turn):
        values = tf.cond(
            is_mark(turn), lambda: blank, lambda: read_plainly(local_of(turn))
        )
        return turn, values

    def fill(start, element):
        found, values = element
        end = found[-1] + 1

        def as_read():
            return tf.nest.map_structure(lambda v: v[:-1], values)

        def in_turn():
            wanted = tf.range(start, end)
            wanted = tf.boolean_mask(wanted, ~is_mark(wanted))
            return tf.map_fn(
                one, wanted, fn_output_signature=spec, parallel_iterations=1
            )

        def one(turn):
            row = tf.searchsorted(found, [turn])[0]
            return tf.cond(
                found[row] == turn,
                lambda: tf.nest.map_structure(lambda v: v[row], values),
                lambda: _replace(read, source, place, key, log, local_of(turn)),
            )

        complete = (end - start == turns) & is_mark(end - 1)
        filled = tf.cond(complete, as_read, in_turn)
        filled = tf.nest.map_structure(
            lambda v, s: tf.ensure_shape(v, [None, *s.shape]), filled, spec
        )
        return end, filled

    first = place.first // place.rows * turns
    return (
        tf.data.Dataset.range(first, 2**62)
        .map(sample_or_mark, num_parallel_calls=tf.data.AUTOTUNE)
        .ignore_errors()
        .batch(turns, drop_remainder=True)
        .scan(tf.constant(first, "int64"), fill)
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
        self.found: dict[Any, Any] = {}
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
