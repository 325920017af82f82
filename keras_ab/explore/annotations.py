"""What a model's annotations are, and how a page can name them.

Three kinds cover the rewards there are: texts that are typed; pictures that
are picked; and the members of a fixed set, chosen by name, or, where they have
none (prototypes), by a picture whose likeliest they are.
"""

import functools
import string
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_ab.data import WordTokenizer
from keras_ab.data.tokenizers import UNKNOWN
from keras_ab.explore.gallery import Gallery
from keras_ab.models import AnnotationBootstrapping
from keras_ab.objectives import ViewContrast
from keras_ab.probes.features import extract_views

OTHERS = 16
"""Annotations beside the wanted one among which p is shared, at most."""

NAMED = 10
"""Unknown words that are named, at most."""

VIEWS = 64
"""Pictures that are kept in the size in which a model sees them."""


class Kind:
    """A kind of annotations.

    Attributes:
        typed: Bool, whether they are typed, and not chosen.
        by_picture: Bool, whether the gallery's pictures are what is chosen.
        label: String, what the page calls the control.
        more: String, how to come by others; empty where they never lack.
        names: List of the names of a fixed set, or None.
    """

    typed = False
    by_picture = False
    label = "what to look for"
    more = ""
    names: Sequence[str] | None = None

    def options(self) -> dict[str, str]:
        """Dict from what can be chosen to labels."""
        return {}

    def among(self, wanted: str, others: str = "") -> tuple[Any, list[str]]:
        """The annotation and those beside it.

        Args:
            wanted: What was typed or chosen.
            others: String, one annotation a line, where they are typed.

        Returns:
            What the reward understands, the wanted one first; and labels.
        """
        raise NotImplementedError

    def notices(self, wanted: str, others: str = "") -> list[str]:
        """What to tell of annotations that are not read as they seem.

        Args:
            wanted: As in `among`.
            others: As in `among`.

        Returns:
            List of strings.
        """
        del wanted, others
        return []


class Texts(Kind):
    """Annotations that are typed.

    Args:
        model: The model.
        gallery: A `Gallery`, whose captions are the first others.
    """

    typed = True
    more = "write others, a line each, to compare with"

    def __init__(self, model: AnnotationBootstrapping, gallery: Gallery):
        reward: Any = model.online.objective(model.reward_name)
        self._tokenizer = reward.tokenizer
        self.others = gallery.captions[:OTHERS]

    def among(self, wanted: str, others: str = "") -> tuple[Any, list[str]]:
        """The annotation and those beside it.

        Args:
            wanted: What was typed.
            others: String, one annotation a line.

        Returns:
            What the reward understands, the wanted one first; and labels.

        Raises:
            ValueError: If nothing was typed.
        """
        texts = [" ".join(t.split()) for t in (wanted, *others.splitlines())]
        if not texts[0]:
            raise ValueError("Type what to look for.")
        texts = list(dict.fromkeys(filter(None, texts)))
        return texts, texts

    def notices(self, wanted: str, others: str = "") -> list[str]:
        texts, _ = self.among(wanted, others)
        *ids, nothing = self._ids([*texts, ""])
        notices = [
            f"“{text}” holds no word: the model reads an empty caption."
            for text, row in zip(texts, ids)
            if np.array_equal(row, nothing)
        ]
        unknown = self._unknown(" ".join(texts).split())
        if unknown:
            more = len(unknown) - NAMED
            listed = ", ".join(unknown[:NAMED])
            notices.append(
                "Words that the model does not know, and does not tell from "
                f"each other: {listed}{f' and {more} more' * (more > 0)}."
            )
        return notices

    def _ids(self, texts):
        return ops.convert_to_numpy(self._tokenizer(texts))

    def _unknown(self, words):
        """Those of words that become the token of unknown ones."""
        # Tokenizers of pieces or bytes know every word.
        if not isinstance(self._tokenizer, WordTokenizer):
            return []
        unknown = self._tokenizer.token_to_id(UNKNOWN)
        words = list(dict.fromkeys(words))
        found = (self._ids(words) == unknown).any(axis=1)
        return [
            word.strip(string.punctuation)
            for word, is_unknown in zip(words, found)
            if is_unknown
        ]


