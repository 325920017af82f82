"""A dense layer and a normalisation with gradients of their own."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import layers
from keras_ab.layers import dense
from keras_ab.layers import norm
from tests.gradients import gradient
from tests.gradients import numeric_gradient

RNG = np.random.default_rng(0)
only_jax = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="written for JAX"
)


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


def twins(**kwargs):
    ours, keras_own = layers.Dense(4, **kwargs), keras.layers.Dense(4, **kwargs)
    for layer in (ours, keras_own):
        layer.build((None, 5))
    keras_own.set_weights(ours.get_weights())
    return ours, keras_own


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 5), (2, 3, 2, 5)])
@pytest.mark.parametrize(
    "kwargs", [{}, {"use_bias": False}, {"activation": "tanh"}]
)
def test_dense_is_that_of_keras(shape, kwargs):
    ours, keras_own = twins(**kwargs)
    x, weights = normal(*shape), normal(*shape[:-1], 4)
    np.testing.assert_allclose(
        ops.convert_to_numpy(ours(x)),
        ops.convert_to_numpy(keras_own(x)),
        atol=1e-6,
    )
    slopes = [
        gradient(
            lambda x, layer=layer: ops.sum(ops.multiply(layer(x), weights)), x
        )[0]
        for layer in (ours, keras_own)
    ]
    np.testing.assert_allclose(*slopes, atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_dense_computes_in_half_precision(policy):
    ours, keras_own = twins(dtype=policy)
    x = normal(2, 3, 5)
    assert ours.kernel.dtype == "float32"
    assert keras.backend.standardize_dtype(ours(x).dtype) == policy[6:]
    np.testing.assert_array_equal(
        ops.convert_to_numpy(ops.cast(ours(x), "float32")),
        ops.convert_to_numpy(ops.cast(keras_own(x), "float32")),
    )


@only_jax
@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 5), (2, 3, 2, 5)])
def test_gradient_of_the_product(shape):
    x, kernel, weights = normal(*shape), normal(5, 4), normal(*shape[:-1], 4)
    found = gradient(
        lambda x, w: ops.sum(dense.matmul(x, w) * weights), x, kernel
    )
    expected = gradient(
        lambda x, w: ops.sum(ops.matmul(x, w) * weights), x, kernel
    )
    for a, b in zip(found, expected):
        np.testing.assert_allclose(a, b, atol=1e-5)


@only_jax
@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 5)])
def test_gradient_of_the_normalisation(shape):
    x, gamma, beta = 2 + normal(*shape), normal(5), normal(5)
    weights = normal(*shape)

    def oracle(x, gamma, beta):
        centred = x - x.mean(-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-3)
        return (weights * (centred / spread * gamma + beta)).sum()

    found = gradient(
        lambda *arrays: ops.sum(norm.normalize(*arrays, 1e-3) * weights),
        *(x, gamma, beta),
    )
    for place, array in enumerate((x, gamma, beta)):

        def of_one(value, place=place):
            arrays = [a.astype("float64") for a in (x, gamma, beta)]
            arrays[place] = value
            return oracle(*arrays)

        np.testing.assert_allclose(
            found[place], numeric_gradient(of_one, array), atol=1e-4
        )


def test_equal_features_are_normalised_to_the_shift():
    layer = layers.LayerNorm()
    result = ops.convert_to_numpy(layer(np.full((2, 7), 12345.678, "float32")))
    # What rounding leaves of them is small beside the features.
    assert np.isfinite(result).all() and abs(result).max() < 3
