"""Records that cannot be used, and why."""

REASONS = {
    "duplicate key": "a second record, or member of one, under the same key",
    "empty box": "a box without area, or with a coordinate that is no number",
    "box outside image": "a box more than a pixel beyond its image",
    "empty caption": "captions of white space alone",
    "empty file": "an image of zero bytes",
    "invalid annotation": "an annotation that does not parse",
    "invalid caption": "captions that are not UTF-8",
    "missing caption": "no caption, where one is asked for",
    "missing image": "an annotation whose image is not there",
    "not a file": "a link or device inside an archive",
    "truncated archive": "a member that a cut archive has lost in part",
    "undeclared category": "a box of a category that is not declared",
    "undeclared image": "an annotation of an image that is not declared",
    "unreadable": "storage that failed while the record was read",
    "unsafe name": "an archive member whose name leads out of its folder",
}
"""What a source can find wrong with a record."""


class BadRecord(Exception):
    """A record that cannot be used.

    Args:
        reason: String; the sources' are the keys of
            `keras_ab.data.records.REASONS`.
        id: String, the record's `"id"`.

    Example:

    >>> error = keras_ab.data.BadRecord("empty file", "cats/a.jpg")
    >>> str(error)
    # 'cats/a.jpg: empty file'
    """

    def __init__(self, reason, id):
        super().__init__(reason, id)
        self.reason = reason
        self.id = id

    def __str__(self):
        return f"{self.id}: {self.reason}"
