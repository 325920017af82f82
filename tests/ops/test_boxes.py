import keras
import numpy as np
import pytest

from keras_ab.ops import relative_boxes
from tests.reference import boxes as reference


def random_boxes(*shape, seed=0):
    corners = np.random.default_rng(seed).uniform(0, 1, (*shape, 2, 2))
    corners.sort(axis=-2)
    corners[..., 1, :] += 0.05
    return corners.reshape(*shape, 4).astype("float32")


@pytest.mark.parametrize("shape", [(4,), (3, 2), (2, 3, 5)])
def test_against_loops(shape):
    boxes = random_boxes(*shape)
    result = keras.ops.convert_to_numpy(relative_boxes(boxes))
    np.testing.assert_allclose(
        result, reference.relative_boxes(boxes), rtol=1e-5, atol=1e-5
    )


def test_identity_on_the_diagonal():
    result = keras.ops.convert_to_numpy(relative_boxes(random_boxes(6)))
    for i in range(6):
        np.testing.assert_allclose(result[i, i], [0, 0, 1, 1], atol=1e-6)


def test_round_trip():
    boxes = random_boxes(2)
    there = keras.ops.convert_to_numpy(relative_boxes(boxes))[0, 1]
    y, x, bottom, right = boxes[0]
    size = np.array([bottom - y, right - x] * 2)
    back = np.array([y, x] * 2) + there * size
    np.testing.assert_allclose(back, boxes[1], atol=1e-6)


def test_float32_from_lower_precision():
    result = relative_boxes(keras.ops.cast(random_boxes(3), "bfloat16"))
    assert keras.backend.standardize_dtype(result.dtype) == "float32"


@pytest.mark.parametrize("shape", [(4,), (3, 5)])
def test_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"\(\.\.\., N, 4\).*Received"):
        relative_boxes(np.zeros(shape))
