"""CIDEr-D: how much captions share with what people wrote."""

import collections
from collections.abc import Sequence

import numpy as np

LONGEST = 4
WIDTH = 6.0
SCALE = 10.0


def cider(
    candidates: Sequence[Sequence[str]],
    references: Sequence[Sequence[Sequence[str]]],
) -> np.ndarray:
    """CIDEr-D of captions.

    The n-grams of 1 to 4 words are weighted by how rare they are in the
    references of all pictures; a caption's score is its mean cosine to its
    references, clipped to their counts, with a penalty on other lengths.

    Args:
        candidates: For each picture, a caption as a list of words.
        references: For each picture, one or more captions as lists of words.

    Returns:
        Float64 of shape `(pictures,)`, from 0 to 10, of which CIDEr is the
        mean; tables have it times 100.

    Raises:
        ValueError: If a picture has no reference, or the lengths differ.

    Example:

    >>> words = ["a", "red", "cup"]
    >>> said, references = [words, ["a", "dog"]], [[words], [["a", "dog"]]]
    >>> keras_ab.probes.tasks.cider(said, references)
    # [7.5, 5.0]

    Reference:
        Vedantam et al. 2015; CIDEr-D as in COCO's caption evaluation.
    """
    if len(candidates) != len(references) or not all(references):
        raise ValueError(
            "`candidates` and `references` must be of the same pictures, each "
            f"with a reference. Received: {len(candidates)} and "
            f"{len(references)}, {sum(not r for r in references)} of them "
            "empty"
        )
    counted = [[_counts(words) for words in group] for group in references]
    pictures: collections.Counter[tuple[str, ...]] = collections.Counter()
    for group in counted:
        pictures.update({gram for counts in group for gram in counts})
    rarity = _Rarity(pictures, len(references))
    return np.array(
        [
            np.mean(
                [
                    _similarity(rarity(_counts(words)), rarity(counts))
                    for counts in group
                ]
            )
            for words, group in zip(candidates, counted)
        ]
    )


def _counts(words):
    """How often each n-gram occurs."""
    words = tuple(words)
    return collections.Counter(
        words[i : i + n]
        for n in range(1, LONGEST + 1)
        for i in range(len(words) - n + 1)
    )


class _Rarity:
    """Counts of n-grams, weighted by their inverse document frequency."""

    def __init__(
        self, pictures: collections.Counter[tuple[str, ...]], count: int
    ):
        self.pictures, self.log_count = pictures, np.log(float(count))

    def __call__(
        self, counts: collections.Counter[tuple[str, ...]]
    ) -> tuple[list[dict[tuple[str, ...], float]], list[float], int]:
        vectors: list[dict[tuple[str, ...], float]] = [
            {} for _ in range(LONGEST)
        ]
        for gram, count in counts.items():
            seen = np.log(max(1.0, self.pictures[gram]))
            vectors[len(gram) - 1][gram] = count * (self.log_count - seen)
        norms = [np.sqrt(sum(v * v for v in x.values())) for x in vectors]
        # The reference implementation counts bigrams as the length.
        length = sum(c for gram, c in counts.items() if len(gram) == 2)
        return vectors, norms, length


def _similarity(candidate, reference):
    (vectors, norms, length), (others, other_norms, other) = (
        candidate,
        reference,
    )
    total = 0.0
    for x, y, a, b in zip(vectors, others, norms, other_norms):
        shared = sum(min(v, y[g]) * y[g] for g, v in x.items() if g in y)
        total += shared / (a * b) if a and b else 0.0
    penalty = np.exp(-((length - other) ** 2) / (2 * WIDTH**2))
    return SCALE * penalty * total / LONGEST
