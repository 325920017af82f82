"""Probes that learn nothing: they ask a model that embeds texts."""

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any
from typing import ClassVar
from typing import cast

import numpy as np
from keras import ops

from keras_ab.probes.features import extract_views
from keras_ab.probes.frozen_encoder import FrozenEncoder
from keras_ab.probes.outcome import Outcome
from keras_ab.probes.tasks import Task
from keras_ab.probes.tasks.task import Record
from keras_ab.typing import Tensor


class TextProbe(abc.ABC):
    """A way to measure a model that embeds images and texts in one space.

    Each is a frozen dataclass, whose fields are its settings.
    """

    name: ClassVar[str]
    """How results call it."""

    needs: ClassVar[str] = "images"
    """It is shown pictures, not their features."""

    @abc.abstractmethod
    def fits(self, task: Task) -> bool:
        """Whether it can answer a task."""

    @abc.abstractmethod
    def measure(
        self,
        task: Task,
        encoder: FrozenEncoder,
        images: Tensor,
        records: Sequence[Record],
    ) -> list[Outcome]:
        """Measures an encoder.

        Args:
            task: A `Task` that is prepared.
            encoder: The `FrozenEncoder` of a `keras_ab.models.Pretrainer`
                whose reward takes captions.
            images: uint8 of shape `(B, h, w, 3)`, test pictures.
            records: Their records.

        Returns:
            A list of `Outcome`s.
        """

    def config(self) -> dict[str, Any]:
        """The settings with the probe's name, JSON-ready."""
        settings = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in dataclasses.asdict(cast(Any, self)).items()
        }
        return {"probe": self.name, **settings}

    def model(self, encoder: FrozenEncoder) -> Any:
        """The model behind an encoder, which must embed texts."""
        model = encoder.encoder
        if not hasattr(model, "embed_annotations"):
            raise ValueError(
                f"Probe {self.name!r} needs a model that embeds images and "
                "texts, such as keras_ab.models.CLIP. Received: "
                f"{type(model).__name__}"
            )
        return model


def embedded_images(
    model: Any,
    images: Tensor,
    network: str | None = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Images in the space that a model has in common with texts.

    Args:
        model: A `keras_ab.models.Pretrainer` whose reward takes captions.
        images: uint8 of shape `(N, H, W, 3)`, resized to the encoder's size.
        network: As in `keras_ab.probes.FrozenEncoder`.
        batch_size: Int, images to a call.

    Returns:
        Float32 of shape `(N, D)`.
    """
    size = model.encoder.image_shape[:2]
    return _embedded(
        lambda part: model.embed_images(extract_views(part, size), network),
        images,
        batch_size,
    )


def embedded_texts(
    model: Any,
    texts: Sequence[str],
    network: str | None = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Texts in the space that a model has in common with images.

    Args:
        model: As in `embedded_images`.
        texts: List of strings.
        network: As there.
        batch_size: Int, texts to a call.

    Returns:
        Float32 of shape `(N, D)`.
    """
    return _embedded(
        lambda part: model.embed_annotations(part, network), texts, batch_size
    )


def _embedded(function, items, batch_size):
    parts = [
        ops.convert_to_numpy(function(items[start : start + batch_size]))
        for start in range(0, len(items), batch_size)
    ]
    return np.concatenate(parts).astype("float32")
