"""Numbers as discrete tokens."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.typing import Shape
from keras_ab.typing import Tensor

SPACINGS = ("uniform", "tanh")


@keras.saving.register_keras_serializable(package="keras_ab")
class BinTokens(keras.layers.Layer):
    """Embeds each of a few coordinates as the token of its bin.

    One table of bins serves all coordinates; an embedding of its slot says
    which coordinate a token is. Binning is float32 whatever the dtype policy.
    Both are learnt. The table starts as sines and cosines of the bins'
    centres, so that bins that lie close start alike, and both start large
    enough to survive the decoder's first residual additions.

    Args:
        num_bins: Int, bins over the range; values outside clip to its ends.
        minimum: Float, lower end of the range.
        maximum: Float, upper end of the range.
        hidden_dim: Int, size of a token.
        spacing: `"uniform"` bins, or `"tanh"` for bins that are finer
            towards the middle of the range.
        num_slots: Int, coordinates to an action.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        coordinates: Float32 of shape `(..., num_slots)`.

    Returns:
        Floats of shape `(..., num_slots, hidden_dim)`.

    Example:

    >>> layer = keras_ab.layers.BinTokens(hidden_dim=8)
    >>> layer(np.array([[[0.0, 0.0, 1.0, 1.0]]], "float32")).shape
    # (1, 1, 4, 8)

    Reference:
        Section A.2: "a sequence of four discretized tokens".
    """

    def __init__(
        self,
        num_bins: int = 512,
        minimum: float = -4.2,
        maximum: float = 5.2,
        hidden_dim: int = 384,
        spacing: str = "uniform",
        num_slots: int = 4,
        **kwargs: Any,
    ):
        # Coordinates in bfloat16 would fall into other bins.
        super().__init__(**{**kwargs, "autocast": False})
        if spacing not in SPACINGS:
            raise ValueError(
                f"`spacing` must be one of {SPACINGS}. Received: {spacing!r}"
            )
        if num_bins < 2 or not minimum < maximum:
            raise ValueError(
                "`num_bins` must be at least 2 and `minimum` below `maximum`. "
                f"Received: num_bins={num_bins}, minimum={minimum}, "
                f"maximum={maximum}"
            )
        self.num_bins = num_bins
        self.minimum, self.maximum = minimum, maximum
        self.hidden_dim = hidden_dim
        self.spacing = spacing
        self.num_slots = num_slots

    def build(self, input_shape: Shape | None = None) -> None:
        self.bin_embeddings = self.add_weight(
            shape=(self.num_bins, self.hidden_dim),
            initializer=self._waves,
            name="bin_embeddings",
        )
        self.slot_embeddings = self.add_weight(
            shape=(self.num_slots, self.hidden_dim),
            initializer=keras.initializers.RandomNormal(stddev=0.5),
            name="slot_embeddings",
        )

    def _waves(self, shape, dtype=None):
        """Sines and cosines of the bins' centres, `(num_bins, hidden_dim)`."""
        bins, dim = shape
        span = self.maximum - self.minimum
        periods = np.geomspace(2 * span, 4 * span / bins, -(-dim // 2))
        angles = 2 * np.pi * self.centres()[:, None] / periods
        table = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
        return ops.convert_to_tensor(table[:, :dim], dtype)

    def centres(self) -> np.ndarray:
        """The coordinate in the middle of each bin.

        Returns:
            A NumPy float64 array of shape `(num_bins,)`.
        """
        share = (np.arange(self.num_bins) + 0.5) / self.num_bins
        if self.spacing == "tanh":
            x = np.arctanh((2 * share - 1) * math.tanh(1.2))
            share = (x + 1.2) / 2.4
        return self.minimum + (self.maximum - self.minimum) * share

    def bins(self, coordinates: Tensor) -> Tensor:
        """The bin of each coordinate.

        Args:
            coordinates: Floats of any shape; read as float32.

        Returns:
            int32 of the same shape, in [0, num_bins).
        """
        x = ops.cast(ops.convert_to_tensor(coordinates), "float32")
        x = x - self.minimum
        # Factors, because compilers turn divisions into inexact ones.
        span = self.maximum - self.minimum
        if self.spacing == "tanh":
            # Slope at the middle is about three times that at the ends.
            x = ops.tanh(x * (2.4 / span) - 1.2) * (0.5 / math.tanh(1.2))
            x = (x + 0.5) * self.num_bins
        else:
            x = x * (self.num_bins / span)
        # Clipped as floats: what int32 cannot hold would wrap around.
        x = ops.clip(ops.floor(x), 0, self.num_bins - 1)
        return ops.cast(x, "int32")

    def call(self, coordinates: Tensor) -> Tensor:
        bins = self.bins(coordinates)
        table = ops.cast(self.bin_embeddings, self.compute_dtype)
        slots = ops.cast(self.slot_embeddings, self.compute_dtype)
        return ops.take(table, bins, axis=0) + slots

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.hidden_dim)

    def compute_output_spec(self, coordinates: Tensor) -> keras.KerasTensor:
        shape = self.compute_output_shape(np.shape(coordinates))
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "hidden_dim": self.hidden_dim,
            "spacing": self.spacing,
            "num_slots": self.num_slots,
        }
