"""The class of a picture."""

from typing import TYPE_CHECKING
from typing import Any

from keras_ab.probes.tasks.label_task import LabelTask
from keras_ab.probes.tasks.names import Classes
from keras_ab.probes.tasks.names import names_of
from keras_ab.probes.tasks.task import Record

if TYPE_CHECKING:
    from keras_ab.data.source import Source

NAMES = {"verb": "verb_names", "noun": "noun_names"}
"""What a source calls the names of a field's classes, if not `class_names`."""


class Classification(LabelTask):
    """What class a picture is of.

    Args:
        field: String, the field of a record with the class, an int or a
            string.
        crop: `"center"` or `"whole"`.
        name: String.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=8)
    >>> records = keras_ab.probes.tasks.read_records(scenes)
    >>> task = keras_ab.probes.tasks.Classification()
    >>> task.prepare(records, scenes).labels(records)
    # ["bus", "boat", ...]
    """

    def __init__(
        self,
        field: str = "label",
        crop: str = "center",
        name: str = "classification",
    ):
        super().__init__(name)
        if crop not in ("center", "whole"):
            raise ValueError(
                f"`crop` must be 'center' or 'whole'. Received: {crop!r}"
            )
        self.field, self.crop = field, crop
        self.fields = frozenset([field])

    def value(self, record: Record) -> Any:
        return record[self.field]

    def _classes(self, values: list[Any], source: "Source | None") -> Classes:
        names = names_of(source, NAMES.get(self.field, "class_names"))
        if self.field not in ("label", *NAMES):
            # Names of other things.
            names = None
        prefix = "class" if self.field == "label" else self.field
        return Classes(values, names, prefix)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "field": self.field, "crop": self.crop}
