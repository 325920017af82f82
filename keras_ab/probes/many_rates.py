"""Classifiers that train side by side, one for each learning rate."""

import abc
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.probes.batches import Batches

OPTIMIZERS = ("adamw", "sgd")


class ManyRates(keras.Model, abc.ABC):
    """R classifiers of the same inputs, each with a learning rate of its own.

    They share nothing but the batches: each is what it would be alone. A
    weight is its start plus a factor times a variable that the optimizer
    moves at a rate of 1. With Adam, whose steps do not depend on the scale of
    gradients, the factor is the classifier's rate, and with SGD its root.

    Args:
        rates: R positive floats.
        num_classes: Int, C.
        optimizer: `"adamw"` or `"sgd"` (with momentum 0.9).
        seed: Int, the seed of what does not start at zero.
    """

    def __init__(
        self,
        rates: Sequence[float],
        num_classes: int,
        optimizer: str = "adamw",
        seed: int = 0,
    ):
        super().__init__(dtype="float32", name="probe")
        self.rates = np.asarray(rates, "float32")
        self.num_classes = num_classes
        self.kind_of_optimizer = optimizer
        self.seed = seed
        self._starts: dict[str, Any] = {}

    def add_many(
        self, name: str, shape: Sequence[int], start: Any = "zeros"
    ) -> None:
        """Adds a weight, once for each rate.

        Args:
            name: String.
            shape: Of one classifier's.
            start: `"zeros"`, `"ones"`, or `"xavier"` for uniform values by
                fans of the last two axes, the same for all.
        """
        self._starts[name] = (tuple(shape), start)
        variable = self.add_weight(
            shape=(len(self.rates), *shape), initializer="zeros", name=name
        )
        setattr(self, f"{name}_moves", variable)

    def many(self, name: str) -> Any:
        """The weight of a name, of shape `(R, ...)`."""
        shape, start = self._starts[name]
        factors = self.rates
        if self.kind_of_optimizer == "sgd":
            factors = np.sqrt(factors)
        factors = factors.reshape(-1, *([1] * len(shape)))
        moves = ops.convert_to_tensor(getattr(self, f"{name}_moves"))
        moved = ops.convert_to_tensor(factors) * moves
        return moved + ops.convert_to_tensor(self._start(name, shape, start))

    def _start(self, name, shape, start):
        if start != "xavier":
            return np.full(shape, float(start == "ones"), "float32")
        names = sorted(self._starts)
        rng = np.random.default_rng([self.seed, names.index(name)])
        bound = np.sqrt(6 / (shape[-2] + shape[-1]))
        return rng.uniform(-bound, bound, shape).astype("float32")

    def take(self, other: "ManyRates", place: int) -> None:
        """Takes the weights of one classifier of another model.

        Args:
            other: A `ManyRates` of the same kind and seed.
            place: Int, which of its classifiers.
        """
        for own, theirs in zip(self.weights, other.weights):
            own.assign(theirs[place : place + 1])

    @abc.abstractmethod
    def call(self, inputs: Any, training: bool = False) -> Any:
        """Logits of shape `(B, R, C)`."""

    def penalty(self) -> Any:
        """What is added to each classifier's loss, of shape `(R,)`."""
        return 0.0

    def losses_of(self, logits: Any, numbers: Any, shown: Any = None) -> Any:
        """The mean cross-entropy of each classifier.

        Args:
            logits: Floats of shape `(B, R, C)`.
            numbers: Class numbers of shape `(B,)`.
            shown: Floats of shape `(B, R)`, 1 for the examples that a
                classifier is to see and 0 for the others; None for all.

        Returns:
            Floats of shape `(R,)`.
        """
        numbers = ops.cast(ops.expand_dims(numbers, 1), "int32")
        numbers = ops.broadcast_to(numbers, ops.shape(logits)[:2])
        losses = ops.sparse_categorical_crossentropy(
            numbers, logits, from_logits=True
        )
        if shown is None:
            return ops.mean(losses, axis=0)
        count = ops.maximum(ops.sum(shown, axis=0), 1.0)
        return ops.sum(losses * shown, axis=0) / count

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        del x, sample_weight, training
        losses = self.losses_of(y_pred, y["numbers"], y["shown"])
        return ops.sum(losses + self.penalty())

    def learn(
        self,
        features: np.ndarray,
        numbers: np.ndarray,
        epochs: int,
        batch_size: int,
        warmup: float = 0.05,
        held: np.ndarray | Sequence[int] = (),
        without: np.ndarray | Sequence[bool] | None = None,
    ) -> None:
        """Trains all classifiers in one pass over the batches.

        The rate rises linearly and falls by a cosine.

        Args:
            features: Floats of shape `(M, ...)`.
            numbers: Class numbers of shape `(M,)`.
            epochs: Int.
            batch_size: Int, at most; batches of an epoch differ by one.
            warmup: Float, the share of steps in which the rate rises.
            held: Ints, examples that some classifiers are not to see.
            without: Bools of shape `(R,)`, which these are; None for none.
        """
        if without is None:
            without = np.zeros(len(self.rates))
        shown = np.ones((len(numbers), 1), "float32")
        shown[held] = 0
        shown = np.maximum(shown, 1 - np.asarray(without, "float32"))
        batches = _Shown(
            shown, features, numbers, epochs, batch_size, self.seed
        )
        first = round(warmup * len(batches))
        rate = keras.optimizers.schedules.CosineDecay(
            0.0,
            max(1, len(batches) - first),
            warmup_target=1.0,
            warmup_steps=first,
        )
        if not first:
            rate = keras.optimizers.schedules.CosineDecay(1.0, len(batches))
        if self.kind_of_optimizer == "sgd":
            optimizer = keras.optimizers.SGD(rate, momentum=0.9)
        else:
            # Gradients are smaller by the rate, and epsilon must be too.
            optimizer = keras.optimizers.Adam(rate, epsilon=1e-12)
        # XLA would compile for longer than most probes take.
        jit = keras.backend.backend() == "jax"
        self.compile(optimizer, jit_compile=jit)
        self.fit(batches, epochs=1, shuffle=False, verbose=0)

    def logits(self, features: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Logits of features, float32 `(B, R, C)`."""
        parts = []
        for start in range(0, len(features), batch_size):
            part = np.asarray(features[start : start + batch_size], "float32")
            count = len(part)
            if count < batch_size:
                # Another shape would be compiled anew.
                blank = [(0, batch_size - count)] + [(0, 0)] * (part.ndim - 1)
                part = np.pad(part, blank)
            parts.append(np.asarray(self.predict_on_batch(part))[:count])
        return np.concatenate(parts)


class _Shown(Batches):
    """Batches that say which classifier sees which example."""

    def __init__(self, shown, *args):
        super().__init__(*args)
        self.shown = shown

    def __getitem__(self, index):
        rows = self.rows(index)
        return self.features_of(rows), {
            "numbers": self.numbers[rows].astype("int32"),
            "shown": self.shown[rows],
        }


def fit_best(
    make: Callable[[Sequence[Any]], ManyRates],
    candidates: Sequence[Any],
    features: np.ndarray,
    numbers: np.ndarray,
    epochs: int,
    batch_size: int,
    seed: int = 0,
    groups: np.ndarray | None = None,
) -> tuple[ManyRates, int, list[float]]:
    """Trains all candidates at once, and finds the best.

    Each candidate is trained twice in the same pass: on all examples, and as
    if a fifth of them were not there. The best is that whose second self has
    the highest accuracy on this fifth; of equal ones, the lowest loss. What
    is returned is its first self, which saw everything.

    Args:
        make: Callable from candidates to a `ManyRates` of them.
        candidates: What to choose from; of one, there is nothing to choose.
        features: Of shape `(M, ...)`.
        numbers: Class numbers of shape `(M,)`.
        epochs: Int.
        batch_size: Int.
        seed: Int, the seed of split and order.
        groups: Ints of shape `(M,)`, which examples are held out together;
            None where each stands for itself.

    Returns:
        The trained `ManyRates` of the best candidate alone, its place among
        the candidates, and the accuracies that were compared.
    """
    candidates, count = list(candidates), len(candidates)
    if count == 1 or len(numbers) == 1:
        model = make(candidates[:1])
        model.learn(features, numbers, epochs, batch_size)
        return model, 0, []
    if groups is None:
        groups = np.arange(len(numbers))
    order = np.random.default_rng(seed).permutation(np.unique(groups))
    held = np.flatnonzero(np.isin(groups, order[: max(1, len(order) // 5)]))
    models = make(2 * candidates)
    without = np.arange(2 * count) >= count
    models.learn(
        features, numbers, epochs, batch_size, held=held, without=without
    )
    logits = models.logits(features[held])[:, count:]
    hits = (logits.argmax(-1) == numbers[held][:, None]).mean(0)
    losses = ops.convert_to_numpy(models.losses_of(logits, numbers[held]))
    best = int(np.lexsort([losses, -hits])[0])
    model = make([candidates[best]])
    model.take(models, best)
    return model, best, [float(hit) for hit in hits]
