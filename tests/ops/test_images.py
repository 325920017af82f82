import keras
import numpy as np
import pytest

from keras_ab.ops import cosine_similarity
from keras_ab.ops import l2_normalize
from keras_ab.ops import scale_images
from tests.gradients import gradient


def test_bytes_become_minus_one_to_one():
    images = np.arange(256, dtype="uint8")
    result = keras.ops.convert_to_numpy(scale_images(images))
    np.testing.assert_allclose(result, np.linspace(-1, 1, 256), atol=1e-6)


def test_floats_pass():
    images = np.linspace(-1, 1, 5).astype("float32")
    result = keras.ops.convert_to_numpy(scale_images(images))
    np.testing.assert_array_equal(result, images)


def test_dtype():
    result = scale_images(np.zeros(3, "uint8"), dtype="bfloat16")
    assert keras.backend.standardize_dtype(result.dtype) == "bfloat16"


def test_integers_are_refused():
    with pytest.raises(ValueError, match=r"uint8.*Received: dtype int32"):
        scale_images(np.zeros(3, "int32"))


def test_cosines():
    a, b = np.random.default_rng(0).normal(size=(2, 6, 4))
    result = keras.ops.convert_to_numpy(cosine_similarity(a, b[:3]))
    unit = [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (a, b[:3])]
    np.testing.assert_allclose(result, unit[0] @ unit[1].T, atol=1e-6)


def test_the_zero_vector_has_a_finite_gradient():
    grads = gradient(lambda x: keras.ops.sum(l2_normalize(x)), np.zeros((2, 3)))
    assert np.isfinite(grads[0]).all()
