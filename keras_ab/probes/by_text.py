"""Probes that learn nothing: they ask a model that embeds texts."""

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any
from typing import ClassVar

import numpy as np

from keras_ab.probes.frozen_encoder import FrozenEncoder
from keras_ab.probes.outcome import Outcome
from keras_ab.probes.retrieval import retrieval_chance
from keras_ab.probes.retrieval import retrieve
from keras_ab.probes.tasks import Task
from keras_ab.probes.tasks.task import Record
from keras_ab.probes.zero_shot import TEMPLATES
from keras_ab.probes.zero_shot import class_prompts
from keras_ab.probes.zero_shot import zero_shot_predict
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
            for key, value in dataclasses.asdict(self).items()
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


@dataclasses.dataclass(frozen=True)
class ZeroShot(TextProbe):
    """Classification by the names of classes.

    A class is the mean of its prompts' embeddings.

    Args:
        templates: Strings with `{}` in place of the class's name.

    Example:

    >>> keras_ab.probes.ZeroShot(("a {}", "a photo of a {}")).config()
    # {"probe": "zero_shot", "templates": ["a {}", "a photo of a {}"]}

    Reference:
        Radford et al. 2021.
    """

    templates: tuple[str, ...] = TEMPLATES

    name: ClassVar[str] = "zero_shot"

    def __post_init__(self) -> None:
        # Says what is wrong with them.
        class_prompts(["name"], self.templates)

    def fits(self, task: Task) -> bool:
        return task.single_label

    def measure(
        self,
        task: Task,
        encoder: FrozenEncoder,
        images: Tensor,
        records: Sequence[Record],
    ) -> list[Outcome]:
        numbers = zero_shot_predict(
            self.model(encoder),
            images,
            class_prompts(task.words, self.templates),
            encoder.branch,
        )
        said = [task.words[int(n)] for n in numbers]
        return task.evaluate(task.from_labels(said), records)


@dataclasses.dataclass(frozen=True)
class Retrieval(TextProbe):
    """Finding an image's captions among all, and a caption's image.

    Args:
        ranks: Ints, k of recall at k.

    Example:

    >>> keras_ab.probes.Retrieval().config()
    # {"probe": "retrieval", "ranks": [1, 5, 10]}

    Reference:
        Karpathy and Fei-Fei 2015: recall at 1, 5 and 10.
    """

    ranks: tuple[int, ...] = (1, 5, 10)

    name: ClassVar[str] = "retrieval"

    def fits(self, task: Task) -> bool:
        return "text" in task.fields

    def measure(
        self,
        task: Task,
        encoder: FrozenEncoder,
        images: Tensor,
        records: Sequence[Record],
    ) -> list[Outcome]:
        texts = [record["text"] for record in records]
        texts = [[t] if isinstance(t, str) else list(t) for t in texts]
        owners = np.repeat(np.arange(len(texts)), [len(t) for t in texts])
        hits = retrieve(
            self.model(encoder),
            images,
            texts,
            encoder.branch,
            ranks=self.ranks,
        )
        chance = retrieval_chance(owners, len(records), self.ranks)
        return [
            Outcome.from_hits(
                name,
                found,
                chance[name],
                # Captions of one image belong together.
                groups=owners if len(found) == len(owners) else None,
            )
            for name, found in hits.items()
        ]
