"""What shows whether features and targets tell anything from anything.

Functions of NumPy arrays; `keras_ab.callbacks.Monitor` measures with them.
"""

from collections.abc import Sequence

import numpy as np


def feature_spread(features: np.ndarray) -> float:
    """How far apart unit-length features lie.

    Args:
        features: Floats of shape `(B, D)`.

    Returns:
        Float: the mean over D of the standard deviations over B of the
        L2-normalised features, times √D. 0 if all are the same, about 1 if
        they point in all directions alike.
    """
    features = np.asarray(features, "float64")
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.maximum(lengths, 1e-12)
    return float(unit.std(axis=0).mean() * np.sqrt(unit.shape[1]))


def effective_rank(features: np.ndarray) -> float:
    """In how many directions features vary.

    Args:
        features: Floats of shape `(B, D)`.

    Returns:
        Float: the exponential of the entropy of the singular values of the
        centred features, normalised to sum 1; at most min(B - 1, D), and 0
        where nothing varies.

    Reference:
        Roy and Vetterli 2007, "The effective rank".
    """
    features = np.asarray(features, "float64")
    values = np.linalg.svd(features - features.mean(axis=0), compute_uv=False)
    # What float32 features leave over of none.
    if values[0] <= 1e-6 * np.abs(features).max() or not values[0]:
        return 0.0
    return float(np.exp(entropy(values / values.sum())))


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Entropy of distributions, in nats.

    Args:
        probabilities: Floats of shape `(..., L)`, each row summing to 1.

    Returns:
        Floats of shape `(...)`, from 0 to ln L.
    """
    p = np.asarray(probabilities, "float64")
    return -np.sum(p * np.log(np.maximum(p, 1e-30)), axis=-1)


def distance(
    weights: Sequence[np.ndarray], others: Sequence[np.ndarray]
) -> float:
    """How far one list of weights is from another.

    Args:
        weights: List of arrays.
        others: List of arrays of the same shapes.

    Returns:
        Float: the norm of all differences, over the norm of all `weights`.
    """
    difference = sum(np.sum((a - b) ** 2) for a, b in zip(weights, others))
    size = sum(np.sum(a**2) for a in weights)
    return float(np.sqrt(difference / max(size, 1e-30)))
