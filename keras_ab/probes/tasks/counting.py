"""How many things there are."""

from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_ab.probes.tasks.label_task import LabelTask
from keras_ab.probes.tasks.names import Classes
from keras_ab.probes.tasks.task import Record

if TYPE_CHECKING:
    from keras_ab.data.source import Source


class Counting(LabelTask):
    """How many things a picture shows.

    The number is a record's `"count"`, or that of the rows of its
    `"pixel_coords"` (CLEVR, where numbers from 3 to 10 are the eight classes
    of VTAB), or of its `"classes"`.

    Args:
        name: String.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=8)
    >>> records = keras_ab.probes.tasks.read_records(scenes)
    >>> keras_ab.probes.tasks.Counting().prepare(records).labels(records)
    # ["4", "7", ...]

    Reference:
        VTAB (Zhai et al. 2019), Clevr-Count.
    """

    either = ("count", "pixel_coords", "classes")

    def __init__(self, name: str = "counting"):
        super().__init__(name)

    def value(self, record: Record) -> Any:
        if "count" in record:
            return int(record["count"])
        field = next(field for field in self.either if field in record)
        return len(np.asarray(record[field]))

    def _classes(self, values: list[Any], source: "Source | None") -> Classes:
        return Classes(values, prefix="")
