"""Samples of records that may be bad."""

import threading

from keras_ab.data.inspection import find_fault
from keras_ab.data.tf import tensorflow

# Records that are tried for one sample.
CANDIDATES = 64
READERS = 2
SEEDS = ((0, 0), (0, 0))


def guarded(read, source, seed, first, size_limit, quarantine):
    """A function that reads a sample, whatever is wrong with its record.

    A record that cannot be read is tried again by PIL, and then replaced by
    another, which `source.order` names: what is read is a function of seed
    and number alone. Where nothing fails this costs a tenth of a millisecond.

    Args:
        read: Callable from a record's index, the sample's seeds `(2, 2)` and
            whether PIL is to decode it (int64, int64 and bool tensors), to a
            tuple of tensors.
        source: The `keras_ab.data.Source`.
        seed: Int, the seed of the order.
        first: Int, the first number that will be read.
        size_limit: Int, pixels above which an image is refused.
        quarantine: A `keras_ab.data.Quarantine`.

    Returns:
        Callable from a number, and how many were read before it, int64 scalar
        tensors, to what `read` returns.
    """
    tf = tensorflow()
    key = tf.constant(seed, "int64")

    def seeds(number):
        return tf.random.split(tf.stack([key, number]), 2)

    if source.never_fails:
        return lambda number, _: read(
            source.order(number, key), seeds(number), False
        )
    log = _Log(read, source, key, size_limit, quarantine)

    def sample(number, local):
        drawn = seeds(number)

        def attempt(k):
            index = source.order(number, key, k // READERS)
            return k, read(index, drawn, k % READERS == 1)

        attempts = tf.data.Dataset.range(CANDIDATES * READERS).map(attempt)
        spec = attempts.element_spec[1]
        none = tf.nest.map_structure(_zeros, spec)
        failed = tf.constant(CANDIDATES * READERS, "int64")
        # Evaluated until one succeeds, which is the first as a rule.
        outcome = (
            attempts.ignore_errors()
            .concatenate(tf.data.Dataset.from_tensors((failed, none)))
            .take(1)
        )
        k, value = outcome.get_single_element()
        bad = k // READERS
        checked = tf.cond(
            bad > 0,
            lambda: tf.numpy_function(
                log.report, [number, local - first + 1, bad], tf.int64
            ),
            lambda: bad,
        )
        with tf.control_dependencies([checked]):
            return tf.nest.map_structure(tf.identity, value)

    return sample


class _Log:
    """Names the bad records that a stream meets."""

    def __init__(self, read, source, key, size_limit, quarantine):
        self.read, self.source, self.key = read, source, key
        self.size_limit = size_limit
        self.quarantine = quarantine
        self.found = {}
        self.lock = threading.Lock()

    def report(self, number, seen, bad):
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
        self.quarantine.check(faults, int(seen), len(self.source))
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


def _zeros(spec):
    tf = tensorflow()
    return tf.zeros([size or 0 for size in spec.shape], spec.dtype)
