"""Smaller learning rates for earlier layers."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.optimizers import AdamW
from keras_ab.typing import Tensor

# Of an encoder in which no row of blocks is found.
GROUPS = 12


class ScaledAdamW(AdamW):
    """AdamW in which each variable has a share of the learning rate.

    Steps and decay are both proportional to the rate, so a variable goes its
    share of the way of its step.

    Args:
        learning_rate: A float, or a schedule.
        weight_decay: Float.
        shares: Floats, one for each variable that it is built with.
        **kwargs: As in `keras_ab.optimizers.AdamW`.
    """

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float,
        shares: Sequence[float],
        **kwargs: Any,
    ):
        super().__init__(learning_rate, weight_decay, **kwargs)
        self.shares = list(shares)

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if len(variables) != len(self.shares):
            raise ValueError(
                "There must be a share for each variable. Received: "
                f"{len(self.shares)} for {len(variables)}"
            )
        pairs = list(zip(variables, self.shares))
        # In a function, or Keras would count them among its own variables.
        self._pairs = lambda: pairs
        super().build(variables)

    def apply(
        self,
        grads: Sequence[Tensor],
        trainable_variables: Sequence[keras.Variable] | None = None,
    ) -> None:
        if not self.built:
            self.build(list(trainable_variables or ()))
        before = [
            ops.copy(ops.stop_gradient(v.value)) for v, _ in self._pairs()
        ]
        super().apply(grads, trainable_variables)
        for (variable, share), start in zip(self._pairs(), before):
            if share != 1.0:
                end = ops.stop_gradient(variable.value)
                variable.assign(start + share * (end - start))


def layer_shares(module: keras.layers.Layer, decay: float) -> list[float]:
    """The share of the learning rate of each trainable weight of an encoder.

    With L blocks, the i-th has `decay ** (L - i + 1)`, what comes before the
    blocks `decay ** (L + 1)`, and what comes after them 1, counted from 1.
    Blocks are the longest row of layers of one class in it. Where there is
    none, as in most convolutional networks, its weights in their order make
    twelve groups.

    Args:
        module: A Keras layer.
        decay: Float in (0, 1].

    Returns:
        List of floats, in the order of `module.trainable_variables`.

    Example:

    >>> vit = keras_ab.backbones.ViT.from_size("test", image_shape=(32, 32, 3))
    >>> vit.build()
    >>> from keras_ab.probes.layer_decay import layer_shares
    >>> min(layer_shares(vit, 0.5)) == 0.5 ** (vit.num_layers + 1)
    # True

    Reference:
        Clark et al. 2020 (ELECTRA); Bao et al. 2021 (BEiT).
    """
    variables = module.trainable_variables
    blocks = _longest_row(module)
    if not blocks:
        groups = np.arange(len(variables)) * GROUPS // max(1, len(variables))
        return [float(decay ** (GROUPS - group)) for group in groups]
    depth_of = {
        id(v): depth
        for depth, block in enumerate(blocks, start=1)
        for v in block.trainable_variables
    }
    shares, depth = [], 0
    for variable in variables:
        if id(variable) in depth_of:
            depth = depth_of[id(variable)]
        elif depth:
            depth = len(blocks) + 1
        shares.append(float(decay ** (len(blocks) + 1 - depth)))
    return shares


def _longest_row(module):
    """The longest list of layers of one class, anywhere in a layer."""
    best: list[keras.layers.Layer] = []
    seen, waiting = set(), [module]
    while waiting:
        layer = waiting.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        held = [*vars(layer).values(), getattr(layer, "layers", [])]
        for value in held:
            if isinstance(value, keras.layers.Layer):
                waiting.append(value)
            elif isinstance(value, (list, tuple)):
                row = [v for v in value if isinstance(v, keras.layers.Layer)]
                waiting.extend(row)
                alike = len(row) == len(value) and len(set(map(type, row))) == 1
                if alike and len(row) > max(1, len(best)):
                    best = row
    return best
