"""Weighted nearest neighbours."""

import numpy as np


def knn_predict(train_features, train_labels, features, k=20, temperature=0.07):
    """Classifies by the nearest training examples.

    Each of the k nearest by cosine votes with weight `exp(cosine / T)`.

    Args:
        train_features: Floats of shape `(M, D)`.
        train_labels: Ints of shape `(M,)`, from 0.
        features: Floats of shape `(B, D)`.
        k: Int, neighbours; at most M.
        temperature: Positive float, T.

    Returns:
        Ints of shape `(B,)`.

    Example:

    >>> x, y = np.eye(4), np.arange(4)
    >>> keras_ab.probes.knn_predict(x, y, x, k=1)
    # [0, 1, 2, 3]

    Reference:
        DINO's evaluation (Caron et al. 2021): k = 20, T = 0.07.
    """
    train_features, features = _unit(train_features), _unit(features)
    train_labels = np.asarray(train_labels)
    if len(train_features) != len(train_labels):
        raise ValueError(
            "`train_features` and `train_labels` must have the same length. "
            f"Received: {len(train_features)} and {len(train_labels)}"
        )
    if not 1 <= k <= len(train_features):
        raise ValueError(
            f"`k` must lie in [1, {len(train_features)}]. Received: {k}"
        )
    count = train_labels.max() + 1
    predictions = []
    for start in range(0, len(features), 1024):
        cosines = features[start : start + 1024] @ train_features.T
        nearest = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        weights = np.exp(np.take_along_axis(cosines, nearest, 1) / temperature)
        votes = np.zeros((len(cosines), count))
        rows = np.arange(len(cosines))[:, None]
        np.add.at(votes, (rows, train_labels[nearest]), weights)
        predictions.append(votes.argmax(1))
    return np.concatenate(predictions)


def _unit(x):
    x = np.asarray(x, "float64")
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
