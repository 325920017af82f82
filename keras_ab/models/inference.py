"""Use of a trained model without the cost of gradients."""

import contextlib

import keras


def no_gradients():
    """A context in which PyTorch records no graph; elsewhere it is empty."""
    if keras.backend.backend() == "torch":
        import torch

        return torch.no_grad()
    return contextlib.nullcontext()
