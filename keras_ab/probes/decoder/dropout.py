"""Dropout that follows from a seed on every backend."""

from typing import Any

import keras
from keras import ops

from keras_ab.typing import Shape
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class SeededDropout(keras.layers.Layer):
    """Dropout whose noise comes from a seed generator of its own.

    On PyTorch, `keras.layers.Dropout` draws from PyTorch's global generator.

    Args:
        rate: Float in [0, 1).
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        inputs: Floats of any shape.
        training: Bool; without it nothing is dropped.

    Returns:
        Floats of the shape of the inputs.
    """

    def __init__(self, rate: float, **kwargs: Any):
        super().__init__(**kwargs)
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"`rate` must lie in [0, 1). Received: {rate}")
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape: Shape) -> None:
        pass

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or not self.rate:
            return inputs
        noise = keras.random.uniform(
            ops.shape(inputs), seed=self.seed_generator
        )
        kept = inputs / (1.0 - self.rate)
        return ops.where(noise >= self.rate, kept, ops.zeros_like(inputs))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
