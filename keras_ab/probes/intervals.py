"""Confidence intervals by the bootstrap."""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

CHUNK = 2**24
"""Numbers that are drawn at once."""


def bootstrap_interval(
    values: np.ndarray | Sequence[float],
    level: float = 0.95,
    samples: int = 2000,
    seed: int = 0,
    groups: np.ndarray | Sequence[int] | None = None,
) -> tuple[float, float]:
    """A percentile bootstrap interval of a mean.

    Args:
        values: Numbers of shape `(B,)`: outcomes of single examples (hits as
            0 and 1), or paired differences of them.
        level: Float, the coverage.
        samples: Int, resamples.
        seed: Int.
        groups: Ints of shape `(B,)`, which examples belong together, such as
            the boxes of one image: whole groups are drawn. None where each
            example stands for itself.

    Returns:
        `(low, high)`, floats.

    Raises:
        ValueError: If `values` is no vector of one number or more, or
            `groups` has another shape.

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
    if groups is None:
        totals, sizes = values, None
    else:
        totals, sizes = _grouped(values, groups)
    rng = np.random.default_rng(seed)
    means, rows = [], max(1, CHUNK // len(totals))
    for start in range(0, samples, rows):
        shape = (min(rows, samples - start), len(totals))
        draws = rng.integers(len(totals), size=shape)
        if sizes is None:
            means.append(totals[draws].mean(1))
        else:
            means.append(totals[draws].sum(1) / sizes[draws].sum(1))
    return percentiles(np.concatenate(means), level)


def bootstrap_statistic(
    count: int,
    statistic: Callable[[np.ndarray], float],
    samples: int = 200,
    seed: int = 0,
) -> np.ndarray:
    """A statistic of resampled examples, for metrics that are no mean.

    Two models that are measured on the same examples with the same seed are
    resampled alike, so that the differences of what this returns for them
    are a paired bootstrap.

    Args:
        count: Int, number of examples, which are drawn with replacement.
        statistic: Callable from indices of examples, ints of shape
            `(count,)`, some of them several times, to a number.
        samples: Int, resamples.
        seed: Int.

    Returns:
        Float64 of shape `(samples,)`; `keras_ab.probes.percentiles` makes an
        interval of them.

    Raises:
        ValueError: If `count` is not positive.

    Example:

    >>> x = np.arange(100.0)
    >>> medians = keras_ab.probes.bootstrap_statistic(
    ...     100, lambda drawn: np.median(x[drawn])
    ... )
    >>> keras_ab.probes.percentiles(medians)
    # about (37, 62)
    """
    if count < 1:
        raise ValueError(f"`count` must be positive. Received: {count}")
    rng = np.random.default_rng(seed)
    return np.array(
        [statistic(rng.integers(count, size=count)) for _ in range(samples)],
        "float64",
    )


def percentiles(
    samples: np.ndarray | Sequence[float], level: float = 0.95
) -> tuple[float, float]:
    """The middle part of resampled statistics.

    Args:
        samples: Numbers of shape `(S,)`. What is no number (a metric that a
            resample leaves undefined) does not count.
        level: Float, the share between low and high.

    Returns:
        `(low, high)`, floats.

    Raises:
        ValueError: If there is no finite number among them.
    """
    edges = [(1 - level) / 2, (1 + level) / 2]
    samples = np.asarray(samples, "float64")
    samples = samples[np.isfinite(samples)]
    if not len(samples):
        raise ValueError("`samples` must hold a number. Received: none")
    low, high = np.quantile(samples, edges)
    return float(low), float(high)


def _grouped(values, groups):
    """Total and size of each group."""
    groups = np.asarray(groups)
    if groups.shape != values.shape:
        raise ValueError(
            "`groups` must name a group for each of `values`. Received: "
            f"shapes {groups.shape} and {values.shape}"
        )
    _, members = np.unique(groups, return_inverse=True)
    return np.bincount(members, values), np.bincount(members)
