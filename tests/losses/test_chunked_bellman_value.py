"""In chunks or whole, value and gradients of the value loss are the same."""

import keras
import numpy as np
import pytest

from keras_ab import losses
from keras_ab import ops
from tests.gradients import gradient
from tests.reference import losses as reference

BACKEND = keras.backend.backend()
RNG = np.random.default_rng(0)


def units(*shape):
    x = RNG.normal(size=shape)
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype("float32")


def q_function(batch, views, number, dim, scale=8.0, bias=-1.5):
    actions, annotations = units(batch, views, views, dim), units(number, dim)
    return actions, annotations, np.float32(scale), np.float32(bias)


def example(batch=3, views=2, number=11, dim=5):
    reward = reference.softmax(2 * RNG.normal(size=(batch, views, number)))
    return (
        q_function(batch, views, number, dim),
        q_function(batch, views, number, dim, scale=5.0, bias=-0.5),
        reward.astype("float32"),
    )


def logits(q):
    actions, annotations, scale, bias = (np.asarray(x, "float64") for x in q)
    return scale * actions @ annotations.T + bias


def plain(online, target, reward, gamma):
    def q_logits(actions, annotations, scale, bias):
        annotations = keras.ops.transpose(annotations)
        return scale * keras.ops.matmul(actions, annotations) + bias

    target = q_logits(*(keras.ops.convert_to_tensor(x) for x in target))
    backup = ops.bellman_target(reward, target, gamma)
    return losses.bellman_value(q_logits(*online), backup)


def weighted(function, *rest):
    """Examples weigh differently, so that none can be taken for another."""

    def scalar(*online):
        loss = function(online, *rest)
        weights = keras.ops.arange(1, loss.shape[0] + 1, dtype="float32")
        return keras.ops.sum(weights * loss)

    return scalar


def compiled(function):
    """The function in a compiled step, where the backend has one."""
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(function)
    return function


# 11 annotations: chunks that divide them, that leave a rest, one a time, all.
@pytest.mark.parametrize("size", [1, 4, 10, 11, 100, None])
@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0])
def test_value(size, gamma):
    online, target, reward = example()
    result = losses.chunked_bellman_value(online, target, reward, gamma, size)
    backup = reference.bellman_target(reward, logits(target), gamma)
    expected = reference.bellman_value(logits(online), backup)
    result = keras.ops.convert_to_numpy(result)
    np.testing.assert_allclose(result, expected, rtol=1e-5)
    assert result.dtype == np.float32

    result = ops.chunked_bellman_target(target, reward, gamma, size)
    result = keras.ops.convert_to_numpy(result)
    np.testing.assert_allclose(result, backup, atol=1e-6)


@pytest.mark.parametrize("wrap", [lambda f: f, compiled])
@pytest.mark.parametrize(
    "batch, views, number, size, gamma",
    [(3, 2, 11, 4, 0.5), (2, 3, 12, 4, 0.0), (1, 1, 7, 3, 1.0)],
)
def test_gradients(wrap, batch, views, number, size, gamma):
    online, target, reward = example(batch, views, number)
    chunked = weighted(
        lambda *args: losses.chunked_bellman_value(*args, size),
        target,
        reward,
        gamma,
    )
    whole = weighted(plain, target, reward, gamma)
    for ours, expected in zip(
        gradient(wrap(chunked), *online), gradient(whole, *online)
    ):
        assert expected.any()
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="static shapes elsewhere")
@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_graph_for_any_size(jit_compile):
    import tensorflow as tf

    from keras_ab.ops.chunked_bellman import CHUNK

    def spec(*shape):
        return tf.TensorSpec(shape, "float32")

    def q_spec():
        return spec(None, 2, 2, 5), spec(None, 5), spec(), spec()

    @tf.function(
        jit_compile=jit_compile,
        input_signature=[q_spec(), q_spec(), spec(None, 2, None)],
    )
    def step(online, target, reward):
        with tf.GradientTape() as tape:
            tape.watch(online)
            loss = losses.chunked_bellman_value(online, target, reward)
        return loss, tape.gradient(loss, online)

    size = CHUNK // 1024
    for batch, number in [(3, 11), (1, size), (1, 2 * size + 3)]:
        online, target, reward = example(batch, 2, number)
        loss, grads = step(online, target, reward)
        online = [tf.constant(x) for x in online]
        with tf.GradientTape() as tape:
            tape.watch(online)
            expected = plain(online, target, reward, 0.5)
        np.testing.assert_allclose(loss, expected, rtol=1e-5)
        for ours, theirs in zip(grads, tape.gradient(expected, online)):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(BACKEND != "jax", reason="others do not tell")
