"""What is wrong with a record."""


class BadRecord(ValueError):
    """A record that cannot be used: it is skipped, counted and named.

    Args:
        reason: Short string, the same for all records with this fault; see
            `keras_ab.data.Quarantine` for the pipeline's own.
        id: String, the record's id.
    """

    def __init__(self, reason, id=""):
        super().__init__(f"{id}: {reason}" if id else reason)
        self.reason = reason
        self.id = id
