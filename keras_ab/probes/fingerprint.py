"""What data and weights are, in a few characters."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_ab.data.records import BadRecord
from keras_ab.data.source import Subset
from keras_ab.typing import Tensor


def array_fingerprint(arrays: Iterable[Tensor]) -> str:
    """The fingerprint of arrays in their order.

    Args:
        arrays: Of any shapes and dtypes, all of which count.

    Returns:
        Hexadecimal SHA-256.

    Example:

    >>> keras_ab.probes.array_fingerprint([np.zeros(2), np.ones(2)])[:4]
    # four hexadecimal digits
    """
    digest = hashlib.sha256()
    for array in arrays:
        _add(digest, np.asarray(array))
    return digest.hexdigest()


def source_fingerprint(source: Any) -> str:
    """The fingerprint of a source's records: ids and annotations, in order.

    Pixels do not count, so that no image is read where the source tells its
    annotations without them. Of the built-in sets, which are painted, the
    settings count, and of a `Subset` what it is a part of.

    Args:
        source: A `keras_ab.data.Source`.

    Returns:
        Hexadecimal SHA-256.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=4)
    >>> keras_ab.probes.source_fingerprint(scenes)[:4]
    # four hexadecimal digits
    """
    digest = hashlib.sha256()
    _add(digest, len(source))
    _add(digest, source.class_names)
    if isinstance(source, Subset):
        _add(digest, source_fingerprint(source.source))
        _add(digest, source.indices)
    elif _is_painted(source):
        _add(digest, type(source).__qualname__)
        _add(digest, vars(source))
    else:
        for index in range(len(source)):
            _add(digest, _annotations(source, index))
    return digest.hexdigest()


def _annotations(source, index):
    """A record's annotations, or what is wrong with it."""
    try:
        return source.annotations(index)
    except BadRecord as error:
        return {"id": error.id, "reason": error.reason}


def _is_painted(source):
    """Whether a source is a function of its settings, and reads nothing."""
    plain = (bool, int, float, str, type(None))
    return source.never_fails and all(
        isinstance(value, plain) for value in vars(source).values()
    )


def _add(digest, value):
    """Adds a value with its type and length, so that no two look alike."""
    if isinstance(value, dict):
        digest.update(b"{%d" % len(value))
        for key in sorted(value):
            _add(digest, key)
            _add(digest, value[key])
    elif isinstance(value, (list, tuple)):
        digest.update(b"[%d" % len(value))
        for part in value:
            _add(digest, part)
    elif isinstance(value, np.ndarray) and value.dtype != object:
        head = f"a{value.dtype.str}{value.shape}"
        digest.update(head.encode())
        digest.update(np.ascontiguousarray(value).data)
    elif isinstance(value, np.ndarray):
        _add(digest, value.tolist())
    elif isinstance(value, np.generic):
        _add(digest, value.item())
    else:
        text = value if isinstance(value, bytes) else repr(value).encode()
        digest.update(b"%s%d:" % (type(value).__name__.encode(), len(text)))
        digest.update(text)
