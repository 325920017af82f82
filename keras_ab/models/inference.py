"""Use of a trained model without the cost of gradients."""

import contextlib
from contextlib import AbstractContextManager
from typing import Any

import keras


def no_gradients() -> AbstractContextManager[Any]:
    """A context in which PyTorch records no graph; elsewhere it is empty."""
    if keras.backend.backend() == "torch":
        import torch

        return torch.no_grad()
    return contextlib.nullcontext()
