"""Annotation bootstrapping in Keras 3, on JAX, TensorFlow and PyTorch.

Reference:
    Ghosh and Levine, "Visual Pre-Training on Unlabeled Images using
    Reinforcement Learning", arXiv 2506.11967.
"""

import importlib

__version__ = "0.1.0"

_ROOMS = (
    "actions",
    "analysis",
    "backbones",
    "data",
    "layers",
    "losses",
    "models",
    "objectives",
    "ops",
    "optimizers",
    "probes",
    "schedules",
)

__all__ = ["__version__", *_ROOMS]


def __getattr__(name):
    # Rooms are imported where they are used, so that importing the package
    # costs nothing beyond Keras, and registers nothing that is not needed.
    if name in _ROOMS:
        return importlib.import_module(f"keras_ab.{name}")
    raise AttributeError(f"module 'keras_ab' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
