"""Trained models as plain ones, for SavedModel, ONNX and LiteRT.

Each function returns a functional `keras.Model` whose `export` writes it:
`encoder(model).export("encoder.onnx", format="onnx")`. What a user would name
after training (prompts, annotations) becomes constants of it. On TensorFlow all
three formats can be written, on JAX SavedModels; a model that was trained on
another backend is saved, and loaded on TensorFlow.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.models import Network
from keras_ab.models import Pretrainer
from keras_ab.models.annotation_bootstrapping import check_value_function
from keras_ab.models.inference import no_gradients
from keras_ab.typing import Shape
from keras_ab.typing import Tensor


def encoder(model: Pretrainer, network: str | None = None) -> keras.Model:
    """The encoder: from images to tokens and to one vector.

    Args:
        model: A `keras_ab.models.Pretrainer`.
        network: `"target"`, `"online"`, or None for the target network where
            there is one.

    Returns:
        A `keras.Model` from uint8 images `(B, H, W, 3)` to a dict of float32
        `"tokens"` `(B, T, hidden_dim)`, without class token, and `"pooled"`
        `(B, hidden_dim)`.

    Example:

    >>> encoder = keras_ab.export.encoder(model)
    >>> encoder(images)["pooled"].shape
    # (4, 32)
    """
    chosen = model.network(network)
    images = _images(chosen)
    return _model(images, _Encode(chosen, name="encode"), "encoder")


def zero_shot(
    model: Pretrainer, annotations: Any, network: str | None = None
) -> keras.Model:
    """A classifier: how likely each annotation is.

    Args:
        model: A `keras_ab.models.Pretrainer` that learns a reward.
        annotations: As in `model.reward`, such as prompts.
        network: As in `encoder`.

    Returns:
        A `keras.Model` from uint8 images `(B, H, W, 3)` to float32
        probabilities `(B, L)`: `model.reward(images, annotations)`.

    Raises:
        ValueError: If the model learns no reward or has no such network, or
            the reward does not understand the annotations.

    Example:

    >>> classifier = keras_ab.export.zero_shot(model, ["w1 w2", "w3"])
    >>> classifier(images).shape
    # (4, 2)
    """
    chosen = model.network(network)
    features = _features(chosen, model.reward_name, annotations)
    images = _images(chosen)
    layer = _Classify(chosen, model.reward_name, features, name="classify")
    return _model(images, layer, "zero_shot")


def value_function(
    model: Pretrainer,
    annotations: Any,
    num_actions: int,
    network: str | None = None,
) -> keras.Model:
    """Q: how likely each annotation becomes when the view is changed.

    Args:
        model: A `keras_ab.models.AnnotationBootstrapping`.
        annotations: As in `model.value`.
        num_actions: Int, A, the actions asked of each image in one call.
        network: As in `encoder`.

    Returns:
        A `keras.Model` from a dict of uint8 `"images"` `(B, H, W, 3)` and
        float32 `"actions"` `(B, A, 4)` to float32 `(B, A, L)`:
        `model.value(images, actions, annotations)`.

    Raises:
        ValueError: If the model has no value function.

    Example:

    >>> value = keras_ab.export.value_function(model, ["w1"], num_actions=2)
    >>> stay = np.tile(np.array([0.0, 0.0, 1.0, 1.0], "float32"), (4, 2, 1))
    >>> value({"images": images, "actions": stay}).shape
    # (4, 2, 1)
    """
    check_value_function(model)
    chosen = model.network(network)
    value = chosen.objective(model.value_name)
    features = _features(chosen, value.reward, annotations)
    inputs = {
        "images": _images(chosen),
        "actions": keras.Input(
            (num_actions, value.actions.action_size), name="actions"
        ),
    }
    layer = _Value(chosen, model.value_name, features, name="value")
    return _model(inputs, layer, "value_function")


def _model(inputs, layer, name):
    model = keras.Model(inputs, layer(inputs), name=name)
    # Keras exports only what was called.
    model(inputs)
    return model


def _images(network):
    shape = network.encoder.image_shape
    return keras.Input(shape, dtype="uint8", name="images")


def _features(network, reward, annotations):
    with no_gradients():
        features = network.objective(reward).featurize(annotations, network)
    return np.asarray(ops.convert_to_numpy(features))


class _OfNetwork(keras.layers.Layer):
    """What all three are: a network's weights, built already; for `export`,
    not for `save`.
    """

    def __init__(self, network: Network, **kwargs):
        super().__init__(**{**kwargs, "autocast": False})
        self.network = network
        self.built = True

    def build(self, input_shape: Shape | None = None) -> None:
        del input_shape


class _Encode(_OfNetwork):
    def call(self, images: Tensor) -> dict[str, Tensor]:
        outputs = self.network.encode(images)
        tokens = self.network.encoder.patch_tokens(outputs)
        return {
            "tokens": ops.cast(tokens, "float32"),
            "pooled": ops.cast(self.network.encoder.pool(outputs), "float32"),
        }


class _Classify(_OfNetwork):
    def __init__(self, network, reward, features, **kwargs):
        super().__init__(network, **kwargs)
        self.reward, self.features = reward, features

    def call(self, images: Tensor) -> Tensor:
        reward = self.network.objective(self.reward)
        pooled = self.network.encoder.pool(self.network.encode(images))
        features = ops.convert_to_tensor(self.features)
        logits = reward.image_logits(images, pooled, features)
        return ops.softmax(logits, axis=-1)


class _Value(_OfNetwork):
    def __init__(self, network, value, features, **kwargs):
        super().__init__(network, **kwargs)
        self.value, self.features = value, features

    def call(self, inputs: dict[str, Tensor]) -> Tensor:
        value = self.network.objective(self.value)
        features = ops.convert_to_tensor(self.features)
        tokens = self.network.encode(inputs["images"])
        logits = value.value_logits(tokens, inputs["actions"], features)
        return ops.sigmoid(logits)
