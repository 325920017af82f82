"""Words as token ids."""

import collections
import re
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import Self

import keras
import numpy as np

from keras_ab.typing import Tensor

END, UNKNOWN = "[end]", "[unk]"


@keras.saving.register_keras_serializable(package="keras_ab")
class WordTokenizer:
    """A word-level tokenizer, learnt from captions.

    It lower-cases, splits at whatever is neither letter nor digit, and fills
    up with its end token, which is therefore always the last one. It has the
    interface of KerasHub's tokenizers, one of which can take its place.

    Args:
        vocabulary: List of words without the special tokens, or as
            `get_vocabulary` returns it. Ids 0 and 1 are `[end]` (also the
            padding) and `[unk]`.
        sequence_length: Int, tokens to a text, at least 2. Longer texts are
            cut so that the end token stays.

    Example:

    >>> tokenizer = keras_ab.data.WordTokenizer.from_texts(
    ...     ["A red cup.", "A blue car."], sequence_length=5
    ... )
    >>> tokenizer("a red car")
    # [2, 6, 4, 0, 0]
    >>> tokenizer.detokenize(tokenizer("a red car"))
    # "a red car"
    """

    def __init__(self, vocabulary: Sequence[str], sequence_length: int = 16):
        if sequence_length < 2:
            raise ValueError(
                "`sequence_length` must be at least 2, a word and the end. "
                f"Received: {sequence_length}"
            )
        words = [w for w in vocabulary if w not in (END, UNKNOWN)]
        if len(set(words)) != len(words):
            raise ValueError("`vocabulary` must not repeat words.")
        self.sequence_length = sequence_length
        self._vocabulary = [END, UNKNOWN, *words]
        self._ids = {w: i for i, w in enumerate(self._vocabulary)}
        self._table: Any = None

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        sequence_length: int = 16,
        vocabulary_size: int | None = None,
    ) -> Self:
        """Learns a vocabulary.

        Args:
            texts: Iterable of strings.
            sequence_length: Int, tokens to a text.
            vocabulary_size: Int, the most frequent words to keep, special
                tokens included; None keeps all.

        Returns:
            A `WordTokenizer`.
        """
        counts: collections.Counter[str] = collections.Counter()
        for text in texts:
            counts.update(_words(text))
        if not counts:
            raise ValueError("`texts` must hold a word. Received: none")
        # Ties in alphabetical order, so that the ids are reproducible.
        words = sorted(counts, key=lambda w: (-counts[w], w))
        if vocabulary_size is not None:
            words = words[: max(vocabulary_size - 2, 0)]
        return cls(words, sequence_length)

    def vocabulary_size(self) -> int:
        """Number of ids."""
        return len(self._vocabulary)

    def get_vocabulary(self) -> list[str]:
        """All tokens, in the order of their ids."""
        return list(self._vocabulary)

    def token_to_id(self, token: str) -> int:
        """The id of a token; that of `[unk]` for one that is not known."""
        return self._ids.get(token, 1)

    def id_to_token(self, id: int) -> str:
        """The token of an id."""
        if not 0 <= id < self.vocabulary_size():
            raise ValueError(
                f"`id` must lie in [0, {self.vocabulary_size()}). "
                f"Received: {id}"
            )
        return self._vocabulary[id]

    def tokenize(self, inputs: str | Sequence[str] | Tensor) -> Tensor:
        """Token ids of texts.

        Args:
            inputs: A string, a list of strings, or (in tf.data) a string
                tensor of shape `()` or `(B,)`.

        Returns:
            int32 of shape `(sequence_length,)` or `(B, sequence_length)`, a
            tensor where the input is one.
        """
        if isinstance(inputs, str):
            return self._ids_of(inputs)
        if isinstance(inputs, (list, tuple)) or (
            isinstance(inputs, np.ndarray) and inputs.dtype.kind in "OU"
        ):
            texts = [t.decode() if isinstance(t, bytes) else t for t in inputs]
            if not all(isinstance(t, str) for t in texts):
                raise ValueError(
                    "A tokenizer takes strings. Received: "
                    f"{[type(t).__name__ for t in texts][:3]}"
                )
            empty = np.zeros((0, self.sequence_length), "int32")
            return (
                np.stack([self._ids_of(t) for t in texts]) if texts else empty
            )
        return self._tensor_ids(inputs)

    def __call__(self, inputs: str | Sequence[str] | Tensor) -> Tensor:
        return self.tokenize(inputs)

    def detokenize(self, ids: Any) -> str | list[Any]:
        """Texts of token ids.

        Args:
            ids: Ints of shape `(T,)` or `(B, T)`.

        Returns:
            A string, or a list of them.
        """
        ids = np.asarray(ids)
        if ids.ndim > 1:
            return [self.detokenize(row) for row in ids]
        words = [self.id_to_token(int(i)) for i in ids]
        return " ".join(w for w in words if w != END)

    def _ids_of(self, text):
        ids = [self.token_to_id(w) for w in _words(text)]
        ids = ids[: self.sequence_length - 1]
        result = np.zeros((self.sequence_length,), "int32")
        result[: len(ids)] = ids
        return result

    def _tensor_ids(self, texts):
        from keras_ab.data.tf import tensorflow

        tf = tensorflow()
        if not tf.is_tensor(texts) or texts.dtype != tf.string:
            raise ValueError(
                "A tokenizer takes a string, a list of strings or a string "
                f"tensor. Received: {type(texts).__name__}"
            )
        if self._table is None:
            with tf.init_scope():
                words = tf.constant(self._vocabulary)
                ids = tf.range(len(self._vocabulary))
                self._table = tf.lookup.StaticHashTable(
                    tf.lookup.KeyValueTensorInitializer(words, ids), 1
                )
        scalar = texts.shape.rank == 0
        texts = texts[None] if scalar else texts
        texts = tf.strings.lower(texts, encoding="utf-8")
        texts = tf.strings.regex_replace(texts, r"[^\pL\pN]+", " ")
        words = tf.strings.split(texts)[:, : self.sequence_length - 1]
        ids = tf.ragged.map_flat_values(self._table.lookup, words)
        ids = ids.to_tensor(0, shape=(None, self.sequence_length))
        return ids[0] if scalar else ids

    def __getstate__(self) -> dict[str, Any]:
        # The table lives in one process.
        return {**self.__dict__, "_table": None}

    def get_config(self) -> dict[str, Any]:
        return {
            "vocabulary": self._vocabulary,
            "sequence_length": self.sequence_length,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


def _words(text):
    return re.sub(r"[\W_]+", " ", text.lower()).split()
