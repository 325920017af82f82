"""Keras' preprocessing layers as augmentations."""

import inspect
from typing import Any
from typing import Self

import keras

from keras_ab.data.tf import tensorflow
from keras_ab.typing import ImageFunction
from keras_ab.typing import Tensor

# TensorFlow's operations that draw from a state, or change one; those that
# begin with "Stateless" do neither.
STATEFUL = (
    "Assign",
    "Multinomial",
    "Parameterized",
    "Random",
    "Rng",
    "TruncatedNormal",
)


def from_layer(
    layer: keras.layers.Layer, reproducible: bool = True
) -> ImageFunction:
    """A Keras layer as a callable of an image and a seed.

    The image reaches the layer as float32 in [0, 255], without a batch axis,
    and comes back rounded to uint8.

    Args:
        layer: A Keras or KerasCV preprocessing layer that works inside
            tf.data, such as `keras.layers.RandomBrightness(0.2)`.
        reproducible: Bool. True makes the layer's random numbers a function
            of the seed alone, and refuses a layer for which that cannot be
            done: on JAX and PyTorch a layer made of other random layers
            (`RandAugment`, `RandomColorJitter`), and everywhere the random
            layers of KerasCV. False takes those too, with random numbers from
            a state of their own: such batches are not a function of
            `(seed, step)`, and a resumed run gets others. In one line:
            `from_layer(keras_cv.layers.RandomHue(0.5, (0, 255)), False)`.

    Returns:
        A callable from `(image, seed)` to an image, for `Compose` and
        wherever an augmentation is taken.

    Example:

    >>> from keras_ab.data import augmentations
    >>> brighten = augmentations.from_layer(keras.layers.RandomBrightness(0.2))
    >>> brighten(image, seed=(0, 1))
    # uint8 (96, 96, 3)
    """
    return FromLayer(layer, reproducible)


@keras.saving.register_keras_serializable(package="keras_ab")
class FromLayer:
    """See `keras_ab.data.augmentations.from_layer`.

    Args:
        layer: The layer.
        reproducible: Bool.
    """

    def __init__(self, layer: keras.layers.Layer, reproducible: bool = True):
        if not callable(layer):
            raise ValueError(
                "`layer` must be a Keras layer. Received: "
                f"{type(layer).__name__}"
            )
        self.layer = layer
        self.reproducible = reproducible
        self._way = None

    def __call__(self, image: Tensor, seed: Tensor) -> Tensor:
        """Runs the layer.

        Args:
            image: uint8 of shape `(H, W, 3)`.
            seed: Integer tensor of shape `(2,)`.

        Returns:
            uint8 of shape `(H, W, 3)`.
        """
        if not self.reproducible:
            return self._augment(image, seed)
        # AutoGraph, which KerasCV's layers may need, would rewrite the
        # attempts below.
        convert = tensorflow().autograph.experimental.do_not_convert
        return convert(self._augment)(image, seed)

    def _augment(self, image, seed):
        tf = tensorflow()
        image = tf.cast(image, "float32")
        seed = tf.cast(tf.convert_to_tensor(seed), "int32")
        function = self._find_way(image)
        if not tf.inside_function():
            # Beyond TensorFlow's backend, layers run on it in graphs alone.
            function = tf.function(function, autograph=False)
        result = tf.round(tf.cast(function(image, seed), "float32"))
        return tf.cast(tf.clip_by_value(result, 0, 255), "uint8")

    def _find_way(self, image):
        """A function of image and seed, of no state if that can be."""
        if self._way is None and not self.reproducible:
            self._way = _plain(self.layer)
        if self._way is None:
            self._way = self._find_pure(image)
        return self._way

    def _find_pure(self, image):
        tf = tensorflow()
        specs = tf.TensorSpec(image.shape), tf.TensorSpec((2,), "int32")
        ways = (
            _with_seed(self.layer),
            _plain(self.layer),
            _with_state(self.layer),
        )
        cause = None
        for way in filter(None, ways):
            try:
                # Not in the pipeline's own graph, on which an attempt that
                # is no good would leave its marks.
                with tf.init_scope():
                    trial = tf.function(way, autograph=False)
                    graph = trial.get_concrete_function(*specs).graph
            except Exception as error:
                # Beyond TensorFlow, layers make their state where they are
                # first called, which a graph refuses.
                cause = error
                continue
            if not _state_in(graph):
                return way
        raise ValueError(
            f"The layer {type(self.layer).__name__} draws random numbers from "
            "a state of its own, which cannot be made a function of the seed "
            f"on the {keras.backend.backend()} backend. Accepted: layers "
            "whose `get_random_transformation` takes `seed`, and on the "
            "tensorflow backend any with a `keras.random.SeedGenerator`; or "
            "pass `reproducible=False`."
        ) from cause

    def get_config(self) -> dict[str, Any]:
        return {
            "layer": keras.saving.serialize_keras_object(self.layer),
            "reproducible": self.reproducible,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        layer = keras.saving.deserialize_keras_object(config["layer"])
        return cls(layer, config["reproducible"])


def _plain(layer):
    """The layer as it is."""
    return lambda image, seed: layer(image, **_training(layer))


def _training(layer):
    """Some layers do nothing unless told that this is training."""
    call = getattr(layer, "call", layer)
    takes = "training" in inspect.signature(call).parameters
    return {"training": True} if takes else {}


def _state_in(graph):
    """Whether a graph, or a function it calls, keeps state."""
    nodes = list(graph.as_graph_def().node)
    for function in graph.as_graph_def().library.function:
        nodes.extend(function.node_def)
    return any(node.op.startswith(STATEFUL) for node in nodes)


def _with_seed(layer):
    """The layer with its random numbers handed to it."""
    draw = getattr(layer, "get_random_transformation", None)
    if draw is None or "seed" not in inspect.signature(draw).parameters:
        return None

    def call(image, seed):
        seeds = _Seeds(seed)

        def seeded(data, training=True, seed=None):
            return draw(data, training=training, seed=seeds)

        # `call` looks it up on the layer.
        layer.get_random_transformation = seeded
        try:
            return layer(image, **_training(layer))
        finally:
            del layer.get_random_transformation

    return call


def _with_state(layer):
    """The layer with its seeds' state handed to it."""
    if keras.backend.backend() != "tensorflow":
        return None
    if not isinstance(layer, keras.Layer):
        return None

    def call(image, seed):
        tf = tensorflow()
        if not layer.built:
            layer.build(image.shape)
        state = []
        for variable in layer.non_trainable_variables:
            if variable.name != "seed_generator_state":
                state.append(variable.value)
                continue
            own, seed = tf.unstack(tf.random.split(seed, 2))
            state.append(tf.cast(own, variable.dtype))
        outputs, _ = layer.stateless_call(
            [v.value for v in layer.trainable_variables],
            state,
            image,
            **_training(layer),
        )
        return outputs

    return call


class _Seeds(keras.random.SeedGenerator):
    """Seeds for one call, split from a tensor; it has no variable."""

    def __init__(self, seed: Tensor):
        self.seed = seed

    def next(self, ordered: bool = True) -> Tensor:
        tf = tensorflow()
        own, self.seed = tf.unstack(tf.random.split(self.seed, 2))
        return own
