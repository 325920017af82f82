"""What all probes of one label an image have in common."""

import abc
import dataclasses
from typing import Any
from typing import ClassVar
from typing import Self
from typing import cast

import numpy as np

from keras_ab.typing import Tensor


class Fitted(abc.ABC):
    """A probe that has been fitted.

    Args:
        classes: The labels that training showed, sorted and distinct.
        details: JSON-ready dict of what fitting chose, such as `"rate"`.
    """

    def __init__(
        self, classes: np.ndarray, details: dict[str, Any] | None = None
    ):
        self.classes = classes
        self.details = details or {}

    @abc.abstractmethod
    def scores(self, features: Tensor) -> np.ndarray:
        """The score of each class, the higher the better.

        Args:
            features: What the probe needs of some images, `(B, ...)`.

        Returns:
            Floats of shape `(B, len(classes))`.
        """

    def predict(self, features: Tensor) -> np.ndarray:
        """The class of the highest score.

        Args:
            features: What the probe needs of some images, `(B, ...)`.

        Returns:
            Labels of shape `(B,)`, of those that training showed.
        """
        return self.classes[np.argmax(self.scores(features), axis=1)]


class Probe(abc.ABC):
    """A way to classify images by what a frozen encoder makes of them.

    Each probe is a frozen dataclass, whose fields are its settings.
    """

    name: ClassVar[str]
    """How results call it."""

    needs: ClassVar[str] = "pooled"
    """What it is fitted on: `"pooled"` features `(B, D)`, `"tokens"`
    `(B, T, D)`, or `"images"`, uint8 `(B, h, w, 3)`."""

    takes_views: ClassVar[bool] = False
    """Whether `fit` takes several crops of each image, and `groups`."""

    @abc.abstractmethod
    def fit(self, features: Tensor, labels: Tensor, encoder: Any = None) -> Any:
        """Fits the probe.

        Args:
            features: What the probe `needs` of the training images.
            labels: Integers of shape `(M,)`.
            encoder: A `keras_ab.probes.FrozenEncoder`, for probes that need
                images; the others do not look at it.

        Returns:
            A `Fitted`.
        """

    def for_crop(self, crop: str) -> Self:
        """The probe for a task that shows images in some way.

        Args:
            crop: `"center"`, where a part of an image says as much; or
                `"whole"`, where all of it must be seen, to count what is there.

        Returns:
            This, or one with other settings.
        """
        return self

    def config(self) -> dict[str, Any]:
        """The settings with the probe's name, JSON-ready."""
        settings = dataclasses.asdict(cast(Any, self))
        return {
            "probe": self.name,
            **{k: _plain(value) for k, value in settings.items()},
        }


def check_examples(
    features: Tensor, labels: Tensor, rank: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training examples as arrays, and their classes.

    Args:
        features: Of shape `(M, ...)`.
        labels: Integers of shape `(M,)`.
        rank: Int, the number of axes that features must have.

    Returns:
        Features, class numbers `(M,)` from 0 on, and the sorted labels that
        these stand for.

    Raises:
        ValueError: If they do not fit each other, or are not finite.
    """
    features, labels = np.asarray(features), np.asarray(labels)
    if len(features) != len(labels):
        raise ValueError(
            "Features and labels must have the same length. Received: "
            f"{len(features)} and {len(labels)}"
        )
    if features.ndim != rank or not len(features):
        raise ValueError(
            f"Features must have {rank} axes and an example or more. Received: "
            f"shape {features.shape}"
        )
    if labels.ndim != 1 or labels.dtype.kind not in "iub":
        raise ValueError(
            "Labels must be integers of shape (M,). Received: "
            f"{labels.dtype} of shape {labels.shape}"
        )
    if features.dtype.kind == "f" and not np.isfinite(features).all():
        bad = ~np.isfinite(features.reshape(len(features), -1)).all(1)
        raise ValueError(
            "Features must be finite. Received: NaN or infinity in "
            f"{int(bad.sum())} of {len(features)} examples"
        )
    classes, numbers = np.unique(labels, return_inverse=True)
    return features, numbers, classes


def count_unseen(train_labels: Tensor, labels: Tensor) -> int:
    """Test examples of a class that training never showed.

    No probe can predict it, so that each counts as a miss.

    Args:
        train_labels: Integers of shape `(M,)`.
        labels: Integers of shape `(B,)`.

    Returns:
        Int.

    Example:

    >>> keras_ab.probes.count_unseen([0, 1, 1], [1, 2, 2, 0])
    # 2
    """
    return int((~np.isin(labels, train_labels)).sum())


def _plain(value):
    return list(value) if isinstance(value, tuple) else value
