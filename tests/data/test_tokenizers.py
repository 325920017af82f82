import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_ab import data

TEXTS = [
    "A red cup.",
    "a blue car, next to a RED cup!",
    "",
    "Ünïcode déjà-vu 3 x_y",
    "an unheard-of word",
    "a " * 40,
]


@pytest.fixture
def tokenizer():
    return data.WordTokenizer.from_texts(TEXTS[:4], sequence_length=8)


def test_python_and_tensors_agree(tokenizer):
    expected = tokenizer(TEXTS)
    assert expected.shape == (6, 8) and expected.dtype == np.int32
    np.testing.assert_array_equal(tokenizer(tf.constant(TEXTS)), expected)
    for text, ids in zip(TEXTS, expected):
        np.testing.assert_array_equal(tokenizer(text), ids)
        np.testing.assert_array_equal(tokenizer(tf.constant(text)), ids)


def test_the_end_comes_last(tokenizer):
    assert (tokenizer(TEXTS)[:, -1] == 0).all()
    assert (tokenizer(TEXTS[5])[:-1] == tokenizer.token_to_id("a")).all()


def test_there_and_back(tokenizer):
    ids = tokenizer(TEXTS[0])
    assert tokenizer.detokenize(ids) == "a red cup"
    assert tokenizer.detokenize(np.stack([ids, ids])) == ["a red cup"] * 2
    assert tokenizer.id_to_token(tokenizer.token_to_id("cup")) == "cup"
    assert tokenizer("unheard")[0] == 1
    assert len(tokenizer.get_vocabulary()) == tokenizer.vocabulary_size()


def test_the_most_frequent_words_stay():
    tokenizer = data.WordTokenizer.from_texts(
        ["b b b a a c"], vocabulary_size=4
    )
    assert tokenizer.get_vocabulary() == ["[end]", "[unk]", "b", "a"]


def test_serialisation(tokenizer):
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(tokenizer)
    )
    np.testing.assert_array_equal(again(TEXTS), tokenizer(TEXTS))


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t([1, 2]),
        lambda t: t(7),
        lambda t: t(tf.constant([1])),
        lambda t: t.id_to_token(999),
        lambda t: data.WordTokenizer.from_texts([]),
        lambda t: data.WordTokenizer(["a"], sequence_length=1),
        lambda t: data.WordTokenizer(["a", "a"]),
    ],
)
def test_wrong_input(tokenizer, call):
    with pytest.raises(ValueError):
        call(tokenizer)
