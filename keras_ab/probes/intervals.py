"""Confidence intervals by the bootstrap."""

import numpy as np


def bootstrap_interval(values, level=0.95, samples=2000, seed=0):
    """A percentile bootstrap interval of a mean.

    Args:
        values: Numbers of shape `(B,)`: outcomes of single examples (hits as
            0 and 1), or paired differences of them.
        level: Float, the coverage.
        samples: Int, resamples.
        seed: Int.

    Returns:
        `(low, high)`, floats.

    Example:

    >>> keras_ab.probes.bootstrap_interval(np.array([0, 1] * 50))
    # about (0.40, 0.60)
    """
    values = np.asarray(values, "float64")
    if values.ndim != 1 or not len(values):
        raise ValueError(
            "`values` must be a vector of one number or more. Received: "
            f"shape {values.shape}"
        )
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(values), size=(samples, len(values)))
    low, high = np.quantile(
        values[draws].mean(1), [(1 - level) / 2, (1 + level) / 2]
    )
    return float(low), float(high)
