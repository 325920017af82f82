"""A layer as a compiled function of images that changes nothing."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.backbones.outputs import check_outputs
from keras_ab.models.inference import no_gradients
from keras_ab.ops import scale_images


class _Step(keras.layers.Layer):
    """A function of tensors that reads a module and writes nothing to it."""

    def __init__(self, module, function, name):
        super().__init__(autocast=False, dtype="float32", name=name)
        self.module = module
        self.function = function
        self.built = True

    def call(self, inputs):
        # What a layer assigns, though it is told that this is no training,
        # stays in this scope and is dropped.
        held = [(v, v.value) for v in self.module.variables]
        with keras.StatelessScope(state_mapping=held):
            return self.function(inputs)


def compiled(
    module: keras.layers.Layer,
    encode: Callable[[Any], Any],
    finish: Callable[[Any], Any],
    shape: tuple[int, int, int],
    dtype: str,
) -> Callable[[np.ndarray], np.ndarray]:
    """A function of NumPy images, compiled once for each number of them.

    Args:
        module: The layer that holds all weights, which are read anew at each
            call.
        encode: Callable from floats `(B, h, w, 3)` to tokens or a map.
        finish: Callable from what `encode` returns to a tensor.
        shape: `(h, w, 3)`.
        dtype: Of the images: `"uint8"`, which becomes [-1, 1], or
            `"float32"`, which stays.

    Returns:
        Callable from `(B, h, w, 3)` to an array.

    Raises:
        ValueError: If what `encode` returns is neither tokens nor a map.
    """
    if not module.built:
        with no_gradients():
            encode(ops.zeros((1, *shape)))
    inputs = keras.Input(shape, dtype=dtype)
    outputs = _Step(module, lambda x: encode(scale_images(x)), "encode")(inputs)
    if isinstance(outputs, (list, tuple)):
        # An encoder's tokens with what it pools them to.
        check_outputs(outputs[0])
    else:
        check_outputs(outputs)
    outputs = _Step(module, finish, "finish")(outputs)
    model = keras.Model(inputs, outputs, name="frozen")
    backend = keras.backend.backend()
    if backend == "jax":
        return _on_jax(model)
    if backend == "torch":
        return _on_torch(model)
    # XLA would compile for longer than most sets take.
    model.jit_compile = False
    return model.predict_on_batch


def _on_jax(model):
    # Not Keras' predict, which donates the weights' buffers: others, such as
    # a training step, may hold them.
    import jax

    @jax.jit
    def run(trainable, others, images):
        outputs, _ = model.stateless_call(
            trainable, others, images, training=False
        )
        return outputs

    def call(images):
        trainable = [v.value for v in model.trainable_variables]
        others = [v.value for v in model.non_trainable_variables]
        return np.asarray(run(trainable, others, images))

    return call


def _on_torch(model):
    # Not Keras' predict, which switches PyTorch modules to evaluation.
    def call(images):
        with no_gradients():
            return ops.convert_to_numpy(model(images, training=False))

    return call
