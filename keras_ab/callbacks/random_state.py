"""The random states of a process, as JSON.

Keras' layers draw from seed generators of their own, which are variables of
the model and not the matter here. A layer that draws without a seed uses a
generator that Keras keeps to itself; it cannot be restored.
"""

import random
from typing import Any

import keras
import numpy as np


def capture() -> dict[str, Any]:
    """The states of Python's, NumPy's and PyTorch's generators.

    Returns:
        A dict for JSON; `"torch"` (the CPU's generator) is in it under the
        PyTorch backend.
    """
    numpy_state = np.random.get_state(legacy=False)
    key = numpy_state["state"]["key"].tolist()
    numpy_state["state"] = {**numpy_state["state"], "key": key}
    state = {"python": random.getstate(), "numpy": numpy_state}
    if keras.backend.backend() == "torch":
        import torch

        state["torch"] = torch.get_rng_state().tolist()
    return state


def restore(state: dict[str, Any]) -> None:
    """Sets the generators to what `capture` found.

    Args:
        state: Dict, as `capture` gives it, also after a turn through JSON.
    """
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    np.random.set_state(state["numpy"])
    if "torch" in state and keras.backend.backend() == "torch":
        import torch

        words = torch.tensor(state["torch"], dtype=torch.uint8, device="cpu")
        torch.set_rng_state(words)
