"""Annotation bootstrapping in Keras 3, on JAX, TensorFlow and PyTorch.

Reference:
    Ghosh and Levine, "Visual Pre-Training on Unlabeled Images using
    Reinforcement Learning", arXiv 2506.11967.
"""

__version__ = "0.1.0"

# Light modules that need no more than Keras: importing them registers every
# class, so that `keras.saving.load_model` finds it. What needs TensorFlow,
# scikit-learn or matplotlib imports it where it is used.
from keras_ab import actions
from keras_ab import analysis
from keras_ab import backbones
from keras_ab import callbacks
from keras_ab import compilation
from keras_ab import conversion
from keras_ab import data
from keras_ab import distribution
from keras_ab import doctor
from keras_ab import export
from keras_ab import layers
from keras_ab import losses
from keras_ab import models
from keras_ab import objectives
from keras_ab import ops
from keras_ab import optimizers
from keras_ab import presets
from keras_ab import probes
from keras_ab import schedules

__all__ = [
    "__version__",
    "actions",
    "analysis",
    "backbones",
    "callbacks",
    "compilation",
    "conversion",
    "data",
    "distribution",
    "doctor",
    "export",
    "layers",
    "losses",
    "models",
    "objectives",
    "ops",
    "optimizers",
    "presets",
    "probes",
    "schedules",
]
