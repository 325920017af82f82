"""Gradients of a function of arrays, on whichever backend runs."""

import keras
import numpy as np


def gradient(function, *arrays):
    """Gradients of a scalar function with respect to its arrays.

    Args:
        function: From tensors to a scalar tensor.
        *arrays: Float arrays.

    Returns:
        A list of NumPy arrays, zeros where no gradient arrived.
    """
    arrays = [np.asarray(a, "float32") for a in arrays]
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        grads = jax.grad(function, argnums=tuple(range(len(arrays))))(*arrays)
    elif backend == "tensorflow":
        import tensorflow as tf

        tensors = [tf.constant(a) for a in arrays]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        grads = tape.gradient(value, tensors)
    else:
        import torch

        tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
        value = function(*tensors)
        if value.requires_grad:
            value.backward()
        grads = [t.grad for t in tensors]
    return [
        np.zeros_like(a) if g is None else np.asarray(g)
        for a, g in zip(arrays, grads)
    ]


def numeric_gradient(function, array, epsilon=1e-5):
    """Central differences of a NumPy function, in float64."""
    array = np.asarray(array, "float64")
    result = np.zeros_like(array)
    for index in np.ndindex(*array.shape):
        up, down = array.copy(), array.copy()
        up[index] += epsilon
        down[index] -= epsilon
        result[index] = (function(up) - function(down)) / (2 * epsilon)
    return result


def model_gradients(model, batch, training=True):
    """The loss of a `Pretrainer` and its gradients by variable path."""
    variables = model.trainable_variables
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        frozen = [v.value for v in model.non_trainable_variables]
        metrics = [v.value for v in model.metrics_variables]

        def loss_of(values):
            outputs, _ = model.stateless_call(
                values, frozen, batch, training=training
            )
            loss, _ = model.stateless_compute_loss(
                values,
                frozen,
                metrics,
                x=batch,
                y_pred=outputs,
                training=training,
            )
            return loss

        compiled = jax.jit(jax.value_and_grad(loss_of))
        loss, grads = compiled([v.value for v in variables])
    elif backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            outputs = model(batch, training=training)
            loss = model.compute_loss(batch, None, outputs, training=training)
        grads = tape.gradient(loss, [v.value for v in variables])
    else:
        model.zero_grad()
        outputs = model(batch, training=training)
        loss = model.compute_loss(batch, None, outputs, training=training)
        loss.backward()
        grads = [v.value.grad for v in variables]
    loss = float(keras.ops.convert_to_numpy(loss))
    return loss, {
        v.path: None if g is None else keras.ops.convert_to_numpy(g)
        for v, g in zip(variables, grads)
    }
