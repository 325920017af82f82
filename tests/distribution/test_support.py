"""What cannot train rightly on many devices is refused with a sentence."""

import sys

import keras
import numpy as np
import pytest

from keras_ab import distribution
from tests.models import factory

BACKEND = keras.backend.backend()


def mesh_scope():
    mesh = keras.distribution.DeviceMesh((1,), ("batch",), devices=["cpu:0"])
    return keras.distribution.DataParallel(device_mesh=mesh).scope()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's")
def test_keras_distribution_on_tensorflow():
    with mesh_scope(), pytest.raises(ValueError, match="MirroredStrategy"):
        factory.clip()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's")
def test_other_strategies():
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope(), pytest.raises(ValueError, match="keras#20585"):
        factory.clip()
    strategy = tf.distribute.experimental.CentralStorageStrategy()
    with strategy.scope(), pytest.raises(ValueError, match="must be one of"):
        factory.clip()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's")
def test_a_strategy_that_came_too_late():
    import tensorflow as tf

    model = factory.clip()
    factory.compile(model)
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    with strategy.scope(), pytest.raises(ValueError, match="must be built"):
        model.fit(factory.batches(1))
    with strategy.scope():
        model = factory.clip()
    factory.compile(model, keras.optimizers.SGD(0.1))
    with pytest.raises(ValueError, match="optimizer must be made"):
        model.fit(factory.batches(1))


@pytest.mark.skipif(BACKEND != "jax", reason="JAX's")
def test_a_distribution_that_came_too_late():
    model = factory.clip()
    factory.compile(model)
    with mesh_scope(), pytest.raises(ValueError, match="must be built"):
        model.fit(factory.batches(1))


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch's")
def test_several_processes_of_pytorch(monkeypatch):
    import torch

    # The function is looked up only where a group exists.
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    with pytest.raises(ValueError, match="with 2 processes"):
        factory.clip()


class Four:
    """Stands for something that four devices share."""

    num_model_replicas = num_replicas_in_sync = 4


def test_batches_that_devices_cannot_share(monkeypatch):
    support = sys.modules["keras_ab.distribution.support"]
    monkeypatch.setattr(support, "num_devices", lambda distribution: 4)
    batch = {"reward": {"image": np.zeros((8, 4)), "text": np.zeros((4, 2))}}
    distribution.check_batch(batch, Four())
    batch["reward"]["text"] = np.zeros((6, 2))
    with pytest.raises(ValueError, match=r"\['text'\].*multiple of 4"):
        distribution.check_batch(batch, Four())


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's")
def test_xla_on_several_devices():
    assert distribution.jit_compile(None, True) is True
    assert distribution.jit_compile(Four(), "auto") is False
    with pytest.raises(ValueError, match="must be False or 'auto'"):
        distribution.jit_compile(Four(), True)
