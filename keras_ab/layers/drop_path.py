"""Stochastic depth."""

from typing import Any

import keras
from keras import ops

from keras_ab.typing import Shape
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class DropPath(keras.layers.Layer):
    """Drops a residual branch for whole examples.

    Args:
        rate: Float in [0, 1), the probability of a drop. What remains is
            scaled by `1 / (1 - rate)`.
        seed: Int seed, or None.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        x: Floats of shape `(B, ...)`.
        training: Bool; False passes `x` on.

    Returns:
        Floats of the same shape.

    Example:

    >>> layer = keras_ab.layers.DropPath(0.5, seed=0)
    >>> layer(np.ones((4, 2)), training=True)
    # rows of zeros and rows of twos

    Reference:
        Huang et al. 2016.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"`rate` must lie in [0, 1). Received: {rate}")
        self.rate = rate
        self.seed = seed

    def build(self, input_shape: Shape) -> None:
        # Here and not in the constructor, so that its path nests.
        if self.rate > 0:
            self.seed_generator = keras.random.SeedGenerator(
                self.seed, name="seed_generator"
            )

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0.0:
            return x
        shape = (ops.shape(x)[0],) + (1,) * (len(x.shape) - 1)
        draw = keras.random.uniform(shape, seed=self.seed_generator)
        keep = ops.cast(draw >= self.rate, x.dtype)
        return x * keep / (1.0 - self.rate)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
