"""Why a record is bad: a careful look, outside of the pipeline."""

from keras_ab.data import headers
from keras_ab.data.decoding import to_bmp
from keras_ab.data.records import BadRecord
from keras_ab.data.source import Source


def find_fault(
    source: Source, index: int, max_pixels: int = headers.MAX_PIXELS
) -> dict[str, str | None]:
    """What is wrong with a record.

    Args:
        source: The `keras_ab.data.Source`.
        index: Int, the record's index.
        max_pixels: Int, pixels above which an image is refused.

    Returns:
        A dict with `"id"`, `"reason"` and `"detail"`, strings; the reason is
        None where nothing is found. See `keras_ab.data.Quarantine` for
        reasons.
    """
    name = f"record {index}"
    try:
        record = source[index]
    except BadRecord as error:
        return _fault(error.id or name, error.reason)
    except FileNotFoundError as error:
        return _fault(_file(error) or name, "missing", str(error))
    except Exception as error:
        detail = f"{type(error).__name__}: {error}"
        return _fault(name, "unreadable", detail)
    name = record.get("id", name)
    if not len(record.get("text", [""])):
        return _fault(name, "no caption")
    image = record["image"]
    if not isinstance(image, bytes):
        return _fault(name, None)
    return _fault(name, *image_fault(image, max_pixels))


def image_fault(
    data: bytes, max_pixels: int = headers.MAX_PIXELS
) -> tuple[str | None, str]:
    """What is wrong with an encoded image.

    Args:
        data: Bytes.
        max_pixels: Int, pixels above which an image is refused.

    Returns:
        A reason, or None, and a detail.
    """
    from keras_ab.data.tf import tensorflow

    tf = tensorflow()
    try:
        headers.read_header(data, max_pixels)
        readable = True
    except BadRecord as error:
        reason = error.reason
        if reason in (headers.EMPTY, headers.TOO_LARGE, headers.TRUNCATED):
            return reason, ""
        readable = False
    if readable:
        try:
            still = headers.first_frame(data) if data[:4] == b"GIF8" else data
            tf.io.decode_image(still, channels=3, expand_animations=False)
            return None, ""
        except BadRecord as error:
            reason, detail = error.reason, ""
        except tf.errors.OpError as error:
            reason, detail = headers.CORRUPT, error.message.split("}} ")[-1]
    else:
        detail = ""
    try:
        to_bmp(data, max_pixels)
        return None, ""
    except BadRecord as error:
        return error.reason, ""
    except ImportError:
        pass
    except Exception as error:
        if reason == headers.UNSUPPORTED:
            reason = headers.CORRUPT
        if reason == headers.NOT_AN_IMAGE:
            detail = f"starts with {data[:8]!r}"
        # PIL's "cannot identify" names an address in memory.
        said = str(error).partition(" <_io")[0]
        detail = detail or said
        if "truncated" in said and reason == headers.CORRUPT:
            return headers.TRUNCATED, detail
    cut = reason != headers.NOT_AN_IMAGE and headers.ends_early(data)
    return headers.TRUNCATED if cut else reason, detail


def _fault(id, reason, detail=""):
    return {"id": id, "reason": reason, "detail": detail}


def _file(error):
    name = error.filename
    return name.decode() if isinstance(name, bytes) else name
