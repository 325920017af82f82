"""What every layer of the package promises, as functions for the tests."""

import inspect

import keras
import numpy as np

from tests.gradients import gradient


def check_config(layer):
    """The config is complete, and makes an equal layer."""
    config = layer.get_config()
    parameters = inspect.signature(type(layer).__init__).parameters
    named = {
        name
        for name, parameter in parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    assert named - {"self"} <= set(config), named - set(config)
    again = type(layer).from_config(config)
    assert again.get_config() == config
    registered = keras.saving.get_registered_name(type(layer))
    assert registered.startswith("keras_ab>")
    serialized = keras.saving.serialize_keras_object(layer)
    copied = keras.saving.deserialize_keras_object(serialized)
    assert copied.get_config() == config


def check_build(layer, shapes, arrays):
    """build() makes all variables, of different paths and trained dtypes."""
    layer.build(*shapes)
    paths = [v.path for v in layer.variables]
    assert len(set(paths)) == len(paths)
    layer(*arrays)
    assert [v.path for v in layer.variables] == paths


def check_paths(make, shapes):
    """Paths nest under whoever builds, and are the same every time."""

    class Parent(keras.layers.Layer):
        def __init__(self):
            super().__init__(name="parent")
            self.child = make(name="child")

        def build(self, input_shape=None):
            self.child.build(*shapes)

    paths = []
    for _ in range(2):
        parent = Parent()
        parent.build()
        paths.append([v.path for v in parent.variables])
        assert all(p.startswith("parent/child/") for p in paths[-1])
        assert len(set(paths[-1])) == len(paths[-1])
    assert paths[0] == paths[1]


def check_dtype(make, shapes, arrays):
    """A mixed policy reaches every sublayer; weights stay float32."""
    layer = make(dtype="mixed_bfloat16")
    layer.build(*shapes)
    full = make(dtype="float32")
    full.build(*shapes)
    full.set_weights(layer.get_weights())
    outputs = layer(*arrays)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(keras.ops.cast(outputs, "float32")),
        keras.ops.convert_to_numpy(full(*arrays)),
        atol=0.1,
    )
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    for sublayer in layer._flatten_layers():
        assert sublayer.compute_dtype == "bfloat16", sublayer.name
    assert {v.dtype for v in layer.weights} <= {"float32"}


def check_gradients(layer, shapes, arrays):
    """Gradients with respect to float inputs are finite and arrive."""
    layer.build(*shapes)
    floats = [a for a in arrays if np.asarray(a).dtype.kind == "f"]
    if not floats:
        return

    def loss(*values):
        values = iter(values)
        inputs = [
            next(values) if np.asarray(a).dtype.kind == "f" else a
            for a in arrays
        ]
        return keras.ops.sum(keras.ops.square(layer(*inputs)))

    for grad in gradient(loss, *floats):
        assert np.isfinite(grad).all()
        assert grad.any()


def weight_gradients(layer, arrays):
    """Gradients of a random sum of the outputs, one a trainable variable."""
    rng = np.random.default_rng(1)
    shape = layer(*arrays).shape
    direction = rng.normal(size=tuple(shape)).astype("float32")
    variables = layer.trainable_variables
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        frozen = [v.value for v in layer.non_trainable_variables]

        def loss(values):
            outputs, _ = layer.stateless_call(values, frozen, *arrays)
            return keras.ops.sum(outputs * direction)

        return jax.grad(loss)([v.value for v in variables])
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = keras.ops.sum(layer(*arrays) * direction)
        # Those of embeddings arrive as slices.
        return [
            g if g is None else tf.convert_to_tensor(g)
            for g in tape.gradient(loss, [v.value for v in variables])
        ]
    tensors = [keras.ops.convert_to_tensor(a) for a in arrays]
    keras.ops.sum(
        layer(*tensors) * keras.ops.convert_to_tensor(direction)
    ).backward()
    return [v.value.grad for v in variables]


def check_weight_gradients(layer, shapes, arrays):
    """Every trainable variable gets a finite gradient, not all zero."""
    layer.build(*shapes)
    if not layer.trainable_variables:
        return
    grads = weight_gradients(layer, arrays)
    for variable, grad in zip(layer.trainable_variables, grads):
        assert grad is not None, variable.path
        grad = keras.ops.convert_to_numpy(grad)
        assert np.isfinite(grad).all(), variable.path
        assert grad.any(), variable.path


def check_saved(layer, arrays, path):
    """A functional model of it saves, loads, and takes any batch size."""
    inputs = [keras.Input(a.shape[1:], dtype=str(a.dtype)) for a in arrays]
    outputs = layer(*inputs)
    model = keras.Model(inputs, outputs)
    assert outputs.shape[0] is None
    model.save(path)
    again = keras.saving.load_model(path)
    expected = keras.ops.convert_to_numpy(model(list(arrays)))
    assert expected.shape[1:] == tuple(outputs.shape[1:])
    assert [v.path for v in again.variables] == [
        v.path for v in model.variables
    ]
    larger = [np.concatenate([a, a[:1]]) for a in arrays]
    result = keras.ops.convert_to_numpy(again(larger))
    np.testing.assert_allclose(result[:-1], expected, atol=1e-5)
    np.testing.assert_allclose(result[-1], expected[0], atol=1e-5)


def check_deterministic(layer, arrays):
    """Outside training, the same input gives the same output."""
    first = keras.ops.convert_to_numpy(layer(*arrays, training=False))
    again = keras.ops.convert_to_numpy(layer(*arrays, training=False))
    np.testing.assert_array_equal(first, again)


def check_clone(layer, shapes, arrays):
    """A copy with the same weights gives the same outputs."""
    layer.build(*shapes)
    again = type(layer).from_config(layer.get_config())
    again.build(*shapes)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(layer(*arrays)),
        keras.ops.convert_to_numpy(again(*arrays)),
    )
