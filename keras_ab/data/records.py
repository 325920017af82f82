"""Records that cannot be used, and why."""

from collections.abc import Sequence

REASONS = {
    "duplicate key": "a second record, or member of one, under the same key",
    "empty box": "a box without area, or with a coordinate that is no number",
    "box outside image": "a box more than a pixel beyond its image",
    "empty caption": "captions of white space alone",
    "empty": "an image of zero bytes",
    "invalid annotation": "an annotation that does not parse",
    "invalid caption": "captions that are not UTF-8",
    "no caption": "no caption, where one is asked for",
    "missing": "an annotation whose image is not there",
    "not a file": "a link or device inside an archive",
    "truncated archive": "a member that a cut archive has lost, or the archive",
    "undeclared category": "a box of a category that is not declared",
    "undeclared image": "an annotation of an image that is not declared",
    "unreadable": "storage, or a source, that failed while a record was read",
    "unsafe name": "an archive member whose name leads out of its folder",
    "not an image": "content of no known image format",
    "truncated": "bytes that stop before their image does",
    "corrupt": "a known format that cannot be decoded",
    "too many pixels": "an image refused by its header, undecoded",
    "unsupported format": "an image that PIL cannot read, or that needs it",
    "failed twice": "a record that failed twice, but a third time did not",
}
"""What can be wrong with a record, and how it is called."""

NO_FAULT = frozenset({"no caption"})
"""Reasons to leave a record out that say nothing bad of it: they are listed,
and not held against an error budget."""


class BadRecord(ValueError):
    """A record that cannot be used: it is skipped, counted and named.

    Args:
        reason: Short string, the same for all records with this fault: a
            key of `keras_ab.data.records.REASONS`, or one of the source's
            own.
        id: String, the record's `"id"`.

    Example:

    >>> str(keras_ab.data.BadRecord("empty", "cats/a.jpg"))
    # 'cats/a.jpg: empty'
    """

    def __init__(self, reason: str, id: str = ""):
        super().__init__(f"{id}: {reason}" if id else reason)
        self.reason = reason
        self.id = id


class NothingUsable(ValueError):
    """What was opened has no record that can be used.

    Args:
        message: String.
        rejected: List of `(id, reason)` of what it has instead.
    """

    def __init__(self, message: str, rejected: Sequence[tuple[str, str]]):
        super().__init__(message)
        self.rejected = list(rejected)
