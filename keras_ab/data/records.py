"""Records that cannot be used, and why."""

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
    "truncated archive": "a member that a cut archive has lost in part",
    "undeclared category": "a box of a category that is not declared",
    "undeclared image": "an annotation of an image that is not declared",
    "unreadable": "storage that failed while the record was read",
    "unsafe name": "an archive member whose name leads out of its folder",
}
"""What a source can find wrong with a record."""


class BadRecord(ValueError):
    """A record that cannot be used: it is skipped, counted and named.

    Args:
        reason: Short string, the same for all records with this fault. The
            sources' are the keys of `keras_ab.data.records.REASONS`; for the
            pipeline's own see `keras_ab.data.Quarantine`.
        id: String, the record's `"id"`.

    Example:

    >>> str(keras_ab.data.BadRecord("empty", "cats/a.jpg"))
    # 'cats/a.jpg: empty'
    """

    def __init__(self, reason, id=""):
        super().__init__(f"{id}: {reason}" if id else reason)
        self.reason = reason
        self.id = id
