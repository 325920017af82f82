"""Classifiers that train side by side, one for each learning rate."""

import abc
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

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
        self._starts = {}

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

    @abc.abstractmethod
    def call(self, inputs: Any, training: bool = False) -> Any:
        """Logits of shape `(B, R, C)`."""

    def penalty(self) -> Any:
        """What is added to each classifier's loss, of shape `(R,)`."""
        return 0.0

    def losses_of(self, logits: Any, numbers: Any) -> Any:
        """The mean cross-entropy of each classifier, of shape `(R,)`."""
        targets = ops.one_hot(numbers, self.num_classes, dtype="float32")
        likely = ops.log_softmax(logits, axis=-1)
        return -ops.mean(ops.sum(likely * targets[:, None], -1), axis=0)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        del x, sample_weight, training
        return ops.sum(self.losses_of(y_pred, y) + self.penalty())

    def learn(
        self,
        features: np.ndarray,
        numbers: np.ndarray,
        rows: np.ndarray,
        epochs: int,
        batch_size: int,
        warmup: float = 0.05,
    ) -> None:
        """Trains all classifiers in one pass over the batches.

        The rate rises linearly and falls by a cosine.

        Args:
            features: Floats of shape `(M, ...)`.
            numbers: Class numbers of shape `(M,)`.
            rows: Ints, the examples to train on.
            epochs: Int.
            batch_size: Int, at most; batches of an epoch differ by one.
            warmup: Float, the share of steps in which the rate rises.
        """
        batches = Batches(
            features, numbers, rows, epochs, batch_size, self.seed
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


class Batches(keras.utils.PyDataset):
    """All the batches of a training, as one long epoch.

    Args:
        features: Of shape `(M, ...)`.
        numbers: Ints of shape `(M,)`.
        rows: Ints, the examples to take.
        epochs: Int, how often each is taken.
        batch_size: Int, at most.
        seed: Int, the seed of the order.
    """

    def __init__(
        self,
        features: np.ndarray,
        numbers: np.ndarray,
        rows: np.ndarray,
        epochs: int,
        batch_size: int,
        seed: int = 0,
    ):
        super().__init__()
        self.features, self.numbers, self.rows = features, numbers, rows
        self.epochs = epochs
        self.seed = seed
        self.per_epoch = -(-len(rows) // batch_size)
        # Of one size, for which one step is compiled.
        self.size = -(-len(rows) // self.per_epoch)
        self._order = (None, None)

    def __len__(self) -> int:
        return self.epochs * self.per_epoch

    def __getitem__(self, index: int) -> Any:
        epoch, place = divmod(index, self.per_epoch)
        if self._order[0] != epoch:
            rng = np.random.default_rng([self.seed, epoch])
            self._order = (epoch, rng.permutation(self.rows))
        order = self._order[1]
        places = np.arange(place * self.size, (place + 1) * self.size)
        # The last batch is filled up from the front.
        rows = order[places % len(order)]
        features = np.asarray(self.features[rows], "float32")
        return features, self.numbers[rows].astype("int32")


def fit_best(
    make: Callable[[Sequence[Any]], ManyRates],
    candidates: Sequence[Any],
    features: np.ndarray,
    numbers: np.ndarray,
    epochs: int,
    batch_size: int,
    seed: int = 0,
) -> tuple[ManyRates, int, list[float]]:
    """Trains all candidates at once, and the best one again on everything.

    The best is that of the highest accuracy on a fifth of the examples, which
    its training did not see; of equal ones, that of the lowest loss.

    Args:
        make: Callable from candidates to a `ManyRates` of them.
        candidates: What to choose from; of one, there is nothing to choose.
        features: Of shape `(M, ...)`.
        numbers: Class numbers of shape `(M,)`.
        epochs: Int.
        batch_size: Int.
        seed: Int, the seed of split and order.

    Returns:
        The trained `ManyRates` of the best candidate alone, its place among
        the candidates, and the accuracies that were compared.
    """
    everything = np.arange(len(numbers))
    best, accuracies = 0, []
    if len(candidates) > 1 and len(numbers) > 1:
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(numbers))
        held, kept = np.split(order, [max(1, len(order) // 5)])
        model = make(candidates)
        model.learn(features, numbers, np.sort(kept), epochs, batch_size)
        held = np.sort(held)
        logits = model.logits(features[held])
        hits = (logits.argmax(-1) == numbers[held][:, None]).mean(0)
        losses = model.losses_of(logits, numbers[held])
        losses = ops.convert_to_numpy(losses)
        best = int(np.lexsort([losses, -hits])[0])
        accuracies = [float(hit) for hit in hits]
    model = make([candidates[best]])
    model.learn(features, numbers, everything, epochs, batch_size)
    return model, best, accuracies
