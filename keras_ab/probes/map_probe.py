"""Attention pooling and a classifier, at several learning rates at once."""

import dataclasses
from typing import Any
from typing import ClassVar

import numpy as np
from keras import ops

from keras_ab.probes.linear_probe import check_training
from keras_ab.probes.linear_probe import length_of
from keras_ab.probes.many_rates import ManyRates
from keras_ab.probes.many_rates import fit_best
from keras_ab.probes.probe import Fitted
from keras_ab.probes.probe import Probe
from keras_ab.probes.probe import check_examples
from keras_ab.typing import Tensor

EPSILON = 1e-6
# Examples whose moments are taken at a time: tokens may be on disk.
CHUNK = 256


@dataclasses.dataclass(frozen=True)
class MAPProbe(Probe):
    """Multi-head attention pooling over tokens, and a classifier.

    One learned query attends to all tokens, which are standardised channel by
    channel; then a residual MLP and a linear layer. All learning rates train
    at once, each on all examples and without a fifth of them, by which the
    rate is chosen.

    Args:
        rates: Learning rates to choose from.
        num_heads: Int, attention heads; where they do not divide the size of
            a token, the largest smaller number that does.
        epochs: Int, passes over the examples.
        min_steps: Int, steps at least.
        batch_size: Int, at most; less where an epoch would have less than 8
            batches, down to 32.
        optimizer: `"adamw"` (without decay) or `"sgd"`.
        seed: Int, the seed of the start, the split and the order.

    Raises:
        ValueError: If a setting is out of range, or the optimizer unknown.

    Example:

    >>> tokens, labels = np.eye(4).repeat(5, 0)[:, None], np.arange(20) // 5
    >>> probe = keras_ab.probes.MAPProbe(rates=(0.01,), min_steps=50)
    >>> probe.fit(tokens, labels).predict(tokens).shape
    # (20,)

    Reference:
        Zhai et al. 2021, "Scaling Vision Transformers": the MAP head.
    """

    rates: tuple[float, ...] = (1e-4, 3e-4, 1e-3, 3e-3)
    num_heads: int = 6
    epochs: int = 20
    min_steps: int = 500
    batch_size: int = 256
    optimizer: str = "adamw"
    seed: int = 0

    name: ClassVar[str] = "map"
    needs: ClassVar[str] = "tokens"
    takes_views: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_training(self)
        if self.num_heads < 1:
            raise ValueError(
                f"`num_heads` must be positive. Received: {self.num_heads}"
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
            ValueError: If these are no tokens `(M, T, D)`, or labels do not
                fit them.
        """
        features, numbers, classes = _check(features, labels)
        mean, std = _token_moments(features)
        dim = features.shape[-1]
        heads = max(h for h in range(1, self.num_heads + 1) if dim % h == 0)
        model, best, accuracies = fit_best(
            lambda rates: _MAP(self, rates, heads, mean, std, len(classes)),
            self.rates,
            features,
            numbers,
            *length_of(self, len(numbers)),
            self.seed,
            groups,
        )
        details = {
            "rate": self.rates[best],
            "num_heads": heads,
            "held_out": accuracies,
        }
        return _Fitted(classes, details, model)


class _MAP(ManyRates):
    """The head, R times, on the same tokens.

    The one query of a head is taken through the keys' projection to the
    tokens, and the values' projection comes after the average, so that no
    projection of all tokens is made, let alone R of them.
    """

    def __init__(self, probe, rates, heads, mean, std, num_classes):
        super().__init__(rates, num_classes, probe.optimizer, probe.seed)
        dim = len(mean)
        self.heads = heads
        self.mean, self.std = mean, std
        self.add_many("query", (1, dim), "xavier")
        for name in ("key", "value", "output"):
            self.add_many(f"{name}_kernel", (dim, dim), "xavier")
        # A bias of keys would not change the softmax.
        for name in ("query", "value", "output"):
            self.add_many(f"{name}_bias", (dim,))
        self.add_many("query_kernel", (dim, dim), "xavier")
        self.add_many("norm_scale", (dim,), "ones")
        self.add_many("norm_bias", (dim,))
        self.add_many("inner_kernel", (dim, 4 * dim), "xavier")
        self.add_many("inner_bias", (4 * dim,))
        self.add_many("outer_kernel", (4 * dim, dim), "xavier")
        self.add_many("outer_bias", (dim,))
        self.add_many("class_kernel", (dim, num_classes))
        self.add_many("class_bias", (num_classes,))
        self.built = True

    def call(self, inputs, training=False):
        mean, std = map(ops.convert_to_tensor, (self.mean, self.std))
        tokens = (inputs - mean) / std
        x = self._attend(tokens)
        return self._dense(x + self._mlp(self._norm(x)), "class")

    def _attend(self, tokens):
        """One vector for each example and rate, `(B, R, D)`."""
        count, heads, dim = len(self.rates), self.heads, tokens.shape[-1]
        query = self.many("query") @ self.many("query_kernel")
        query = query[:, 0] + self.many("query_bias")
        query = ops.reshape(query, (count, heads, dim // heads))
        key = self._by_head("key_kernel")
        query = ops.einsum("rdhk,rhk->drh", key, query) / (dim / heads) ** 0.5
        query = ops.reshape(query, (dim, count * heads))
        weights = ops.softmax(tokens @ query, axis=1)
        average = ops.transpose(weights, (0, 2, 1)) @ tokens
        average = ops.reshape(average, (-1, count, heads, dim))
        value = self._by_head("value_kernel")
        x = ops.einsum("brhd,rdhk->brhk", average, value)
        x = ops.reshape(x, (-1, count, dim)) + self.many("value_bias")
        return self._dense(x, "output")

    def _by_head(self, name):
        kernel = self.many(name)
        count, dim, _ = kernel.shape
        return ops.reshape(kernel, (count, dim, self.heads, dim // self.heads))

    def _dense(self, x, name):
        kernel = self.many(f"{name}_kernel")
        x = ops.einsum("brd,rdk->brk", x, kernel)
        return x + self.many(f"{name}_bias")

    def _norm(self, x):
        mean = ops.mean(x, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(x - mean), axis=-1, keepdims=True)
        x = (x - mean) * ops.rsqrt(variance + EPSILON)
        return x * self.many("norm_scale") + self.many("norm_bias")

    def _mlp(self, x):
        x = ops.gelu(self._dense(x, "inner"), approximate=True)
        return self._dense(x, "outer")


class _Fitted(Fitted):
    def __init__(self, classes, details, model):
        super().__init__(classes, details)
        self.model = model

    def scores(self, features):
        return self.model.logits(features)[:, 0]


def _check(features, labels):
    # Tokens that lie on disk stay there.
    shape = np.shape(features)
    if len(shape) != 3:
        raise ValueError(
            "MAP needs tokens of shape (M, T, D). Received: shape "
            f"{tuple(shape)}"
        )
    features = np.asanyarray(features)
    _, numbers, classes = check_examples(features[:, 0], labels, rank=2)
    return features, numbers, classes


def _token_moments(features):
    """Mean and deviation of each channel over all tokens."""
    count = 0
    total: Any = 0.0
    squares: Any = 0.0
    starts = range(0, len(features), CHUNK)
    for start in starts:
        part = np.asarray(features[start : start + CHUNK], "float64")
        count += part.shape[0] * part.shape[1]
        total = total + part.sum((0, 1))
    mean = total / count
    for start in starts:
        part = np.asarray(features[start : start + CHUNK], "float64")
        squares = squares + np.square(part - mean).sum((0, 1))
    std = np.sqrt(squares / count)
    std = np.where(std > 1e-6 * np.abs(mean), std, 1.0)
    return mean.astype("float32"), std.astype("float32")
