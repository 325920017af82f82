"""One look at a model, compiled as its training is."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.models import Pretrainer
from keras_ab.objectives import BellmanValue
from keras_ab.objectives import Reward


class Reading(keras.Model):
    """What networks make of a few images, without touching their state.

    A model of its own, so that Keras compiles it on every backend.

    Args:
        watched: The `keras_ab.models.Pretrainer`.
        num_annotations: Dict from the names of rewards to the number of
            annotations of a training batch.
    """

    def __init__(self, watched: Pretrainer, num_annotations: dict[str, int]):
        super().__init__(name="reading", autocast=False)
        self.networks = [watched.online]
        if watched.target is not None:
            self.networks.append(watched.target)
        self.run_eagerly = watched.run_eagerly
        # XLA would compile longer than all the readings of a run take.
        self.jit_compile = keras.backend.backend() == "jax"
        self.num_annotations = dict(num_annotations)
        self.built = True
        self._compiled: Callable | None = None

    def look(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """What `call` returns, as NumPy arrays.

        Args:
            inputs: A dict of `"images"`, `(B, H, W, 3)`, and `"batch"`.

        Returns:
            A nested dict of NumPy arrays.
        """
        if keras.backend.backend() != "jax":
            return self.predict_on_batch(inputs)
        # Keras' own would donate the weights' buffers to the computation, and
        # whoever holds one of them would be left with a deleted array.
        if self._compiled is None:
            self._compiled = self._stateless
            if not self.run_eagerly:
                import jax

                self._compiled = jax.jit(self._stateless)
        weights = [v.value for v in self.trainable_variables]
        others = [v.value for v in self.non_trainable_variables]
        found = self._compiled(weights, others, inputs)
        return keras.tree.map_structure(np.asarray, found)

    def _stateless(self, weights, others, inputs):
        return self.stateless_call(weights, others, inputs)[0]

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        images, batch = inputs["images"], inputs["batch"]
        online, lagging = self.networks[0], self.networks[-1]
        features = _pooled(online, images)
        found = {"features": features, "rewards": {}, "values": {}}
        if lagging is not online:
            features = _pooled(lagging, images)
        for objective in lagging.objectives:
            name = objective.name
            if isinstance(objective, Reward):
                annotations = objective.annotations(batch, lagging)
                logits = objective.image_logits(images, features, annotations)
                found["rewards"][name] = ops.softmax(
                    ops.cast(logits, "float32"), axis=-1
                )
            if isinstance(objective, BellmanValue):
                targets = objective.bellman_targets(batch, lagging)
                above = targets > self._chance(objective, targets.shape[-1])
                found["values"][name] = ops.mean(ops.cast(above, "float32"))
        return found

    def _chance(self, value, count):
        """A value target by chance: 1/L, if all annotations are here.

        With a part of them, p(l|x) is larger, but the value's bias is still
        that of all.
        """
        whole = self.num_annotations.get(value.reward, count)
        return (1 - value.gamma) / count + value.gamma / whole


def _pooled(network, images):
    return network.encoder.pool(network.encode(images))
