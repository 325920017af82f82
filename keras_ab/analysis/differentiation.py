"""Gradients of several scalars, on whichever backend runs."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.models.first_batch import as_arrays


class Gradients:
    """Gradients of a function's scalars, outside of any training step.

    Nothing that the function assigns is kept: statistics, random states and
    metrics stay as they are.

    Args:
        function: Callable from `(inputs, *points)` to a list of scalars.
        state: List of all variables that the function reads.
        moved: Those of `state` for which gradients are wanted.
    """

    def __init__(
        self,
        function: Callable[..., list[Any]],
        state: Sequence[keras.Variable],
        moved: Sequence[keras.Variable] = (),
    ):
        self.function = function
        self.moved = list(moved)
        known = {id(v) for v in self.moved}
        # JAX would take what it closes over for constants.
        self.rest = []
        if keras.backend.backend() == "jax":
            self.rest = [v for v in state if id(v) not in known]
        self._compiled: Callable | None = None

    def __call__(
        self, inputs: Any, *points: np.ndarray
    ) -> tuple[list[float], list[list[np.ndarray]]]:
        """Values and gradients.

        Args:
            inputs: What the function takes first, a nest of arrays.
            *points: Float32 arrays for which gradients are wanted too.

        Returns:
            The scalars as floats; and for each of them a list of arrays, the
            gradients for the `moved` variables and then for the points, zeros
            where none arrives.
        """
        places = [v.value for v in self.moved]
        places += [ops.convert_to_tensor(p, "float32") for p in points]
        rest = [v.value for v in self.rest]
        by = {"jax": self._jax, "tensorflow": self._tensorflow}
        run = by.get(keras.backend.backend(), self._torch)
        # tf.data's tensors are nothing to other backends.
        scalars, gradients = run(places, rest, as_arrays(inputs))
        found = [
            [
                np.zeros(tuple(place.shape), "float32")
                if gradient is None
                else np.array(ops.convert_to_numpy(gradient))
                for gradient, place in zip(row, places)
            ]
            for row in gradients
        ]
        return [float(ops.convert_to_numpy(s)) for s in scalars], found

    def _scalars(self, places, rest, inputs):
        count = len(self.moved)
        state = [*zip(self.moved, places), *zip(self.rest, rest)]
        with keras.StatelessScope(state_mapping=state):
            return self.function(inputs, *places[count:])

    def _jax(self, places, rest, inputs):
        import jax

        def run(places, rest, inputs):
            scalars, back = jax.vjp(
                lambda p: self._scalars(p, rest, inputs), places
            )
            unit = np.eye(len(scalars), dtype="float32")
            return scalars, [back(list(row))[0] for row in unit]

        if self._compiled is None:
            self._compiled = jax.jit(run)
        return self._compiled(places, rest, inputs)

    def _tensorflow(self, places, rest, inputs):
        # TensorFlow's tape has no counterpart in Keras.
        import tensorflow as tf

        places = [tf.convert_to_tensor(p) for p in places]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(places)
            scalars = self._scalars(places, rest, inputs)
        rows = [tape.gradient(scalar, places) for scalar in scalars]
        dense = keras.tree.map_structure(
            lambda g: g if g is None else tf.convert_to_tensor(g), rows
        )
        return scalars, dense

    def _torch(self, places, rest, inputs):
        import torch

        places = [p.detach().requires_grad_() for p in places]
        with torch.enable_grad():
            scalars = self._scalars(places, rest, inputs)
        rows = [
            torch.autograd.grad(
                scalar, places, retain_graph=True, allow_unused=True
            )
            if scalar.requires_grad
            else [None] * len(places)
            for scalar in scalars
        ]
        return [s.detach() for s in scalars], rows
