"""The gradient step of one replica out of several, on TensorFlow."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from keras_ab.distribution.replicas import num_replicas
from keras_ab.distribution.replicas import total

THRESHOLDS = ("clipnorm", "clipvalue", "global_clipnorm")


def mirrored_step(model: keras.Model, data: Any) -> None:
    """One gradient step with the gradients of the global batch.

    Keras' own step lets the optimizer clip, and the loss scale look for what
    is not finite, before it adds up the replicas' gradients. Here they are
    added up first. The optimizer adds up once more what it is given, so each
    replica hands over an equal share, and thresholds are shares too.

    Args:
        model: A compiled model whose `compute_loss` is the global loss over
            the number of replicas.
        data: A replica's part of a batch, as `train_step` gets it.
    """
    import tensorflow as tf

    x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
    optimizer, variables = model.optimizer, model.trainable_variables
    with tf.GradientTape() as tape:
        outputs = model(x, training=True)
        loss = model.compute_loss(x, y, outputs, weights, training=True)
        scaled = optimizer.scale_loss(loss)
    gradients = tape.gradient(scaled, [v.value for v in variables])
    known = [i for i, g in enumerate(gradients) if g is not None]
    # Those of embeddings arrive as slices.
    dense = [tf.convert_to_tensor(gradients[i]) for i in known]
    count = num_replicas()
    for i, gradient in zip(known, total(dense)):
        gradients[i] = gradient / count
    with _shared(optimizer, count):
        optimizer.apply(gradients, variables)
    for metric in model.metrics:
        if metric.name == "loss":
            metric.update_state(loss * count, ops.shape(_first(x))[0])


def _first(batch):
    return keras.tree.flatten(batch)[0]


@contextlib.contextmanager
def _shared(optimizer, count) -> Iterator[None]:
    """Gradients are shares of the true ones here, and so are thresholds."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    before = {name: getattr(inner, name, None) for name in THRESHOLDS}
    for name, value in before.items():
        if value is not None:
            setattr(inner, name, value / count)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is not None:
                setattr(inner, name, value)
