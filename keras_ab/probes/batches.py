"""Batches of a training, drawn from arrays."""

from typing import Any

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """All the batches of a training, as one long epoch.

    Args:
        features: Of shape `(M, ...)`.
        numbers: Class numbers of shape `(M,)`.
        epochs: Int, how often each example is taken.
        batch_size: Int, at most.
        seed: Int, the seed of the order.
    """

    def __init__(
        self,
        features: np.ndarray,
        numbers: np.ndarray,
        epochs: int,
        batch_size: int,
        seed: int = 0,
    ):
        super().__init__()
        self.features, self.numbers = features, numbers
        self.epochs = epochs
        self.seed = seed
        self.per_epoch = -(-len(numbers) // batch_size)
        # Of one size, for which one step is compiled.
        self.size = -(-len(numbers) // self.per_epoch)
        self._order: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        return self.epochs * self.per_epoch

    def __getitem__(self, index: int) -> Any:
        rows = self.rows(index)
        return self.features_of(rows), self.numbers[rows].astype("int32")

    def rows(self, index: int) -> np.ndarray:
        """The examples of a batch.

        Args:
            index: Int, the batch.

        Returns:
            Ints of shape `(size,)`.
        """
        epoch, place = divmod(index, self.per_epoch)
        if self._order is None or self._order[0] != epoch:
            rng = np.random.default_rng([self.seed, epoch])
            self._order = (epoch, rng.permutation(len(self.numbers)))
        order = self._order[1]
        places = np.arange(place * self.size, (place + 1) * self.size)
        # The last batch is filled up from the front.
        return order[places % len(order)]

    def features_of(self, rows: np.ndarray) -> np.ndarray:
        """Examples as a network takes them, float32 `(size, ...)`."""
        return np.asarray(self.features[rows], "float32")
