"""Few-shot classification by ridge regression."""

import dataclasses
from collections.abc import Sequence
from typing import Any
from typing import ClassVar

import numpy as np

from keras_ab.probes.probe import Fitted
from keras_ab.probes.probe import Probe
from keras_ab.probes.probe import check_examples
from keras_ab.typing import Tensor


@dataclasses.dataclass(frozen=True)
class Ridge(Probe):
    """Ridge regression to ±1 for each class, from a few examples of each.

    Features are standardised by the examples, and one more, a large constant,
    is the bias, which the penalty hardly touches.

    Args:
        shots: Int, examples drawn of each class, all of a class that has
            fewer; None for all examples.
        l2: Positive float, the penalty.
        bias: Float, the constant feature.
        seed: Int, the seed of the draw.

    Raises:
        ValueError: If `shots` or `l2` is not positive; from `fit`, if features
            and labels do not fit each other or are not finite.

    Example:

    >>> x, y = np.eye(4).repeat(5, 0), np.arange(4).repeat(5)
    >>> keras_ab.probes.Ridge(shots=2).fit(x, y).predict(np.eye(4))
    # [0, 1, 2, 3]

    Reference:
        big_vision's few-shot evaluation: penalty 2^10, bias 100, three seeds.
    """

    shots: int | None = 10
    l2: float = 1024.0
    bias: float = 100.0
    seed: int = 0

    name: ClassVar[str] = "ridge"
    needs: ClassVar[str] = "pooled"

    def __post_init__(self) -> None:
        if (self.shots is not None and self.shots < 1) or not self.l2 > 0:
            raise ValueError(
                "`shots` must be None or positive, and `l2` positive. "
                f"Received: shots={self.shots}, l2={self.l2}"
            )

    def fit(self, features: Tensor, labels: Tensor, encoder: Any = None) -> Any:
        features, numbers, classes = check_examples(features, labels, rank=2)
        kept = self._draw(numbers, len(classes))
        features = np.asarray(features[kept], "float64")
        mean, std = features.mean(0), features.std(0) + 1e-5
        x = _with_bias((features - mean) / std, self.bias)
        y = 2.0 * np.eye(len(classes))[numbers[kept]] - 1.0
        count, dim = x.shape
        # Whichever system is smaller; the solutions are the same.
        if count >= dim:
            weights = np.linalg.solve(x.T @ x + self.l2 * np.eye(dim), x.T @ y)
        else:
            gram = x @ x.T + self.l2 * np.eye(count)
            weights = x.T @ np.linalg.solve(gram, y)
        return _Regression(self, classes, mean, std, weights, count)

    def _draw(self, numbers, count):
        if self.shots is None:
            return np.arange(len(numbers))
        rng = np.random.default_rng(self.seed)
        return np.concatenate(
            [
                rng.permutation(np.flatnonzero(numbers == c))[: self.shots]
                for c in range(count)
            ]
        )


class _Regression(Fitted):
    def __init__(self, probe, classes, mean, std, weights, examples):
        super().__init__(classes, {"examples": examples})
        self.probe = probe
        self.mean, self.std, self.weights = mean, std, weights

    def scores(self, features):
        x = (np.asarray(features, "float64") - self.mean) / self.std
        return _with_bias(x, self.probe.bias) @ self.weights


def few_shot_hits(
    train_features: Tensor,
    train_labels: Tensor,
    features: Tensor,
    labels: Tensor,
    shots: Sequence[int] = (1, 5, 10, 25),
    seeds: int = 3,
    l2: float = 1024.0,
) -> dict[int, np.ndarray]:
    """Hits of `Ridge` from several numbers of examples and draws of them.

    Args:
        train_features: Floats of shape `(M, D)`.
        train_labels: Integers of shape `(M,)`.
        features: Floats of shape `(B, D)`.
        labels: Integers of shape `(B,)`.
        shots: Examples of each class.
        seeds: Int, draws.
        l2: Positive float, the penalty.

    Returns:
        Dict from the numbers of examples to bools `(seeds, B)`; their mean is
        the accuracy.

    Raises:
        ValueError: As from `Ridge`.

    Example:

    >>> x, y = np.eye(4).repeat(5, 0), np.arange(4).repeat(5)
    >>> keras_ab.probes.few_shot_hits(x, y, x, y, shots=(1,))[1].mean()
    # 1.0
    """
    labels = np.asarray(labels)
    return {
        count: np.stack(
            [
                Ridge(count, l2, seed=seed)
                .fit(train_features, train_labels)
                .predict(features)
                == labels
                for seed in range(seeds)
            ]
        )
        for count in shots
    }


def _with_bias(x, bias):
    return np.concatenate([x, np.full((len(x), 1), bias)], axis=1)
