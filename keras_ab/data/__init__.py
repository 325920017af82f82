"""Sources of images and annotations, and the crop pipeline (tf.data).

TensorFlow is imported where a pipeline is built, not here.
"""

import importlib

_EXPORTS = {
    "MemorySource": "memory",
    "Scenes": "scenes",
    "Source": "source",
    "Subset": "source",
    "WordTokenizer": "tokenizers",
    "bootstrap_batches": "batches",
    "from_folder": "folder",
    "reward_batches": "batches",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name):
    if name in _EXPORTS:
        module = importlib.import_module(f"keras_ab.data.{_EXPORTS[name]}")
        return getattr(module, name)
    raise AttributeError(f"module 'keras_ab.data' has no attribute {name!r}")


def __dir__():
    return __all__
