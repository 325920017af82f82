"""What a check found."""

import dataclasses
from typing import Any

STATES = ("fine", "note", "wrong")


@dataclasses.dataclass
class Finding:
    """One line of the doctor's.

    Args:
        check: String, what was looked at.
        state: `"fine"`, `"note"` for what is worth knowing, or `"wrong"`.
        said: String, what was found.
        do: String, what to do about it; empty where it is fine.
        figures: Dict of numbers, ready for JSON.

    Example:

    >>> print(keras_ab.doctor.Finding("disk", "fine", "90 GB free"))
    # fine   disk: 90 GB free
    """

    check: str
    state: str
    said: str
    do: str = ""
    figures: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(
                f"A finding's state must be one of {STATES}. Received: "
                f"{self.state!r}"
            )
        if self.state == "wrong" and not self.do:
            raise ValueError("What is wrong needs something to do about it.")

    def __str__(self) -> str:
        line = f"{self.state:<7}{self.check}: {self.said}"
        return f"{line}\n       → {self.do}" if self.do else line
