"""One process a backend: KERAS_BACKEND chooses it."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

if os.environ["KERAS_BACKEND"] == "torch":
    # Before TensorFlow, which comes with tf.data.
    import torch

    # Threads of PyTorch and tf.data spin against each other.
    torch.set_num_threads(1)

import keras
import pytest


def pytest_collection_modifyitems(config, items):
    if "slow" in config.getoption("-m"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]


@pytest.fixture(autouse=True)
def fixed_seed():
    keras.utils.set_random_seed(0)