class Pictures(Kind):
    """Annotations that are pictures, as ABSimCLR's.

    Args:
        model: The model.
        gallery: A `Gallery`.
    """

    by_picture = True
    label = "a picture of what to look for"
    more = "drop another picture to compare with"

    def __init__(self, model: AnnotationBootstrapping, gallery: Gallery):
        size = model.encoder.image_shape[:2]
        self._gallery = gallery
        # All of them are asked for each time, so the gallery's own memory
        # would not hold them.
        self._view = functools.lru_cache(VIEWS)(
            lambda key: extract_views(gallery[key][None], size)[0]
        )

    def options(self) -> dict[str, str]:
        return self._gallery.names

    def among(self, wanted: str, others: str = "") -> tuple[Any, list[str]]:
        """The picture chosen, and the gallery's others beside it.

        Args:
            wanted: Key of a picture.
            others: Not used.

        Returns:
            uint8 `(L, H, W, 3)`, the wanted one first; and labels.
        """
        names = self._gallery.names
        if wanted not in names:
            # Says that it is gone.
            self._gallery[wanted]
        rest = [key for key in names if key != wanted][:OTHERS]
        keys = [wanted, *rest]
        views = np.stack([self._view(key) for key in keys])
        return views, [names[key] for key in keys]


class Members(Kind):
    """Annotations of a fixed set, by name, or by a picture.

    Args:
        model: The model.
        gallery: A `Gallery`.
        network: As in `model.encode`, for what is likeliest of a picture.
    """

    def __init__(
        self,
        model: AnnotationBootstrapping,
        gallery: Gallery,
        network: str | None = None,
    ):
        self._gallery = gallery
        reward = model.online.objective(model.reward_name)
        self.names = getattr(reward, "annotation_names", None)
        if self.names is None:
            self.by_picture = True
            self.label = "a picture, for the annotation likeliest there"
        size = model.encoder.image_shape[:2]

        def likeliest(key):
            view = extract_views(gallery[key][None], size)
            p = ops.convert_to_numpy(model.reward(view, None, network))[0]
            return np.argsort(-p, kind="stable")[: OTHERS + 1]

        self._likeliest = functools.lru_cache(VIEWS)(likeliest)

    def options(self) -> dict[str, str]:
        if self.names is None:
            return self._gallery.names
        return {str(i): name for i, name in enumerate(self.names)}

    def among(self, wanted: str, others: str = "") -> tuple[Any, list[str]]:
        """The annotation chosen, and others beside it.

        Of unnamed ones, the wanted one is the likeliest of the picture, and
        those beside it are the next.

        Args:
            wanted: An index, or the key of a picture.
            others: Not used.

        Returns:
            Int64 `(L,)`, the wanted one first; and labels.
        """
        if self.names is not None:
            first = int(wanted)
            rest = [i for i in range(len(self.names)) if i != first]
            order = np.array([first, *rest])
            return order, [self.names[i] for i in order]
        order = self._likeliest(wanted)
        return order, [f"annotation {i}" for i in order]


def annotations_of(
    model: AnnotationBootstrapping,
    gallery: Gallery,
    network: str | None = None,
) -> Kind:
    """The annotations of a model.

    Args:
        model: A `keras_ab.models.AnnotationBootstrapping`.
        gallery: A `Gallery`.
        network: As in `model.encode`.

    Returns:
        A `Texts`, `Pictures` or `Members`.

    Raises:
        ValueError: If a model over texts has no tokenizer.
    """
    reward = model.online.objective(model.reward_name)
    if hasattr(reward, "text_encoder"):
        if reward.tokenizer is None:
            raise ValueError(
                f"{model.name!r} has no tokenizer, so that nothing can be "
                "typed; build it with `tokenizer=`."
            )
        return Texts(model, gallery)
    if isinstance(reward, ViewContrast):
        return Pictures(model, gallery)
    return Members(model, gallery, network)


def check_alike(kinds: dict[str, Kind]) -> None:
    """Raises `ValueError` for models whose annotations cannot be compared.

    Args:
        kinds: Dict from the models' names to their annotations.
    """
    if len({type(kind) for kind in kinds.values()}) > 1:
        received = ", ".join(
            f"{type(kind).__name__.lower()} for {name!r}"
            for name, kind in kinds.items()
        )
        raise ValueError(
            "Models that are compared need annotations of one kind: texts, "
            "pictures, or members of a fixed set. Received: " + received
        )
    (first, one), *rest = kinds.items()
    for name, other in rest:
        if one.names != other.names:
            raise ValueError(
                "Models that are compared need the same `annotation_names`, "
                "in the same order. Received: "
                f"{_difference(one.names, other.names)}, for {first!r} and "
                f"{name!r}"
            )


def _difference(one, other):
    """Where two lists of names part."""
    if one is None or other is None or len(one) != len(other):
        counts = [
            "none" if names is None else str(len(names))
            for names in (one, other)
        ]
        return " and ".join(counts)
    place = next(i for i, (a, b) in enumerate(zip(one, other)) if a != b)
    return f"{one[place]!r} and {other[place]!r} at index {place}"