def test_logits_of_all_annotations_never_exist():
    import jax

    number, views = 4096, 2
    online, target, reward = example(4, views, number)

    def memory(size):
        loss = weighted(
            lambda *args: losses.chunked_bellman_value(*args, size),
            target,
            reward,
            0.5,
        )
        step = jax.jit(jax.grad(loss, argnums=(0, 1, 2, 3)))
        analysis = step.lower(*online).compile().memory_analysis()
        return analysis.temp_size_in_bytes

    logits = 4 * 4 * views**2 * number
    assert memory(number) >= logits
    assert memory(128) < logits / 2


def test_no_gradient_reaches_the_targets():
    online, target, reward = example()

    def loss(actions, annotations, scale, bias, reward):
        target = (actions, annotations, scale, bias)
        return keras.ops.sum(
            losses.chunked_bellman_value(online, target, reward, 0.5, 4)
            + 0.0 * keras.ops.sum(actions)
        )

    for grad in gradient(loss, *target, reward):
        assert not grad.any()


def test_one_network_for_both():
    """The ablation without a target network: its own targets, detached."""
    online, _, reward = example()
    chunked = gradient(
        lambda *q: keras.ops.sum(
            losses.chunked_bellman_value(q, q, reward, 0.5, 4)
        ),
        *online,
    )
    whole = gradient(
        lambda *q: keras.ops.sum(plain(q, online, reward, 0.5)), *online
    )
    for ours, expected in zip(chunked, whole):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5)


def test_chunks_by_size():
    from keras_ab.ops.chunked_bellman import CHUNK
    from keras_ab.ops.chunked_bellman import NARROWEST
    from keras_ab.ops.chunked_bellman import chunk_size

    def size(batch, views, number, wanted=None):
        actions = np.zeros((batch, views, views, 1))
        return chunk_size(actions, np.zeros((number, 1)), wanted)

    assert size(16, 4, 64) is None
    assert size(64, 4, 65_536) == CHUNK // 1024
    assert size(10_000, 4, 65_536) == NARROWEST
    assert size(16, 4, 64, wanted=10) == 10
    assert size(16, 4, 64, wanted=64) is None


def call(online=None, target=None, reward=None, **kwargs):
    default = example()
    return losses.chunked_bellman_value(
        online or default[0],
        target or default[1],
        default[2] if reward is None else reward,
        **kwargs,
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"annotations_per_chunk": 0}, "positive int.*Received: 0"),
        ({"annotations_per_chunk": 2.0}, "positive int.*Received: 2.0"),
        ({"annotations_per_chunk": True}, "positive int.*Received: True"),
        ({"gamma": 1.5}, "Received: 1.5"),
        ({"online": example()[0][:3]}, "tuple of actions.*Received"),
        ({"online": q_function(3, 2, 11, 4)[:1] * 4}, "scalars"),
        ({"target": q_function(3, 2, 10, 5)}, r"Received.*\(10, 5\)"),
        ({"target": q_function(2, 2, 11, 5)}, r"Received.*\(2, 2, 2, 5\)"),
        ({"reward": np.zeros((3, 2, 10))}, r"Received.*\(3, 2, 10\)"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        call(**arguments)
