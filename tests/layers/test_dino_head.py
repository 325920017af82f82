"""Prototypes, and the head of self-distillation."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import layers
from tests.contracts import weight_gradients
from tests.reference import dino as reference
from tests.reference.losses import unit

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


def numpy(x):
    return ops.convert_to_numpy(x)


def built(**kwargs):
    head = layers.DINOHead(12, hidden_dims=(10, 9), bottleneck_dim=6, **kwargs)
    head.build((None, 8))
    # Far from the start, where GELU is not yet linear.
    for variable in head.weights:
        variable.assign(normal(*variable.shape))
    return head


def dense(head):
    return [(numpy(d.kernel), numpy(d.bias)) for d in head.dense_layers]


def test_against_numpy():
    head, features = built(), normal(2, 5, 8)
    result = numpy(head(features))
    prototypes = numpy(head.prototypes.kernel)
    expected = reference.head(features, dense(head), prototypes)
    assert result.shape == (2, 5, 12)
    np.testing.assert_allclose(result, expected, atol=1e-5)
    embedded = numpy(head.embed(features))
    expected = reference.bottleneck(features, dense(head))
    np.testing.assert_allclose(embedded, expected, atol=1e-5)


def test_some_prototypes():
    head, features = built(), normal(5, 8)
    everything = numpy(head(features))
    indices = np.array([[7], [0], [7]], "int32")
    some = numpy(head(features, indices=indices))
    np.testing.assert_allclose(some, everything[:, [7, 0, 7]], atol=1e-6)
    rows = numpy(head.prototypes(indices))
    expected = unit(numpy(head.prototypes.kernel))[[7, 0, 7]]
    np.testing.assert_allclose(rows, expected, atol=1e-6)
    rows = numpy(head.prototypes(head.prototypes.all()))
    np.testing.assert_allclose(rows, unit(numpy(head.prototypes.kernel)), 1e-5)
    with pytest.raises(ValueError, match=r"\(12, 0\).*\(3, 0\)"):
        head.prototypes(np.zeros((3, 0), "int32"))


def test_lengths_of_prototypes_mean_nothing():
    head, features = built(), normal(5, 8)
    before = numpy(head(features))
    head.prototypes.kernel.assign(head.prototypes.kernel * 3.0)
    np.testing.assert_allclose(numpy(head(features)), before, atol=1e-6)


def test_start():
    head = layers.DINOHead(500, hidden_dims=(300,), bottleneck_dim=64)
    head.build((None, 400))
    for layer in head.dense_layers:
        kernel = numpy(layer.kernel)
        np.testing.assert_allclose(kernel.std(), 0.02, rtol=0.02)
        assert not numpy(layer.bias).any()
    kernel = numpy(head.prototypes.kernel)
    assert 0.124 < abs(kernel).max() <= 0.125
    np.testing.assert_allclose(kernel.std(), 0.125 / np.sqrt(3), rtol=0.02)


@pytest.mark.parametrize("frozen", [True, False, None])
def test_frozen(frozen):
    head, features = built(), normal(5, 8)

    class Frozen:
        """The head as a function of features alone, for the gradients."""

        trainable_variables = head.trainable_variables
        non_trainable_variables = head.non_trainable_variables

        def __call__(self, x):
            return head(x, frozen=flag)

        def stateless_call(self, *args):
            return head.stateless_call(*args, frozen=flag)

    flag = None if frozen is None else ops.convert_to_tensor(frozen)
    grads = weight_gradients(Frozen(), [features])
    for variable, grad in zip(head.trainable_variables, grads):
        moves = "prototypes" not in variable.path or not frozen
        assert numpy(grad).any() == moves, variable.path


def test_float32_under_bfloat16():
    full, mixed = built(), built(dtype="mixed_bfloat16")
    mixed.set_weights(full.get_weights())
    features = normal(5, 8)
    result = mixed(features)
    assert keras.backend.standardize_dtype(result.dtype) == "float32"
    np.testing.assert_allclose(numpy(result), numpy(full(features)), atol=0.05)
    # Only the layers before the bottleneck are coarse.
    embedded = numpy(mixed.embed(features))
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, rtol=1e-6)
    exact = embedded @ unit(numpy(mixed.prototypes.kernel)).T
    np.testing.assert_allclose(numpy(result), exact, atol=1e-6)


@pytest.mark.parametrize("count", [1, 0, -4, 2.5, None])
def test_too_few_prototypes(count):
    with pytest.raises(ValueError, match="at least 2. Received"):
        layers.DINOHead(count)
