"""Looking through a whole source: what is bad, and how fast views come."""

import collections
import concurrent.futures
import dataclasses
import os
import time
from collections.abc import Callable
from typing import Any

from keras_ab.data.batches import value_batches
from keras_ab.data.headers import MAX_PIXELS
from keras_ab.data.inspection import find_fault
from keras_ab.data.quarantine import Quarantine
from keras_ab.data.records import NothingUsable
from keras_ab.data.source import Source
from keras_ab.typing import Size


@dataclasses.dataclass
class Survey:
    """What was found in a source.

    Args:
        usable: List of ints, indices of the records that can be used.
        quarantined: List of dicts, `"id"`, `"reason"` and `"detail"` of those
            that cannot, and of what was left out when the source was opened.
    """

    usable: list
    quarantined: list

    @property
    def records(self) -> int:
        """Int, all that were looked at."""
        return len(self.usable) + len(self.quarantined)

    @property
    def reasons(self) -> dict[str, list[str]]:
        """Dict from reasons, commonest first, to lists of ids."""
        found = collections.defaultdict(list)
        for record in self.quarantined:
            found[record["reason"]].append(record["id"])
        return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def look_through(
    source: Source,
    limit: int | None = None,
    max_pixels: int = MAX_PIXELS,
    progress: Callable[[int], Any] | None = None,
) -> Survey:
    """Reads and decodes records, and names those that cannot be used.

    Args:
        source: A `keras_ab.data.Source`.
        limit: Int, records to read, evenly spread; None for all.
        max_pixels: Int, pixels above which an image is refused.
        progress: Callable that is told the number of records read.

    Returns:
        A `Survey`.

    Example:

    >>> from keras_ab.data.survey import look_through
    >>> look_through(keras_ab.data.from_folder("photos")).records
    # 1
    """
    left_out = [
        {"id": id, "reason": reason, "detail": ""}
        for id, reason in dict.fromkeys(map(tuple, source.rejected))
    ]
    size = len(source)
    count = size if limit is None else min(limit, size)
    chosen = [i * size // count for i in range(count)]
    if source.never_fails:
        return Survey(chosen, left_out)

    def look(index):
        return find_fault(source, index, max_pixels)

    usable, faults = [], []
    # TensorFlow and PIL decode without Python's lock.
    with concurrent.futures.ThreadPoolExecutor(cores()) as pool:
        for start in range(0, count, 1000):
            part = chosen[start : start + 1000]
            for index, fault in zip(part, pool.map(look, part)):
                if fault["reason"] is None:
                    usable.append(index)
                else:
                    faults.append(fault)
            if progress is not None:
                progress(start + len(part))
    return Survey(usable, [*left_out, *faults])


def views_per_second(
    source: Source,
    image_size: Size = 224,
    num_views: int = 4,
    seconds: float = 5.0,
    max_pixels: int = MAX_PIXELS,
) -> float:
    """How many views of unlabelled images this machine makes in a second.

    Args:
        source: A `keras_ab.data.Source` with a usable record or more.
        image_size: Int or `(height, width)` of the views.
        num_views: Int, views of each image.
        seconds: Float, how long to measure, after as long again (at most two
            seconds) for the pipeline to settle.
        max_pixels: Int, pixels above which an image is refused.

    Returns:
        Float.

    Raises:
        NothingUsable: If the source is empty.
    """
    if not len(source):
        raise NothingUsable("Views need a record or more. Received: none", [])
    batch = min(16, len(source))
    stream = iter(
        value_batches(
            source,
            image_size,
            batch,
            num_views,
            quarantine=Quarantine(budget=1.0),
            max_pixels=max_pixels,
        )
    )
    # What lies ready in buffers does not count.
    _pull(stream, min(2.0, seconds))
    batches, elapsed = _pull(stream, seconds)
    return batches * batch * num_views / elapsed


def cores() -> int:
    """Int, cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _pull(stream, seconds):
    """Batches taken from a stream, and the time that they took."""
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds or not count:
        next(stream)
        count += 1
    return count, elapsed
