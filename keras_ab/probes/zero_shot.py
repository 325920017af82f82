"""Classification by class names."""

import dataclasses
from collections.abc import Sequence
from typing import Any
from typing import ClassVar

import numpy as np

from keras_ab.probes.by_text import TextProbe
from keras_ab.probes.by_text import embedded_images
from keras_ab.probes.by_text import embedded_texts
from keras_ab.probes.frozen_encoder import FrozenEncoder
from keras_ab.probes.outcome import Outcome
from keras_ab.probes.tasks import Task
from keras_ab.probes.tasks.task import Record
from keras_ab.typing import Tensor

TEMPLATES = ("a photo of a {}.",)


@dataclasses.dataclass(frozen=True)
class ZeroShot(TextProbe):
    """Classification by the names of classes.

    A class is the mean of its prompts' embeddings.

    Args:
        templates: Strings with `{}` in place of the class's name.

    Raises:
        ValueError: If `templates` is a string, or one of them lacks `{}`.

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


def class_prompts(
    names: Sequence[str],
    templates: Sequence[str] = TEMPLATES,
    num_classes: int | None = None,
) -> list[list[str]]:
    """Prompts of classes from their names.

    Args:
        names: List of strings, one a class.
        templates: Strings with `{}` in place of the name.
        num_classes: Int, the number of classes that there must be, or None.

    Returns:
        A list of lists of strings, for `zero_shot_predict`.

    Raises:
        ValueError: If there is no name, names are not `num_classes`, a
            template lacks `{}`, or either is a string in place of a list.

    Example:

    >>> keras_ab.probes.class_prompts(["cat"], ["a {}.", "a photo of a {}."])
    # [['a cat.', 'a photo of a cat.']]
    """
    if isinstance(names, str) or not len(names):
        raise ValueError(
            f"`names` must be a list of class names. Received: {names!r}"
        )
    if num_classes is not None and len(names) != num_classes:
        raise ValueError(
            f"There must be a name for each of {num_classes} classes. "
            f"Received: {len(names)} names"
        )
    lacking = [t for t in templates if "{}" not in t]
    if lacking or isinstance(templates, str):
        raise ValueError(
            "`templates` must be a list of strings with '{}' in each. "
            f"Received: {lacking or templates!r}"
        )
    return [[t.replace("{}", name) for t in templates] for name in names]


def zero_shot_predict(
    model: Any,
    images: Tensor,
    prompts: Sequence[str] | Sequence[Sequence[str]],
    network: str | None = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Classifies images by the caption that fits best.

    Args:
        model: A `keras_ab.models.Pretrainer` whose reward takes captions.
        images: uint8 of shape `(B, H, W, 3)`, resized to the encoder's size.
        prompts: List of strings, one a class; or a list of lists of strings,
            several a class, whose embeddings are averaged.
        network: As in `keras_ab.probes.extract_features`.
        batch_size: Int, images or texts to a call.

    Returns:
        Ints of shape `(B,)`.

    Raises:
        ValueError: If there is no class, one has no prompt, the model has no
            reward, or images are not uint8 of that shape.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=8)
    >>> images = np.stack([scenes[i]["image"] for i in range(8)])
    >>> keras_ab.probes.zero_shot_predict(model, images, scenes.prompts())

    Reference:
        Radford et al. 2021.
    """
    classes = [[p] if isinstance(p, str) else list(p) for p in prompts]
    texts = [text for group in classes for text in group]
    if not classes or not all(classes):
        raise ValueError(
            "Every class must have a prompt or more. Received: "
            f"{[len(group) for group in classes]} prompts"
        )
    embedded = embedded_texts(model, texts, network, batch_size)
    # A reward that hands out other lengths must not weigh prompts by them.
    embedded /= np.linalg.norm(embedded, axis=1, keepdims=True)
    ends = np.cumsum([len(group) for group in classes])[:-1]
    means = np.stack([part.mean(0) for part in np.split(embedded, ends)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    found = embedded_images(model, images, network, batch_size)
    return (found @ means.T).argmax(1)
