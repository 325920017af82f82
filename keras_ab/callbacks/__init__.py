"""Callbacks: a run that is cut off goes on as if it had not been."""

from keras_ab.callbacks.checkpoint import Checkpoint

__all__ = ["Checkpoint"]
