"""Bad records: named, counted, and not more of them than is agreed."""

import builtins
import collections
import json
import pathlib
import threading
from collections.abc import Sequence
from typing import Any

from keras_ab.data.records import NO_FAULT
from keras_ab.data.source import Source
from keras_ab.typing import PathLike


class BudgetError(RuntimeError):
    """More records are bad than the error budget allows."""


class Quarantine:
    """Where the records go that cannot be used.

    A record that fails to load or to decode is replaced by another one of the
    same source, named here once, and counted by its reason, a key
    of `keras_ab.data.records.REASONS` or what the source says
    (`keras_ab.data.BadRecord`). What a source has left out when it was opened
    (`rejected`) is listed too, when a stream begins.

    Args:
        folder: Folder for the list, `quarantine.jsonl`, one record a line
            with `"id"`, `"reason"` and `"detail"`. None keeps it in memory
            only. Records that are listed there already are not listed again.
        budget: Float in [0, 1]: the share of a source's records that may be
            bad: of those seen, and of all for what was left out at its
            opening. Images without a caption, where few have one, are listed
            and not counted.
        minimum: Int, records to be seen (or all, where a source has fewer)
            before the budget is held against them.
        file_name: Name of the list; hosts that share a folder need one each.

    Example:

    >>> quarantine = keras_ab.data.Quarantine("runs/one", budget=0.1)
    >>> data = keras_ab.data.value_batches(
    ...     keras_ab.data.from_folder("photos"), batch_size=1, image_size=8,
    ...     quarantine=quarantine,
    ... )
    >>> for batch in data.take(2):
    ...     pass
    >>> quarantine.counts
    # Counter()
    """

    def __init__(
        self,
        folder: PathLike | None = None,
        budget: float = 0.05,
        minimum: int = 100,
        file_name: str = "quarantine.jsonl",
    ):
        if not 0 <= budget <= 1:
            raise ValueError(
                f"`budget` must be a share in [0, 1]. Received: {budget}"
            )
        self.budget = budget
        self.minimum = minimum
        self.file: pathlib.Path | None = None
        self.records: list[dict[str, Any]] = []
        # By the source's identity, which is its own while it is held here.
        self._known: dict[Any, Any] = {}
        self._listed = set()
        self._lock = threading.Lock()
        if folder is not None:
            self.file = pathlib.Path(folder) / file_name
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._listed = _read_list(self.file)

    @property
    def counts(self) -> collections.Counter[str]:
        """`Counter` of the records by reason."""
        with self._lock:
            return collections.Counter(r["reason"] for r in self.records)

    def add(
        self,
        id: str,
        reason: str,
        detail: str = "",
        source: Source | None = None,
    ) -> None:
        """Lists a bad record, once.

        Args:
            id: String, the record's id.
            reason: String, short and the same for all of its kind.
            detail: String, what was found.
            source: The source, whose other streams may name it too.
        """
        self._list(("read", id), id, reason, detail, source)

    def _list(self, kind, id, reason, detail, source):
        record = {"id": id, "reason": reason, "detail": detail}
        key = (builtins.id(source), *kind)
        with self._lock:
            if key in self._known:
                return
            self._known[key] = source
            self.records.append(record)
            if self.file is None or (id, reason) in self._listed:
                return
            with self.file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(record) + "\n")

    def open(self, source: Source) -> None:
        """Lists what a source has left out, and holds the budget against it.

        Args:
            source: A `keras_ab.data.Source`.

        Raises:
            BudgetError: If that is too much.
        """
        for id, reason in source.rejected:
            # A record may be good, and a second one under its id not.
            self._list(("rejected", id, reason), id, reason, "", source)
        self.check([], 0, source)

    def check(
        self, records: Sequence[dict[str, Any]], seen: int, source: Source
    ) -> None:
        """Holds the budget against a source's bad records.

        Args:
            records: List of dicts, the source's records that turned out to
                be bad when they were read.
            seen: Int, records of the source that were read.
            source: The `keras_ab.data.Source`.

        Raises:
            BudgetError: If they are too many. It names the three commonest
                reasons, each with an example.
        """
        size = len(source)
        left_out = [r for r in source.rejected if r[1] not in NO_FAULT]
        share = len(left_out) / max(1, size + len(left_out))
        found = []
        if left_out:
            total = size + len(left_out)
            found = [f"{len(left_out)} of {total} records were left out"]
        seen = max(min(seen, size), len(records))
        if records and seen >= min(self.minimum, size):
            share += len(records) / seen * (1 - share)
            found.append(f"{len(records)} of {seen} records read are bad")
        if share > self.budget:
            left_out = [{"id": i, "reason": r} for i, r in left_out]
            raise BudgetError(
                f"{', and '.join(found)}, over the budget of "
                f"{self.budget:.3g} of them. Commonest reasons: "
                f"{_commonest([*left_out, *records])}. Mend or remove them, "
                "or raise `budget` of keras_ab.data.Quarantine."
            )


def _commonest(records):
    counts = collections.Counter(r["reason"] for r in records)
    examples = {r["reason"]: r for r in reversed(records)}
    parts = []
    for reason, count in counts.most_common(3):
        example = examples[reason]
        detail = f": {example['detail']}" if example.get("detail") else ""
        parts.append(f"{reason} ({count}, such as {example['id']!r}{detail})")
    return "; ".join(parts)


def _read_list(file):
    """What an earlier run has listed; a line cut short is left out."""
    listed: set[tuple[str, str]] = set()
    if not file.is_file():
        return listed
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
            listed.add((record["id"], record["reason"]))
        except (ValueError, KeyError, TypeError):
            continue
    return listed
