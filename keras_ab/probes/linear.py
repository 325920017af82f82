"""A linear classifier on frozen features."""

from collections.abc import Sequence

import numpy as np

from keras_ab.typing import Tensor

STRENGTHS = (0.001, 0.01, 0.1, 1.0)


def linear_predict(
    train_features: Tensor,
    train_labels: Tensor,
    features: Tensor,
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
) -> np.ndarray:
    """Classifies by multinomial logistic regression (scikit-learn).

    Features are standardised by the training set; the regularisation is
    chosen on a fifth of it and the classifier refitted on all of it.

    Args:
        train_features: Floats of shape `(M, D)`.
        train_labels: Ints of shape `(M,)`.
        features: Floats of shape `(B, D)`.
        strengths: Inverse strengths of the L2 penalty to choose from.
        seed: Int, the seed of the split.

    Returns:
        Labels of shape `(B,)`.

    Raises:
        ValueError: If there is not a label for each training example.

    Example:

    >>> x, y = np.eye(10).repeat(5, 0), np.arange(10).repeat(5)
    >>> keras_ab.probes.linear_predict(x, y, np.eye(10))
    # [0, 1, ..., 9]
    """
    # Imported here: scikit-learn comes with the extra `probes`.
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def fit(strength, x, y):
        classifier = LogisticRegression(C=strength, max_iter=500)
        return make_pipeline(StandardScaler(), classifier).fit(x, y)

    train_features = np.asarray(train_features)
    train_labels = np.asarray(train_labels)
    if len(train_features) != len(train_labels):
        raise ValueError(
            "`train_features` and `train_labels` must have the same length. "
            f"Received: {len(train_features)} and {len(train_labels)}"
        )
    best = strengths[0]
    if len(strengths) > 1:
        order = np.random.default_rng(seed).permutation(len(train_labels))
        held, kept = np.split(order, [max(1, len(order) // 5)])
        scores = [
            fit(s, train_features[kept], train_labels[kept]).score(
                train_features[held], train_labels[held]
            )
            for s in strengths
        ]
        best = strengths[int(np.argmax(scores))]
    return fit(best, train_features, train_labels).predict(features)
