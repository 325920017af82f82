"""Exported models compute what Keras does, in runtimes of their own."""

import keras
import numpy as np
import pytest

from keras_ab import export
from keras_ab import models
from tests.models import factory

PROMPTS = ["w1 w2", "w3", "w4 w5"]
ACTIONS = 3


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def images(count=2):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 16, 16, 3)).astype("uint8")


def actions(count=2):
    rng = np.random.default_rng(1)
    return factory.boxes(rng, count, ACTIONS)


def pretrained():
    model = factory.abclip()
    # The target network must not be taken for the online one.
    model.online.set_weights([w + 0.1 for w in model.online.get_weights()])
    return model


def exported(model):
    """Name of each, its model, its inputs, and what it should return."""
    yield (
        "encoder",
        export.encoder(model),
        images(),
        [numpy(model.pool(images())), numpy(model.encode(images()))],
    )
    yield (
        "classifier",
        export.zero_shot(model, PROMPTS),
        images(),
        [numpy(model.reward(images(), PROMPTS))],
    )
    yield (
        "value",
        export.value_function(model, PROMPTS, ACTIONS),
        {"images": images(), "actions": actions()},
        [numpy(model.value(images(), actions(), PROMPTS))],
    )


def flat(outputs):
    return [numpy(x) for x in keras.tree.flatten(outputs)]


def check_close(found, expected):
    """The same arrays, in whatever order a runtime has them."""
    assert len(found) == len(expected)
    for value in expected:
        (same,) = [x for x in found if x.shape == value.shape]
        np.testing.assert_allclose(same, value, atol=1e-4)


def test_they_compute_what_the_model_does():
    model = pretrained()
    for _, made, inputs, expected in exported(model):
        check_close(flat(made(inputs)), expected)
    online = export.encoder(model, "online")(images())["pooled"]
    np.testing.assert_allclose(
        numpy(online), numpy(model.pool(images(), "online")), atol=1e-5
    )
    made = export.zero_shot(model, PROMPTS)
    check_close(
        flat(made.predict(images(5), verbose=0)),
        [numpy(model.reward(images(5), PROMPTS))],
    )


def test_what_has_no_value_function():
    model = models.SimCLR(factory.image_encoder(), hidden_dims=(8,))
    with pytest.raises(ValueError, match="Received: SimCLR"):
        export.value_function(model, None, 2)


@pytest.mark.slow
def test_saved_model(tmp_path):
    import tensorflow as tf

    if keras.backend.backend() == "torch":
        pytest.skip("Keras exports SavedModels from JAX and TensorFlow")
    for name, made, inputs, expected in exported(pretrained()):
        made.export(tmp_path / name, format="tf_saved_model", verbose=False)
        # Held, or its variables are gone before they are used.
        loaded = tf.saved_model.load(str(tmp_path / name))
        served = tf.nest.flatten(loaded.serve(inputs))
        check_close([x.numpy() for x in served], expected)


@pytest.mark.slow
def test_onnx(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    if keras.backend.backend() == "torch":
        pytest.skip("PyTorch's exporter does not take Keras' layer norm")
    writers = {"jax": "jax2onnx", "tensorflow": "tf2onnx"}
    pytest.importorskip(writers[keras.backend.backend()])
    for name, made, inputs, expected in exported(pretrained()):
        path = tmp_path / f"{name}.onnx"
        made.export(path, format="onnx", verbose=False)
        session = runtime.InferenceSession(str(path))
        check_close(
            session.run(None, fed(session.get_inputs(), inputs)), expected
        )


@pytest.mark.slow
def test_litert(tmp_path):
    runtime = pytest.importorskip("ai_edge_litert.interpreter")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("Keras exports LiteRT from TensorFlow")
    for name, made, inputs, expected in exported(pretrained()):
        path = tmp_path / f"{name}.tflite"
        made.export(path, format="litert", verbose=False)
        interpreter = runtime.Interpreter(model_path=str(path))
        asked = interpreter.get_input_details()
        for detail, value in zip(asked, ordered(asked, inputs)):
            interpreter.resize_tensor_input(detail["index"], value.shape)
        interpreter.allocate_tensors()
        for detail, value in zip(asked, ordered(asked, inputs)):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        found = [
            interpreter.get_tensor(detail["index"])
            for detail in interpreter.get_output_details()
        ]
        check_close(found, expected)


def ordered(details, inputs):
    """Inputs in a runtime's order, told by their dtypes."""
    values = keras.tree.flatten(inputs)
    return [
        next(v for v in values if v.dtype == detail["dtype"])
        for detail in details
    ]


def fed(asked, inputs):
    values = keras.tree.flatten(inputs)
    kinds = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}
    return {
        one.name: next(v for v in values if v.dtype == kinds[one.type])
        for one in asked
    }
