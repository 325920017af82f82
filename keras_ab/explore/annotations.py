"""What a model's annotations are, and how a page can name them.

Three kinds cover the rewards there are: texts that are typed; pictures that
are picked; and the members of a fixed set, chosen by name, or, where they have
none (prototypes), by a picture whose likeliest they are.
"""

from typing import Any

import numpy as np
from keras import ops

from keras_ab.explore.gallery import Gallery
from keras_ab.models import AnnotationBootstrapping
from keras_ab.objectives import ViewContrast
from keras_ab.probes.features import extract_views

OTHERS = 16
"""Annotations beside the wanted one among which p is shared, at most."""


class Texts:
    """Annotations that are typed.

    Args:
        model: The model.
        gallery: A `Gallery`, whose captions are the first others.
    """

    typed = True
    label = "what to look for"

    def __init__(self, model: AnnotationBootstrapping, gallery: Gallery):
        del model
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


class Pictures:
    """Annotations that are pictures, as ABSimCLR's.

    Args:
        model: The model.
        gallery: A `Gallery`.
    """

    typed = False
    label = "a picture of what to look for"

    def __init__(self, model: AnnotationBootstrapping, gallery: Gallery):
        self._size = model.encoder.image_shape[:2]
        self._gallery = gallery

    def options(self) -> dict[str, str]:
        """Dict from what can be chosen to labels."""
        return self._gallery.names

    def among(self, wanted: str, others: str = "") -> tuple[Any, list[str]]:
        """The picture chosen, and the gallery's others beside it.

        Args:
            wanted: Key of a picture.
            others: Not used.

        Returns:
            uint8 `(L, H, W, 3)`, the wanted one first; and labels.
        """
        rest = [k for k in self._gallery.offered if k != wanted][:OTHERS]
        keys = [wanted, *rest]
        views = [
            extract_views(self._gallery[key][None], self._size)[0]
            for key in keys
        ]
        names = self._gallery.names
        return np.stack(views), [names[key] for key in keys]


class Members:
    """Annotations of a fixed set, by name, or by a picture.

    Args:
        model: The model.
        gallery: A `Gallery`.
    """

    typed = False

    def __init__(self, model: AnnotationBootstrapping, gallery: Gallery):
        self._model, self._gallery = model, gallery
        reward = model.online.objective(model.reward_name)
        self._names = getattr(reward, "annotation_names", None)
        self.label = "what to look for"
        if self._names is None:
            self.label = "a picture, for the annotation likeliest there"

    def options(self) -> dict[str, str]:
        """Dict from what can be chosen to labels."""
        if self._names is None:
            return self._gallery.names
        return {str(i): name for i, name in enumerate(self._names)}

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
        if self._names is not None:
            first = int(wanted)
            rest = [i for i in range(len(self._names)) if i != first]
            order = np.array([first, *rest])
            return order, [self._names[i] for i in order]
        size = self._model.encoder.image_shape[:2]
        view = extract_views(self._gallery[wanted][None], size)
        p = ops.convert_to_numpy(self._model.reward(view, None))[0]
        order = np.argsort(-p, kind="stable")[: OTHERS + 1]
        return order, [f"annotation {i}" for i in order]


def annotations_of(model: AnnotationBootstrapping, gallery: Gallery) -> Any:
    """The annotations of a model.

    Args:
        model: A `keras_ab.models.AnnotationBootstrapping`.
        gallery: A `Gallery`.

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
    return Members(model, gallery)
