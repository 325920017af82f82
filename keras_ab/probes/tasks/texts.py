"""Texts as words."""

import collections
import re
from collections.abc import Iterable

UNKNOWN = "<unknown>"
"""The word for what the vocabulary does not hold."""


def words_of(text: str) -> list[str]:
    """The words of a text, lower-case and without punctuation.

    An apostrophe inside a word stays, and what follows it: "it's".

    Example:

    >>> from keras_ab.probes.tasks.texts import words_of
    >>> words_of("A dog's bowl, empty.")
    # ["a", "dog's", "bowl", "empty"]
    """
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.lower())


def most_frequent(words: Iterable[str]) -> str:
    """The most frequent word; of several the first in the alphabet."""
    return common_words([list(words)], 1)[0]


def common_words(texts: Iterable[list[str]], most: int | None) -> list[str]:
    """The most frequent words, of equally frequent ones in the alphabet's.

    Args:
        texts: Lists of words.
        most: Int, how many to keep; None for all.

    Returns:
        A list of words, the most frequent first.
    """
    counts = collections.Counter(word for words in texts for word in words)
    return sorted(counts, key=lambda word: (-counts[word], word))[:most]
