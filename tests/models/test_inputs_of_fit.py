"""What `fit` accepts, and what it says of the rest."""

import itertools

import keras
import numpy as np
import pytest

from keras_ab import data
from keras_ab.models.first_batch import as_arrays
from keras_ab.models.first_batch import first_batch
from tests.models import factory


@pytest.fixture
def model():
    made = factory.abclip(value_bias=None)
    factory.compile(made, "adamw")
    return made


def updates(model):
    return int(keras.ops.convert_to_numpy(model.updates))


@pytest.mark.parametrize("kind", ["generator", "iterator"])
def test_what_is_read_once_loses_no_batch(kind):
    batches = [factory.batch(seed=seed) for seed in range(3)]
    source = iter(batches) if kind == "iterator" else (b for b in batches)
    first, rest = first_batch(source)
    again = [as_arrays(b) for b in rest]
    assert len(again) == 3
    np.testing.assert_array_equal(
        first["reward"]["text"], batches[0]["reward"]["text"]
    )
    for got, batch in zip(again, batches):
        np.testing.assert_array_equal(
            got["reward"]["text"], batch["reward"]["text"]
        )


def test_arrays():
    model = factory.clip()
    factory.compile(model, "adamw")
    arrays = {"reward": factory.batch(images=8)["reward"]}
    model.fit(arrays, batch_size=4, shuffle=False, verbose=0)
    assert updates(model) == 2
    arrays["reward"]["text"] = arrays["reward"]["text"][:7]
    with pytest.raises(ValueError, match=r"same length.*7"):
        model.fit(arrays, batch_size=4, verbose=0)


@pytest.mark.parametrize("empty", [lambda: iter(()), lambda: (b for b in ())])
def test_nothing(model, empty):
    with pytest.raises(ValueError, match="yields no batch"):
        model.fit(empty(), steps_per_epoch=1, verbose=0)


def test_no_data(model):
    with pytest.raises(ValueError, match="`x` must be.*Received: None"):
        model.fit(None)


def test_a_single_batch_is_checked(model):
    with pytest.raises(ValueError, match="at least 2 views"):
        model.test_on_batch(factory.batch(views=1))


def test_the_bias_counts_all_annotations_of_a_batch(model):
    batch = factory.batch(images=40)
    model.train_on_batch(batch)
    bias = model.online.objective("value").bias.bias
    # One update of Adam moved it by a learning rate at the most.
    start = float(keras.ops.convert_to_numpy(bias))
    assert abs(start + np.log(40)) < 2e-3
    batch["reward"]["text"] = batch["reward"]["text"][:38]
    with pytest.raises(ValueError, match="40 images and 38 texts"):
        model.train_on_batch(batch)


def test_held_out_batches_are_checked_first(model):
    wrong = factory.batch()
    wrong["value"]["boxes"] = wrong["value"]["boxes"][..., ::-1]
    with pytest.raises(ValueError, match="ymin < ymax"):
        model.fit(
            factory.batches(1),
            validation_data=factory.Batches([wrong]),
            verbose=0,
        )
    assert updates(model) == 0
    with pytest.raises(ValueError, match="ymin < ymax"):
        model.evaluate(factory.Batches([wrong]), verbose=0)
    history = model.fit(
        factory.batches(1), validation_data=factory.batches(2), verbose=0
    )
    assert np.isfinite(history.history["val_loss"][0])


def test_compile_freezes_the_target_again():
    model = factory.abclip()
    model.trainable = False
    model.trainable = True
    factory.compile(model, "adamw")
    assert not model.target.trainable_variables
    assert len(model.trainable_variables) == len(
        model.online.trainable_variables
    )


def test_a_frozen_encoder_stays_an_average():
    model = factory.abclip(target_rate=0.1)
    factory.compile(model, keras.optimizers.AdamW(0.1))
    model.train_on_batch(factory.batch())
    model.encoder.trainable = False
    factory.compile(model, keras.optimizers.AdamW(0.1))
    pairs = zip(model.online.encoder.weights, model.target.encoder.weights)
    online, target = next((a, b) for a, b in pairs if a.path.endswith("kernel"))
    online, before = map(keras.ops.convert_to_numpy, (online, target))
    before = before.copy()
    model.train_on_batch(factory.batch(seed=1))
    after = next(
        keras.ops.convert_to_numpy(b)
        for b in model.target.encoder.weights
        if b.path.endswith("kernel")
    )
    np.testing.assert_allclose(
        after, before + 0.1 * (online - before), atol=1e-6
    )


def test_the_users_choice_of_compiling_is_saved():
    model = factory.abclip()
    model.compile("adamw")
    assert model.get_compile_config()["jit_compile"] == "auto"
    model.compile("adamw", jit_compile=False)
    assert model.get_compile_config()["jit_compile"] is False


def test_predict():
    model = factory.abclip()
    factory.compile(model, "adamw")
    outputs = model.predict(factory.batches(1, values=4), verbose=0)
    shapes = {key: x.shape for key, x in outputs["value"].items()}
    assert shapes == {
        "action_embeddings": (4, 2, 2, 8),
        "annotation_embeddings": (4, 8),
        "scale": (1,),
        "bias": (1,),
    }


@pytest.mark.parametrize(
    "tokenizer", [lambda texts: texts, "words", data.WordTokenizer]
)
def test_tokenizers_are_saved_with_the_model(tokenizer):
    def build():
        from keras_ab.objectives import ImageTextContrast

        return ImageTextContrast(factory.text_encoder(), tokenizer)

    if tokenizer is data.WordTokenizer:
        tokenizer = factory.tokenizer()
        assert build().tokenizer is tokenizer
        return
    with pytest.raises(ValueError, match="get_config"):
        build()


@pytest.mark.parametrize("rate", [1.5, -0.1])
def test_a_rate_outside_its_range(rate):
    with pytest.raises(ValueError, match="target_rate"):
        factory.abclip(target_rate=rate)


def test_a_value_needs_its_reward_before_it():
    from keras_ab import models

    reward, value = factory.abclip().online.objectives
    with pytest.raises(ValueError, match="must stand before"):
        models.Network(factory.image_encoder(), [value, reward])


def test_no_iterator_is_left_over():
    batch = factory.batch()
    model = factory.clip()
    factory.compile(model, "adamw")
    endless = itertools.repeat({"reward": batch["reward"]})
    model.fit(endless, steps_per_epoch=3, verbose=0)
    assert updates(model) == 3


def test_the_end_of_fit_does_not_wait_for_a_tuner():
    tf = pytest.importorskip("tensorflow")
    _, dataset = first_batch(tf.data.Dataset.from_tensors(factory.batch()))
    off = dataset.options().autotune.enabled is False
    assert off == (keras.backend.backend() == "jax")


def test_a_dataset_is_fitted_without_a_warning(model, recwarn):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensors(factory.batch())
    model.fit(dataset, verbose=0)
    told = [str(warning.message) for warning in recwarn.list]
    assert not [text for text in told if "shuffle" in text]
    assert updates(model) == 1
