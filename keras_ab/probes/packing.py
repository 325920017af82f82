"""Arrays inside JSON, compactly."""

import base64
import binascii
import zlib
from typing import Any

import numpy as np


def pack(values: np.ndarray) -> dict[str, Any]:
    """A vector as what JSON can hold.

    Args:
        values: Numbers of shape `(B,)`. Zeros and ones take a bit each,
            integers four bytes and other numbers eight, before compression.

    Returns:
        Dict: `"kind"` (`"bits"`, `"int32"` or `"float64"`), `"size"` and
        `"data"`, base64 of compressed bytes.

    Raises:
        ValueError: If `values` is no vector.

    Example:

    >>> keras_ab.probes.unpack(keras_ab.probes.pack(np.array([1, 0, 1])))
    # [1., 0., 1.]
    """
    values = np.asarray(values)
    if values.ndim != 1:
        raise ValueError(
            f"`values` must be a vector. Received: shape {values.shape}"
        )
    if np.isin(values, (0, 1)).all():
        kind, content = "bits", np.packbits(values.astype(bool))
    elif values.dtype.kind in "iu" and abs(values).max() < 2**31:
        kind, content = "int32", values.astype("<i4")
    else:
        kind, content = "float64", values.astype("<f8")
    data = base64.b64encode(zlib.compress(content.tobytes(), 9))
    return {"kind": kind, "size": len(values), "data": data.decode()}


def unpack(packed: dict[str, Any]) -> np.ndarray:
    """What `pack` was given.

    Args:
        packed: What it returned.

    Returns:
        Float64 of shape `(B,)`, or int32 where the values were integers other
        than zeros and ones.

    Raises:
        ValueError: If it is damaged.
    """
    try:
        kind, size = packed["kind"], packed["size"]
        content = zlib.decompress(base64.b64decode(packed["data"]))
        if kind == "bits":
            bits = np.unpackbits(np.frombuffer(content, "uint8"))
            # The last byte is filled up.
            values = bits[: size if len(bits) - size < 8 else None]
            values = values.astype("float64")
        elif kind == "int32":
            values = np.frombuffer(content, "<i4").astype("int32")
        elif kind == "float64":
            values = np.frombuffer(content, "<f8").astype("float64")
        else:
            raise ValueError(f"unknown kind {kind!r}")
        if len(values) != size:
            raise ValueError(f"{len(values)} values where {size} are due")
    except (
        KeyError,
        TypeError,
        ValueError,
        zlib.error,
        binascii.Error,
    ) as error:
        raise ValueError(
            "What should be a packed vector (`kind`, `size` and `data`) is "
            f"damaged: {error!r}"
        ) from error
    return values
