"""The target network's weights: a lagging average of the online network's."""

from collections.abc import Sequence

from keras import ops

from keras_ab.models.network import Network
from keras_ab.typing import Tensor


def move(
    target: Network,
    online: Network,
    averaged: Sequence[bool],
    rate: Tensor | float,
    updated: Tensor,
) -> None:
    """Moves the target network after an update: `θ̄ ← θ̄ + τ (θ - θ̄)`.

    In float32, in place. Statistics and centres are averages already; the
    target has those of the online network.

    Args:
        target: The network that lags.
        online: The network that is trained, of the same architecture.
        averaged: A bool for each weight, whether it is averaged; the others
            are copied.
        rate: τ, a scalar in [0, 1].
        updated: Bool scalar, whether the optimizer made an update; if not,
            nothing moves.

    Reference:
        Section A.2, "Training".
    """
    rate = ops.where(updated, ops.cast(rate, "float32"), 0.0)
    for source, weight, average in zip(
        online.weights, target.weights, averaged
    ):
        # Outside of any gradient.
        new, old = (ops.stop_gradient(v.value) for v in (source, weight))
        if average:
            weight.assign(old + rate * (new - old))
        else:
            weight.assign(ops.where(updated, new, old))
