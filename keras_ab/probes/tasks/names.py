"""The words that stand for classes."""

import collections
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

if TYPE_CHECKING:
    from keras_ab.data.source import Source


def names_of(source: "Source | None", key: str) -> list[str] | None:
    """Names of classes that a source has, or what it is a part of.

    Args:
        source: A `keras_ab.data.Source`, or None.
        key: String, such as `"class_names"` or `"verb_names"`.

    Returns:
        A list of strings, or None where they are not known.
    """
    while source is not None:
        names = getattr(source, key, None)
        if names is not None:
            return list(names)
        source = getattr(source, "source", None)
    return None


class Classes:
    """Words for classes that are numbered, or named.

    Args:
        values: Classes that the training set shows: ints or strings.
        names: List of names of classes 0, 1, ... where they are known; two
            classes of one name are told apart by their numbers.
        prefix: String, what a class without a name is called, before its
            number; `""` for the number alone.
    """

    def __init__(
        self,
        values: Iterable[Any],
        names: Sequence[str] | None = None,
        prefix: str = "class",
    ):
        self.names, self.prefix = None, prefix
        if names is not None:
            counts = collections.Counter(names)
            self.names = [
                name if counts[name] == 1 else f"{name} ({index})"
                for index, name in enumerate(names)
            ]
        values = sorted({_plain(value) for value in values})
        self.seen = {self.word(value) for value in values}
        self.words = self.names or [self.word(value) for value in values]

    def word(self, value: Any, record_id: str | None = None) -> str:
        """The word of a class.

        Args:
            value: Int or string.
            record_id: String, the record that it is of, for the error.

        Raises:
            ValueError: If there are names, but not of this class.
        """
        value = _plain(value)
        if isinstance(value, str):
            return value
        if self.names is None:
            return f"{self.prefix} {value}".strip()
        if not 0 <= value < len(self.names):
            raise ValueError(
                f"The source names {len(self.names)} classes, so that a class "
                f"must lie in [0, {len(self.names)}). Received: {value}"
                + (f" in record {record_id!r}" if record_id else "")
            )
        return self.names[value]


def _plain(value):
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return str(value)
    if np.ndim(value) == 0 and int(value) == value:
        return int(value)
    raise ValueError(f"A class must be an int or a string. Received: {value!r}")
