"""Heads on top of an encoder: projections, scales and biases."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_ab.layers.dense import Dense
from keras_ab.typing import Shape
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class ProjectionHead(keras.layers.Layer):
    """A stack of dense layers into an embedding space.

    Args:
        projection_dim: Int, size of the result.
        hidden_dims: Sizes of hidden layers, each followed by an optional
            batch normalisation and a ReLU. Empty for a linear head.
        batch_norm: Bool, whether hidden layers are batch-normalised, over
            the batch of all devices.
        use_bias: Bool, whether the last layer has a bias.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        features: Floats of shape `(..., D)`.
        training: Bool.

    Returns:
        Floats of shape `(..., projection_dim)`.

    Example:

    >>> keras_ab.layers.ProjectionHead(16)(np.zeros((2, 8))).shape
    # (2, 16)

    Reference:
        With `hidden_dims=(4096, 4096)` and `batch_norm=True`: the projector
        of SLIP (Mu et al. 2021), and nearly SimCLR's.
    """

    def __init__(
        self,
        projection_dim: int,
        hidden_dims: Sequence[int] = (),
        batch_norm: bool = False,
        use_bias: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.projection_dim = projection_dim
        self.hidden_dims = tuple(hidden_dims)
        self.batch_norm = batch_norm
        self.use_bias = use_bias
        policy = self.dtype_policy
        self.hidden_layers, self.norms = [], []
        for index, units in enumerate(self.hidden_dims):
            self.hidden_layers.append(
                Dense(
                    units,
                    use_bias=not batch_norm,
                    dtype=policy,
                    name=f"hidden_{index}",
                )
            )
            if batch_norm:
                self.norms.append(
                    keras.layers.BatchNormalization(
                        # PyTorch's (in SLIP) and SimCLR's; not Keras'.
                        momentum=0.9,
                        epsilon=1e-5,
                        # A choice on TensorFlow alone: elsewhere an array is
                        # the global batch, or there is one device.
                        synchronized=keras.backend.backend() == "tensorflow",
                        dtype=policy,
                        name=f"norm_{index}",
                    )
                )
        self.projection = Dense(
            projection_dim, use_bias=use_bias, dtype=policy, name="projection"
        )

    def build(self, input_shape: Shape) -> None:
        shape = tuple(input_shape)
        for index, layer in enumerate(self.hidden_layers):
            layer.build(shape)
            shape = (*shape[:-1], self.hidden_dims[index])
            if self.batch_norm:
                self.norms[index].build(shape)
        self.projection.build(shape)

    def call(self, features: Tensor, training: bool = False) -> Tensor:
        x = features
        for index, layer in enumerate(self.hidden_layers):
            x = layer(x)
            if self.batch_norm:
                x = self.norms[index](x, training=training)
            x = ops.relu(x)
        return self.projection(x)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.projection_dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "projection_dim": self.projection_dim,
            "hidden_dims": self.hidden_dims,
            "batch_norm": self.batch_norm,
            "use_bias": self.use_bias,
        }


class LogScaleRange(keras.constraints.Constraint):
    """Keeps the logarithm of a scale in [0, ln maximum] after each update.

    Clipping in the forward pass alone would leave a value beyond the range
    without gradient, and so there for good.

    Args:
        maximum: Float above 1.
    """

    def __init__(self, maximum: float):
        self.maximum = maximum

    def __call__(self, w: Tensor) -> Tensor:
        return ops.clip(w, 0.0, math.log(self.maximum))

    def get_config(self) -> dict[str, Any]:
        return {"maximum": self.maximum}


@keras.saving.register_keras_serializable(package="keras_ab")
class SimilarityScale(keras.layers.Layer):
    """A learned factor on cosines: an inverse temperature.

    The logarithm is learnt, in float32 whatever the dtype policy.

    Args:
        initial: Positive float, the factor at the start.
        maximum: Float above 1, or None. With it the logarithm is clipped to
            [0, ln maximum], as in CLIP, in use and after each update.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        cosines: Float32 of any shape.

    Returns:
        Float32 of the same shape, the cosines times the factor.

    Example:

    >>> keras_ab.layers.SimilarityScale(10.0)(np.array([0.5]))
    # [5.0]

    Reference:
        `t` in equations 3 and 4.
    """

    def __init__(
        self, initial: float, maximum: float | None = None, **kwargs: Any
    ):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if not initial > 0:
            raise ValueError(f"`initial` must be positive. Received: {initial}")
        if maximum is not None and not 1 <= initial <= maximum:
            raise ValueError(
                "With a `maximum`, `initial` must lie in [1, maximum]. "
                f"Received: initial={initial}, maximum={maximum}"
            )
        self.initial = initial
        self.maximum = maximum

    def build(self, input_shape: Shape | None = None) -> None:
        self.log_scale = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(math.log(self.initial)),
            constraint=self.maximum and LogScaleRange(self.maximum),
            autocast=False,
            name="log_scale",
        )

    def value(self) -> Tensor:
        """The factor itself.

        Returns:
            Float32 scalar.
        """
        log_scale = ops.convert_to_tensor(self.log_scale)
        if self.maximum is not None:
            log_scale = ops.clip(log_scale, 0.0, math.log(self.maximum))
        return ops.exp(log_scale)

    def call(self, cosines: Tensor) -> Tensor:
        return self.value() * cosines

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "initial": self.initial,
            "maximum": self.maximum,
        }


@keras.saving.register_keras_serializable(package="keras_ab")
class LearnedBias(keras.layers.Layer):
    """A learned scalar, in float32 whatever the dtype policy.

    Args:
        initial: Float, the value at the start.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        logits: Float32 of any shape.

    Returns:
        Float32 of the same shape, the logits plus the scalar.

    Example:

    >>> keras_ab.layers.LearnedBias(-10.0)(np.array([0.5]))
    # [-9.5]

    Reference:
        `b` in equation 4.
    """

    def __init__(self, initial: float = 0.0, **kwargs: Any):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.initial = initial

    def build(self, input_shape: Shape | None = None) -> None:
        self.bias = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(self.initial),
            autocast=False,
            name="bias",
        )

    def assign(self, value: float) -> None:
        """Sets the scalar.

        Args:
            value: Float.
        """
        self.bias.assign(value)

    def value(self) -> Tensor:
        """The scalar itself.

        Returns:
            Float32 scalar.
        """
        return ops.convert_to_tensor(self.bias)

    def call(self, logits: Tensor) -> Tensor:
        return logits + self.value()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initial": self.initial}
