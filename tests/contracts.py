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


def check_dtype(make, shapes, arrays):
    """A mixed policy reaches every sublayer; weights stay float32."""
    layer = make(dtype="mixed_bfloat16")
    layer.build(*shapes)
    outputs = layer(*arrays)
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
