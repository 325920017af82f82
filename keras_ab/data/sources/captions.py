"""Cleaning captions, and what to do where there is none."""

from collections.abc import Sequence
from typing import Any

MAX_LENGTH = 1000
MISSING = ("skip", "keep", "error")


def clean_captions(
    captions: str | bytes | Sequence[str | bytes], max_length: int = MAX_LENGTH
) -> list[str]:
    """Captions as they should be fed.

    White space is stripped and collapsed, empty captions and those that are
    not UTF-8 are dropped, and long ones end at the last word that fits.

    Args:
        captions: A caption or a list of them, strings or bytes.
        max_length: Int, the most characters to a caption.

    Returns:
        A list of strings.

    Example:

    >>> keras_ab.data.clean_captions(["  two\\tcats ", " ", b"\\xff"])
    # ['two cats']
    """
    if isinstance(captions, (str, bytes)):
        captions = [captions]
    decoded = [_decode(caption) for caption in captions]
    cleaned = [_cut(" ".join(c.split()), max_length) for c in decoded if c]
    return [caption for caption in cleaned if caption]


def lines(content: str | bytes) -> list[bytes]:
    """Captions of a text file, one a line; its bytes or string.

    An empty file has one, which is empty: there is a place for a caption.
    """
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    return content.removeprefix(b"\xef\xbb\xbf").splitlines() or [b""]


def strings(found: Any) -> list[str | bytes] | None:
    """What stands where a caption or a list of them should.

    Args:
        found: Anything, as parsed from a file.

    Returns:
        The strings of it, in a list; an empty one for None. None where there
        is something else, and no string.
    """
    found = found if isinstance(found, list) else [found]
    texts = [text for text in found if isinstance(text, (str, bytes))]
    if not texts and any(text is not None for text in found):
        return None
    return texts


def captioned(
    ids: Sequence[str],
    captions: Sequence[Sequence[str | bytes]],
    missing: str = "skip",
    max_length: int = MAX_LENGTH,
) -> tuple[list[int], list[list[str]], list[tuple[str, str]]]:
    """Cleans the captions of all records and applies the policy.

    Args:
        ids: List of strings, the records' ids.
        captions: List of lists of captions as they were found, strings or
            bytes.
        missing: What becomes of a record without a usable caption: `"skip"`
            rejects it, `"keep"` keeps it with no caption, `"error"` raises.
        max_length: Int, the most characters to a caption.

    Returns:
        `(kept, texts, rejected)`: indices, their lists of captions, and pairs
        of id and reason.

    Raises:
        ValueError: If `missing` is `"error"` and a record has no caption.
    """
    check_missing(missing)
    kept, texts, rejected = [], [], []
    for index, found in enumerate(captions):
        cleaned = clean_captions(found, max_length)
        if cleaned or missing == "keep":
            kept.append(index)
            texts.append(cleaned)
        else:
            rejected.append((ids[index], _reason(found)))
    if rejected and missing == "error":
        some = "; ".join(f"{id}: {reason}" for id, reason in rejected[:3])
        raise ValueError(
            f"{len(rejected)} of {len(ids)} images have no caption, and "
            f"missing_captions='error'. The first: {some}"
        )
    return kept, texts, rejected


def check_missing(missing: str) -> None:
    """Raises ValueError if a policy is not one of `MISSING`."""
    if missing not in MISSING:
        raise ValueError(
            f"`missing_captions` must be one of {MISSING}. Received: "
            f"{missing!r}"
        )


def _decode(caption):
    """The caption as a string, or None if it is not UTF-8."""
    try:
        if isinstance(caption, bytes):
            return caption.decode("utf-8")
        # A lone surrogate stands for a byte that could not be decoded.
        caption.encode("utf-8")
        return caption
    except UnicodeError:
        return None


def _cut(caption, length):
    if len(caption) <= length:
        return caption
    head, space, _ = caption[: length + 1].rpartition(" ")
    return head if space else caption[:length]


def _reason(found):
    if not found:
        return "no caption"
    if any(_decode(caption) is None for caption in found):
        return "invalid caption"
    return "empty caption"
