"""SLIP's projector as plain NumPy, in float64."""

import numpy as np


def projector(x, weights, statistics=None, epsilon=1e-5):
    """Two or more dense layers, batch-normalised but for the last.

    Args:
        x: Floats of shape `(B, D)`.
        weights: Dict of arrays by the ends of their paths.
        statistics: None for those of the batch; `"moving"` for the moving
            averages among the weights.

    Returns:
        Floats `(B, K)`, and the batch's mean and variance at each layer.
    """
    x, seen, index = np.asarray(x, "float64"), [], 0
    while f"hidden_{index}/kernel" in weights:
        x = x @ weights[f"hidden_{index}/kernel"]
        mean, variance = x.mean(0), x.var(0)
        seen.append((mean, variance))
        if statistics == "moving":
            mean = weights[f"norm_{index}/moving_mean"]
            variance = weights[f"norm_{index}/moving_variance"]
        x = (x - mean) / np.sqrt(variance + epsilon)
        x = x * weights[f"norm_{index}/gamma"] + weights[f"norm_{index}/beta"]
        x = np.maximum(x, 0)
        index += 1
    return x @ weights["projection/kernel"] + weights["projection/bias"], seen
