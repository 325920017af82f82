"""One step on several devices is the step on one, for every method.

Each test is a process of its own, with devices that exist in it alone.
"""

import keras
import numpy as np
import pytest

from keras_ab import distribution
from tests.distribution import devices
from tests.distribution import methods

BACKEND = keras.backend.backend()
on_tensorflow = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="tf.distribute is TensorFlow's"
)
on_jax = pytest.mark.skipif(
    BACKEND != "jax", reason="keras.distribution works on JAX alone"
)


def check_close(found, count):
    """Weights, target network and logs within 1e-5 of what moved.

    The optimizer multiplies gradients by 1/8, and so what they differ by.
    """
    assert found["devices"] == count
    assert found["moved"] > 1e-4
    tolerance = 1e-5 * max(found["moved"], 0.125)
    assert found["weights"] < tolerance
    assert found["target"] < 1e-5
    assert found["logs"] < 1e-4


def test_one_device_gathers_itself():
    rows = np.arange(6.0).reshape(3, 2).astype("float32")
    to_numpy = keras.ops.convert_to_numpy
    np.testing.assert_array_equal(to_numpy(distribution.gather(rows)), rows)
    mean = to_numpy(distribution.mean_of_rows(rows))
    np.testing.assert_allclose(mean, rows.mean(0))
    assert distribution.num_replicas() == 1


@on_tensorflow
@pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_rows_are_gathered_with_their_gradients(count):
    found = devices.call(count, "gathered")
    assert found["rows"] == 0.0
    assert found["scale"] > 0.01
    assert found["gradient"] < 1e-6
    assert found["mean"] < 1e-6


@on_jax
def test_weights_target_and_slots_lie_alike():
    found = devices.call(4, "placed", "abclip")
    axes = {path.split("/", 1)[1]: cut for path, cut in found["weights"]}
    cut = {path for path, spec in axes.items() if "model" in spec}
    assert "online/image_encoder/block_0/mlp/expand/kernel" in cut
    for path in axes:
        if path.startswith("online/"):
            assert axes[path] == axes[f"target/{path[7:]}"], path
    slots = {path: spec for path, spec in found["slots"] if "model" in spec}
    # Two moments of each weight that is trained and cut.
    assert len(slots) == 2 * sum(p.startswith("online/") for p in cut)
    assert found["metrics"]


@on_tensorflow
@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("name", methods.MODELS)
def test_mirrored_strategy(name, count):
    check_close(devices.call(count, "steps", name)[name], count)


@on_jax
@pytest.mark.slow
@pytest.mark.parametrize("name", methods.MODELS)
def test_data_parallel(name):
    check_close(devices.call(8, "steps", name)[name], 8)


@on_jax
@pytest.mark.slow
@pytest.mark.parametrize("name", methods.MODELS)
def test_model_parallel(name):
    found = devices.call(8, "model_parallel_steps", 2, name)
    check_close(found[name], 8)


@pytest.mark.slow
@pytest.mark.skipif(BACKEND == "torch", reason="one device")
def test_accumulation_clipping_and_a_graph():
    for found in devices.call(2, "compiled").values():
        check_close(found, 2)


@on_tensorflow
@pytest.mark.slow
def test_what_replicas_cannot_do_is_refused():
    accumulation, execution = devices.call(2, "refused")
    assert "cannot accumulate" in accumulation and "steps=2" in accumulation
    assert "several steps an execution" in execution and "=3" in execution


@on_tensorflow
def test_nothing_happens_without_a_batch():
    import tensorflow as tf

    taken = tf.Variable(0)

    @tf.function
    def step(iterator):
        batch = next(iterator)
        with distribution.once_there(((batch, None),)):
            taken.assign_add(1)
        return batch

    numbers = iter(tf.data.Dataset.range(3).filter(lambda x: x >= 0))
    for _ in range(3):
        step(numbers)
    with pytest.raises(tf.errors.OutOfRangeError):
        step(numbers)
    assert taken.numpy() == 3


@on_tensorflow
@pytest.mark.slow
def test_data_that_come_to_an_end():
    for found in devices.call(2, "ended"):
        assert found["moved"] > 1e-2
        assert found["weights"] < 1e-6
        assert found["logs"] < 1e-5


@on_tensorflow
@pytest.mark.slow
def test_clipping_sees_the_whole_batch():
    for found in devices.call(2, "clipped").values():
        check_close(found, 2)


@on_tensorflow
@pytest.mark.slow
def test_replicas_skip_together():
    for policy, found in devices.call(4, "not_finite").items():
        assert found["skipped"] == 2
        assert found["scale"] == (0.25 if "16" in policy else 1.0)
        assert not found["changed"]
        assert not found["apart"]
