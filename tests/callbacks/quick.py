"""The quickest model there is to train and to save, and data for it."""

import keras
import numpy as np

BACKEND = keras.backend.backend()


class Adding(keras.Model):
    """One dense layer, and metrics that nothing updates."""

    # What `SkipLimit` looks at.
    skipped_in_a_row = 0

    def __init__(self, size=2, measures=0, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.measures = [keras.metrics.Mean() for _ in range(measures)]
        self.dense = keras.layers.Dense(size, name="dense")
        self.build((None, 3))

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, x):
        return self.dense(x)


def adding(size=2, optimizer="sgd", measures=0):
    model = Adding(size, measures)
    model.compile(optimizer, loss="mse", run_eagerly=BACKEND != "jax")
    model.optimizer.build(model.trainable_variables)
    return model


class Pairs(keras.utils.PyDataset):
    """Inputs and outputs, functions of the step."""

    def __init__(self, start, stop, size=2):
        super().__init__()
        self.start, self.stop, self.size = start, stop, size

    def __len__(self):
        return self.stop - self.start

    def __getitem__(self, index):
        rng = np.random.default_rng(self.start + index)
        return rng.normal(size=(2, 3)), rng.normal(size=(2, self.size))


def fit(model, checkpoint, steps, extra=(), **kwargs):
    """Fits under a checkpoint callback."""
    model.fit(
        Pairs(checkpoint.step, checkpoint.step + steps, model.size),
        shuffle=False,
        verbose=0,
        callbacks=[checkpoint, *extra],
        **kwargs,
    )
