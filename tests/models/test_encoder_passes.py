"""Encoders that take a batch in parts: the same gradient, less memory."""

import keras
import numpy as np
import pytest

from keras_ab import backbones
from keras_ab import layers
from keras_ab import models
from tests.gradients import gradient
from tests.gradients import model_gradients
from tests.memory import memory
from tests.models import factory
from tests.models import masked
from tests.models import rewards

BACKEND = keras.backend.backend()
MODELS = {
    "abclip": (factory.abclip, lambda: factory.batch(images=7, values=3)),
    "simclr": (rewards.simclr, lambda: only(rewards.batch(), "views")),
    "ijepa": (masked.ijepa, masked.ijepa_batch),
    "mae": (masked.mae, masked.mae_batch),
}


def only(batch, part):
    return {part: batch[part]}


@pytest.mark.parametrize(
    "name",
    ["abclip"]
    + [
        pytest.param(name, marks=pytest.mark.slow)
        for name in MODELS
        if name != "abclip"
    ],
)
def test_the_gradient_is_that_of_the_whole_batch(name):
    make, make_batch = MODELS[name]
    model, batch = make(), make_batch()
    whole, wanted = model_gradients(model, batch)
    # Seven rows of one kind, six of another.
    model.compile("sgd", encoder_passes=3)
    loss, found = model_gradients(model, batch)
    np.testing.assert_allclose(loss, whole, rtol=1e-6)
    for path, value in wanted.items():
        if value is not None:
            np.testing.assert_allclose(found[path], value, atol=1e-5)


class Doubled(keras.layers.Layer):
    """A layer with a weight that says how often it was called."""

    def __init__(self):
        super().__init__()
        self.calls = 0
        self.scale = self.add_weight(shape=(), initializer="ones")
        self.dropout = keras.layers.Dropout(0.5, seed=3)
        self.built = True

    def call(self, x, training=False):
        self.calls += 1
        return self.dropout(x * self.scale * x, training=training)


@pytest.mark.parametrize("passes", [1, 2, 3])
def test_random_numbers_are_the_same_in_both_turns(passes):
    layer, x = Doubled(), np.arange(1.0, 8.0).reshape(7, 1)

    def total(x):
        run = (
            layers.rematerialized(layer, {"x": x}, training=True)
            if passes == 1
            else layers.in_passes(layer, passes, {"x": x}, training=True)
        )
        found.append(run)
        return keras.ops.sum(run)

    found = []
    if BACKEND == "jax":
        import jax

        # Variables are written in a scope, as in a step.
        def scoped(x):
            with keras.StatelessScope():
                return total(x)

        value = jax.jit(scoped)(x.astype("float32"))
        grads = jax.jit(jax.grad(scoped))(x.astype("float32"))
        # All that was kept is x², whose gradient is 2x: their sums agree.
        kept = np.asarray(grads) / (2 * x)
        np.testing.assert_allclose((kept * x**2).sum(), value, rtol=1e-5)
        assert 0 < (kept == 0).sum() < 7
        return
    (grad,) = gradient(total, x)
    outputs = keras.ops.convert_to_numpy(
        keras.ops.stop_gradient(found[0])
        if BACKEND == "tensorflow"
        else found[0].detach()
    )
    np.testing.assert_allclose(grad * x, 2 * outputs, rtol=1e-5)
    assert 0 < (outputs == 0).sum() < 7
    # Once for the value and once for its gradient.
    assert layer.calls == 2 * passes


def test_batch_normalisation_in_an_encoder():
    class Normalised(backbones.ViT):
        def build(self, input_shape=None):
            super().build(input_shape)
            self.batch_norm = keras.layers.BatchNormalization()
            self.batch_norm.build((None, self.hidden_dim))

    encoder = Normalised.from_size(
        "test", image_shape=(16, 16, 3), patch_size=8, num_layers=1
    )
    model = models.SimCLR(encoder, projection_dim=8, hidden_dims=(12,))
    model.compile("sgd")
    with pytest.raises(ValueError, match="must see a batch at once"):
        model.compile("sgd", encoder_passes=2)
    with pytest.raises(ValueError, match="must be a positive int"):
        model.compile("sgd", encoder_passes=0)


def test_it_is_saved(tmp_path):
    model = factory.clip()
    model.compile("sgd", encoder_passes=2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.online.passes == 2


def tall(passes=1, rematerialize=False):
    """A CLIP most of whose memory is its encoders'."""
    kwargs = {"num_layers": 6, "rematerialize": rematerialize}
    encoder = backbones.ViT.from_size(
        "test", image_shape=(16, 16, 3), patch_size=4, **kwargs
    )
    text = backbones.TextTransformer.from_size(
        "test",
        vocabulary_size=factory.VOCABULARY,
        sequence_length=factory.LENGTH,
        **kwargs,
    )
    model = models.CLIP(encoder, text, factory.tokenizer(), projection_dim=8)
    model.compile("sgd", encoder_passes=passes)
    return model


@pytest.mark.skipif(BACKEND == "tensorflow", reason="not to be measured there")
@pytest.mark.parametrize(
    "settings", [{"passes": 8}, {"rematerialize": True}], ids=str
)
@pytest.mark.slow
def test_a_third_of_the_memory(settings):
    batch = only(factory.batch(images=64), "reward")
    whole = memory(tall(), batch)
    less = memory(tall(**settings), batch)
    if BACKEND == "torch":
        # What is computed again in the backward pass comes on top.
        parts = settings.get("passes", 6)
        less += whole / parts
    print(whole, less)
    assert less < whole / 3


def test_blocks_computed_twice_have_the_same_gradient():
    batch = only(factory.batch(), "reward")
    whole, twice = tall(), tall(rematerialize=True)
    twice.set_weights(whole.get_weights())
    loss, wanted = model_gradients(whole, batch)
    again, found = model_gradients(twice, batch)
    np.testing.assert_allclose(again, loss, rtol=1e-6)
    for value, other in zip(wanted.values(), found.values()):
        np.testing.assert_allclose(other, value, atol=1e-5)
