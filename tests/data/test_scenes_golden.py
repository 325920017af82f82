"""Scenes stay what they were, to the bit: results were measured on them."""

import hashlib

import numpy as np
import pytest

from keras_ab.data import scenes


def digest(source, count):
    """SHA-256 over every value of the first records."""
    total = hashlib.sha256()
    for index in range(count):
        record = source[index]
        for key in sorted(record):
            value = record[key]
            array = isinstance(value, np.ndarray)
            total.update(key.encode())
            total.update(value.tobytes() if array else repr(value).encode())
    return total.hexdigest()


@pytest.mark.parametrize(
    "config, expected",
    [
        (
            {},
            "831f58ecb26db5a0d98ab6b5541e362cfffccd7fd2d818bb2a0c91e5f879d25c",
        ),
        (
            {"seed": 1000003, "split": "test"},
            "821d09783cef857fccf16c5dfe3d375ad8fc5f8cee1a60ef07e17e1c52153e49",
        ),
        (
            {"image_size": 64, "captions": False},
            "4abe2cf84acd2877d1f7ec00b5daee8c5f8f2c7463ea53bb2558a2d6e5dc11d7",
        ),
    ],
)
def test_records_are_bit_identical(config, expected):
    assert digest(scenes.Scenes(**config), 40) == expected
