"""Fields that stand in for each other."""

from collections.abc import Iterable
from collections.abc import Sequence

from keras_ab.probes.tasks.task import Record


def check_either(
    name: str, records: Iterable[Record], fields: Sequence[str]
) -> None:
    """Raises `ValueError` if a record has none of some fields.

    Args:
        name: String, the task's.
        records: Records.
        fields: Strings, of which each record needs one.
    """
    for record in records:
        if not set(fields) & set(record):
            raise ValueError(
                f"Task {name!r} needs one of {list(fields)} of every record. "
                f"Received: record {record.get('id')!r} with "
                f"{sorted(set(record) - {'image'})}"
            )
