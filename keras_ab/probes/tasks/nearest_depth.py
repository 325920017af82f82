"""How near the nearest thing is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_ab.probes.tasks.label_task import LabelTask
from keras_ab.probes.tasks.names import Classes
from keras_ab.probes.tasks.task import Record

if TYPE_CHECKING:
    from keras_ab.data.source import Source

CLEVR = (0.0, 8.0, 8.5, 9.0, 9.5, 10.0, 100.0)
"""VTAB's edges of the depth of CLEVR's nearest object."""


class NearestDepth(LabelTask):
    """In which range of depths the nearest thing of a picture lies.

    The depth is the least of the third column of a record's `"pixel_coords"`
    (CLEVR), or its `"depth"`.

    Args:
        edges: Rising numbers; class i reaches from edge i, exclusive, to edge
            i + 1, inclusive. None for VTAB's where records have
            `"pixel_coords"`, and otherwise for quantiles of the training set,
            so that its classes are about equally frequent.
        bins: Int, classes where quantiles are taken.
        name: String.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=8)
    >>> records = keras_ab.probes.tasks.read_records(scenes)
    >>> task = keras_ab.probes.tasks.NearestDepth(bins=3).prepare(records)
    >>> task.labels(records)
    # ["depth 0", "depth 2", ...]

    Reference:
        VTAB (Zhai et al. 2019), Clevr-Dist.
    """

    either = ("pixel_coords", "depth")

    def __init__(
        self,
        edges: Sequence[float] | None = None,
        bins: int = 6,
        name: str = "depth",
    ):
        super().__init__(name)
        if edges is not None and (
            len(edges) < 3 or (np.diff(np.asarray(edges, "float64")) <= 0).any()
        ):
            raise ValueError(
                "`edges` must be three or more rising numbers. Received: "
                f"{edges}"
            )
        if bins < 2:
            raise ValueError(f"`bins` must be at least 2. Received: {bins}")
        self.edges: Any = None if edges is None else tuple(map(float, edges))
        self.bins = bins

    def depth(self, record: Record) -> float:
        """The depth of the nearest thing of a record.

        Raises:
            ValueError: If it has no thing.
        """
        if "pixel_coords" not in record:
            return float(record["depth"])
        places = np.asarray(record["pixel_coords"], "float64").reshape(-1, 3)
        if not len(places):
            raise ValueError(
                f"Task {self.name!r} needs a thing in each picture. Received: "
                f"record {record.get('id')!r} with none"
            )
        return float(places[:, 2].min())

    def value(self, record: Record) -> Any:
        bin_ = np.searchsorted(self.edges, self.depth(record), side="left") - 1
        # What lies beyond the outer edges belongs to the outer classes.
        return int(np.clip(bin_, 0, len(self.edges) - 2))

    def _prepare(
        self, records: Sequence[Record], source: "Source | None"
    ) -> None:
        if self.edges is None and "pixel_coords" in records[0]:
            self.edges = CLEVR
        elif self.edges is None:
            depths = [self.depth(record) for record in records]
            inner = np.quantile(depths, np.linspace(0, 1, self.bins + 1)[1:-1])
            self.edges = (-np.inf, *np.unique(inner).tolist(), np.inf)
        super()._prepare(records, source)

    def _classes(self, values: list[Any], source: "Source | None") -> Classes:
        names = [f"depth {i}" for i in range(len(self.edges) - 1)]
        return Classes(values, names)

    def describe(self) -> dict[str, Any]:
        said = {**super().describe(), "bins": self.bins, "edges": None}
        if self.edges is not None:
            finite = [e for e in self.edges if np.isfinite(e)]
            said.update(bins=len(self.edges) - 1, edges=finite)
        return said
