"""A linear classifier at several learning rates at once."""

import dataclasses
import itertools
from typing import Any
from typing import ClassVar

import numpy as np
from keras import ops

from keras_ab.probes.many_rates import OPTIMIZERS
from keras_ab.probes.many_rates import ManyRates
from keras_ab.probes.many_rates import fit_best
from keras_ab.probes.probe import Fitted
from keras_ab.probes.probe import Probe
from keras_ab.probes.probe import check_examples
from keras_ab.typing import Tensor

FEWEST = 8
"""Batches to an epoch, where batches would else be larger than the least."""

SMALLEST = 32
"""Examples to a batch of many."""


@dataclasses.dataclass(frozen=True)
class LinearProbe(Probe):
    """Logistic regression on standardised features, by gradient descent.

    All learning rates train at once, on the same batches, and each twice: on
    all examples, and without a fifth of them, by which the rate is chosen.

    Args:
        rates: Learning rates to choose from.
        strengths: Inverse strengths of the penalty to choose from, C of
            scikit-learn's logistic regression; infinity for none.
        epochs: Int, passes over the examples.
        min_steps: Int, steps at least: a small set is passed more often.
        batch_size: Int, at most; less where an epoch would have less than 8
            batches, down to 32.
        optimizer: `"adamw"` (without decay: the penalty is in the loss) or
            `"sgd"`.
        seed: Int, the seed of the split and of the order.

    Raises:
        ValueError: If a setting is out of range, or the optimizer unknown.

    Example:

    >>> x, y = np.eye(4).repeat(5, 0), np.arange(4).repeat(5)
    >>> probe = keras_ab.probes.LinearProbe(rates=(0.01, 0.1), min_steps=50)
    >>> probe.fit(x, y).predict(np.eye(4))
    # [0, 1, 2, 3]

    Reference:
        He et al. 2021, Section A.1: an affine-free BatchNorm before a linear
        layer.
    """

    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)
    strengths: tuple[float, ...] = (0.01, 1.0)
    epochs: int = 90
    min_steps: int = 500
    batch_size: int = 1024
    optimizer: str = "adamw"
    seed: int = 0

    name: ClassVar[str] = "linear"
    needs: ClassVar[str] = "pooled"
    takes_views: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_training(self)
        if not self.strengths or min(self.strengths) <= 0:
            raise ValueError(
                f"`strengths` must be positive. Received: {self.strengths}"
            )

    def fit(
        self,
        features: Tensor,
        labels: Tensor,
        encoder: Any = None,
        groups: Tensor | None = None,
    ) -> Any:
        """Fits the probe.

        Args:
            features: What the probe `needs` of the training images.
            labels: Integers of shape `(M,)`.
            encoder: Is not looked at.
            groups: Integers of shape `(M,)`, which of them are crops of one
                image: these are held out together. None where each is an
                image of its own.

        Returns:
            A `Fitted`.

        Raises:
            ValueError: If features and labels do not fit each other, or are
                not finite.
        """
        features, numbers, classes = check_examples(features, labels, rank=2)
        features = np.asarray(features, "float32")
        mean, std = moments(features, axis=0)
        features = (features - mean) / std
        candidates = list(itertools.product(self.rates, self.strengths))
        model, best, accuracies = fit_best(
            lambda chosen: _Linear(self, chosen, features, len(classes)),
            candidates,
            features,
            numbers,
            *length_of(self, len(numbers)),
            self.seed,
            groups,
        )
        rate, strength = candidates[best]
        details = {
            "rate": rate,
            "strength": strength,
            "held_out": accuracies,
        }
        kernel = ops.convert_to_numpy(model.many("kernel"))[0]
        bias = ops.convert_to_numpy(model.many("bias"))[0]
        return _Fitted(classes, details, mean, std, kernel, bias)


class _Linear(ManyRates):
    def __init__(self, probe, candidates, features, num_classes):
        rates, strengths = zip(*candidates)
        super().__init__(rates, num_classes, probe.optimizer, probe.seed)
        self.shares = 1 / (2 * np.asarray(strengths, "float32") * len(features))
        dim = features.shape[1]
        self.add_many("kernel", (dim, num_classes))
        self.add_many("bias", (num_classes,))
        self.built = True

    def call(self, inputs, training=False):
        kernel = self.many("kernel")
        count, dim, classes = kernel.shape
        # One product of matrices for all rates.
        kernel = ops.reshape(ops.transpose(kernel, (1, 0, 2)), (dim, -1))
        logits = ops.reshape(inputs @ kernel, (-1, count, classes))
        return logits + self.many("bias")

    def penalty(self):
        squares = ops.sum(ops.square(self.many("kernel")), (1, 2))
        return squares * ops.convert_to_tensor(self.shares)


class _Fitted(Fitted):
    def __init__(self, classes, details, mean, std, kernel, bias):
        super().__init__(classes, details)
        self.mean, self.std = mean, std
        self.kernel, self.bias = kernel, bias

    def scores(self, features):
        features = (np.asarray(features, "float32") - self.mean) / self.std
        return features @ self.kernel + self.bias


def moments(x: np.ndarray, axis: Any) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation by which features are standardised.

    Args:
        x: Floats.
        axis: The axes of examples.

    Returns:
        Two float32 arrays; a deviation of 0 is given as 1.
    """
    mean = x.mean(axis, dtype="float64").astype("float32")
    std = np.sqrt(np.square(x - mean).mean(axis, dtype="float64"))
    # What rounding leaves of a constant is no deviation.
    std = np.where(std > 1e-6 * np.abs(mean), std, 1.0)
    return mean, std.astype("float32")


def length_of(probe: Any, count: int) -> tuple[int, int]:
    """Epochs and examples to a batch of a probe on a number of examples."""
    size = min(probe.batch_size, max(SMALLEST, count // FEWEST))
    steps = -(-count // size)
    return max(probe.epochs, -(-probe.min_steps // steps)), size


def check_training(probe: Any) -> None:
    """Raises `ValueError` for settings with which nothing can be trained."""
    if not probe.rates or min(probe.rates) <= 0:
        raise ValueError(
            f"`rates` must be positive learning rates. Received: {probe.rates}"
        )
    if min(probe.epochs, probe.batch_size) < 1:
        raise ValueError(
            "`epochs` and `batch_size` must be positive. Received: "
            f"epochs={probe.epochs}, batch_size={probe.batch_size}"
        )
    if probe.optimizer not in OPTIMIZERS:
        raise ValueError(
            f"`optimizer` must be one of {OPTIMIZERS}. Received: "
            f"{probe.optimizer!r}"
        )
