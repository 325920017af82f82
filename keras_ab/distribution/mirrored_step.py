"""The gradient step of one replica out of several, on TensorFlow."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from keras_ab.distribution.replicas import num_replicas
from keras_ab.distribution.replicas import total

THRESHOLDS = ("clipnorm", "clipvalue", "global_clipnorm")
# Optimizers whose thresholds are shares now: what they were, and for how many
# replicas.
_WITHIN: dict[int, list[Any]] = {}


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
    """Gradients are shares of the true ones here, and so are thresholds.

    Replicas are threads with one optimizer among them, each of which waits in
    here for the others: the first to come sets, the last to go restores.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if id(inner) not in _WITHIN:
        before = {name: getattr(inner, name, None) for name in THRESHOLDS}
        before = {k: v for k, v in before.items() if v is not None}
        _WITHIN[id(inner)] = [before, 0]
        for name, value in before.items():
            setattr(inner, name, value / count)
    within = _WITHIN[id(inner)]
    within[1] += 1
    try:
        yield
    finally:
        within[1] -= 1
        if within[1] == 0:
            del _WITHIN[id(inner)]
            for name, value in within[0].items():
                setattr(inner, name, value)
