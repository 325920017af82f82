"""BLEU-4, by sacrebleu."""

from collections.abc import Sequence

import numpy as np


class Bleu:
    """BLEU-4 of captions, and of captions drawn from them.

    Args:
        candidates: For each picture, a caption as a list of words.
        references: For each picture, one or more captions as lists of words.

    Raises:
        ImportError: If sacrebleu is not installed.

    Example:

    >>> from keras_ab.probes.tasks.bleu import Bleu
    >>> words = ["a", "red", "cup", "here"]
    >>> bleu = Bleu([words], [[words]])
    >>> bleu.of(np.array([0]))
    # 1.0

    Reference:
        Papineni et al. 2002; sacrebleu (Post 2018), without its tokenizer and
        without smoothing, as in COCO's caption evaluation.
    """

    def __init__(
        self,
        candidates: Sequence[Sequence[str]],
        references: Sequence[Sequence[Sequence[str]]],
    ):
        try:
            import sacrebleu
        except ImportError as error:
            raise ImportError(
                "BLEU is computed by sacrebleu. Install it with `pip install "
                "keras_ab[probes]`."
            ) from error
        self._metric = sacrebleu.BLEU(
            tokenize="none", smooth_method="none", effective_order=True
        )
        self._parts = [
            self._metric.sentence_score(
                " ".join(words), [" ".join(other) for other in others]
            )
            for words, others in zip(candidates, references)
        ]
        self._counts = np.array([part.counts for part in self._parts])
        self._totals = np.array([part.totals for part in self._parts])
        self._lengths = np.array(
            [(part.sys_len, part.ref_len) for part in self._parts]
        )

    def of(self, indices: np.ndarray) -> float:
        """BLEU-4 of some of the pictures, from 0 to 1.

        Args:
            indices: Ints, which pictures, some of them several times.

        Returns:
            Float.
        """
        lengths = self._lengths[indices].sum(0)
        score = self._metric.compute_bleu(
            correct=self._counts[indices].sum(0).tolist(),
            total=self._totals[indices].sum(0).tolist(),
            sys_len=int(lengths[0]),
            ref_len=int(lengths[1]),
            smooth_method="none",
        )
        return float(score.score) / 100.0
