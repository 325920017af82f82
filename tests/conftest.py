"""One process a backend: KERAS_BACKEND chooses it."""

import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Most of JAX's time goes into compiling the same small steps again.
CACHE = pathlib.Path(__file__).parent.parent / ".pytest_cache/jax"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

# Half of it without XLA's expensive passes, and without emitters that take
# twice as long for a small operation. TensorFlow's XLA takes them too.
FLAGS = (
    "--xla_backend_optimization_level=0",
    "--xla_llvm_disable_expensive_passes=true",
    "--xla_cpu_use_fusion_emitters=false",
)
os.environ.setdefault("XLA_FLAGS", " ".join(FLAGS))
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

if os.environ["KERAS_BACKEND"] == "torch":
    # Before TensorFlow, which comes with tf.data.
    import torch

    # Threads of PyTorch and tf.data spin against each other.
    torch.set_num_threads(1)

import keras
import pytest


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="slow tests too")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow") or "slow" in config.getoption("-m"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]


@pytest.fixture(autouse=True)
def same_start():
    # Whatever ~/.keras/keras.json says, or a test before this one left.
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    keras.config.set_image_data_format("channels_last")
    keras.utils.set_random_seed(0)
