"""Weighted nearest neighbours."""

import dataclasses
from typing import Any
from typing import ClassVar

import numpy as np

from keras_ab.probes.probe import Fitted
from keras_ab.probes.probe import Probe
from keras_ab.probes.probe import check_examples
from keras_ab.typing import Tensor

# Cosines that are held at a time.
LIMIT = 2**24


@dataclasses.dataclass(frozen=True)
class KNN(Probe):
    """Weighted nearest neighbours: see `knn_predict`.

    Args:
        k: Int, neighbours.
        temperature: Positive float, T.

    Raises:
        ValueError: If `k` or `temperature` is not positive; from `fit`, if
            there are fewer than `k` examples, or features and labels do not
            fit each other or are not finite.

    Example:

    >>> probe = keras_ab.probes.KNN(k=1)
    >>> probe.fit(np.eye(4), np.arange(4)).predict(np.eye(4))
    # [0, 1, 2, 3]

    Reference:
        DINO's evaluation (Caron et al. 2021): k = 20, T = 0.07.
    """

    k: int = 20
    temperature: float = 0.07

    name: ClassVar[str] = "knn"
    needs: ClassVar[str] = "pooled"

    def __post_init__(self) -> None:
        if self.k < 1 or not self.temperature > 0:
            raise ValueError(
                "`k` and `temperature` must be positive. Received: "
                f"k={self.k}, temperature={self.temperature}"
            )

    def fit(self, features: Tensor, labels: Tensor, encoder: Any = None) -> Any:
        features, numbers, classes = check_examples(features, labels, rank=2)
        if self.k > len(features):
            raise ValueError(
                f"`k` must lie in [1, {len(features)}]. Received: {self.k}"
            )
        return _Neighbours(self, unit_rows(features), numbers, classes)


class _Neighbours(Fitted):
    def __init__(self, probe, features, numbers, classes):
        super().__init__(classes)
        self.probe, self.features, self.numbers = probe, features, numbers

    def scores(self, features):
        features = unit_rows(features)
        votes = np.zeros((len(features), len(self.classes)))
        step = max(1, LIMIT // len(self.features))
        for start in range(0, len(features), step):
            cosines = features[start : start + step] @ self.features.T
            nearest = _largest(cosines, self.probe.k)
            weights = np.take_along_axis(cosines, nearest, 1)
            weights = np.exp(weights / self.probe.temperature)
            rows = start + np.arange(len(cosines))[:, None]
            np.add.at(votes, (rows, self.numbers[nearest]), weights)
        return votes


def knn_predict(
    train_features: Tensor,
    train_labels: Tensor,
    features: Tensor,
    k: int = 20,
    temperature: float = 0.07,
) -> np.ndarray:
    """Classifies by the nearest training examples.

    Each of the k nearest by cosine votes with weight `exp(cosine / T)`. Of
    neighbours that are equally near the earlier ones count, of classes with
    equal votes the smaller one.

    Args:
        train_features: Floats of shape `(M, D)`.
        train_labels: Ints of shape `(M,)`.
        features: Floats of shape `(B, D)`.
        k: Int, neighbours; at most M.
        temperature: Positive float, T.

    Returns:
        Ints of shape `(B,)`.

    Raises:
        ValueError: As from `KNN`.

    Example:

    >>> x, y = np.eye(4), np.arange(4)
    >>> keras_ab.probes.knn_predict(x, y, x, k=1)
    # [0, 1, 2, 3]

    Reference:
        DINO's evaluation (Caron et al. 2021): k = 20, T = 0.07.
    """
    probe = KNN(k, temperature)
    return probe.fit(train_features, train_labels).predict(features)


def _largest(values, k):
    """Places of the k largest of each row, the first of equal ones."""
    places = np.argpartition(-values, k - 1, axis=1)[:, :k]
    least = np.take_along_axis(values, places, 1).min(1, keepdims=True)
    tied = (values >= least).sum(1) > k
    if tied.any():
        order = np.argsort(-values[tied], axis=1, kind="stable")
        places[tied] = order[:, :k]
    return places


def unit_rows(x: np.ndarray) -> np.ndarray:
    """Rows of unit length, float64."""
    x = np.asarray(x, "float64")
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
