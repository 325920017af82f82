"""Retrieval of texts by images, and of images by texts."""

import dataclasses
from collections.abc import Sequence
from typing import Any
from typing import ClassVar

import numpy as np

from keras_ab.probes.by_text import TextProbe
from keras_ab.probes.by_text import embedded_images
from keras_ab.probes.by_text import embedded_texts
from keras_ab.probes.frozen_encoder import FrozenEncoder
from keras_ab.probes.knn import unit_rows
from keras_ab.probes.outcome import Outcome
from keras_ab.probes.tasks import Task
from keras_ab.probes.tasks.task import Record
from keras_ab.typing import Tensor


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
        captions = [record["text"] for record in records]
        owners = texts_and_owners(captions)[1]
        hits = retrieve(
            self.model(encoder),
            images,
            captions,
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


def retrieval_hits(
    images: Tensor,
    texts: Tensor,
    owners: Tensor,
    ranks: Sequence[int] = (1, 5, 10),
) -> dict[str, np.ndarray]:
    """Whether what belongs together is found among the first k.

    An image finds its text if one of its own is among the k most similar; a
    text has one image. Of equal similarities that of the wrong pair counts as
    the larger, so that embeddings that are all the same find nothing.

    Args:
        images: Embeddings of shape `(N, D)`; cosines are compared.
        texts: Embeddings of shape `(M, D)`.
        owners: Integers of shape `(M,)`: the image of each text. Every image
            has a text or more.
        ranks: Ints, k.

    Returns:
        Dict of bools: `"image_to_text@k"`, `(N,)`, and `"text_to_image@k"`,
        `(M,)`; a mean is recall at k.

    Raises:
        ValueError: If an image has no text, or a text no image.

    Example:

    >>> x = np.eye(8)
    >>> hits = keras_ab.probes.retrieval_hits(x, x, np.arange(8))
    >>> hits["image_to_text@1"].mean()
    # 1.0

    Reference:
        Karpathy and Fei-Fei 2015: recall at 1, 5 and 10.
    """
    images, texts = unit_rows(images), unit_rows(texts)
    owners = np.asarray(owners)
    if owners.shape != (len(texts),):
        raise ValueError(
            "`owners` must hold the image of each text. Received: shape "
            f"{owners.shape} for {len(texts)} texts"
        )
    without = np.setdiff1d(np.arange(len(images)), owners)
    if len(without) or owners.min() < 0 or owners.max() >= len(images):
        raise ValueError(
            "Every image must have a text, and every text an image. Received: "
            f"owners from {owners.min()} to {owners.max()} for {len(images)} "
            f"images, {len(without)} of them without a text"
        )
    found = {
        "image_to_text": _ranks_of_texts(images, texts, owners),
        "text_to_image": _ranks_of_images(images, texts, owners),
    }
    return {
        f"{name}@{k}": places < k
        for name, places in found.items()
        for k in ranks
    }


def retrieve(
    model: Any,
    images: Tensor,
    captions: Sequence[Sequence[str]],
    network: str | None = None,
    batch_size: int = 256,
    ranks: Sequence[int] = (1, 5, 10),
) -> dict[str, np.ndarray]:
    """Retrieval by a model whose reward takes captions.

    Args:
        model: A `keras_ab.models.Pretrainer`.
        images: uint8 of shape `(N, H, W, 3)`, resized to the encoder's size.
        captions: For each image, a list of one caption or more.
        network: As in `keras_ab.probes.FrozenEncoder`.
        batch_size: Int, images or texts to a call.
        ranks: Ints, k.

    Returns:
        As from `retrieval_hits`.

    Raises:
        ValueError: If an image has no caption, captions are not as many as
            images, the model has no reward, or images are not uint8 of that
            shape.

    Example:

    >>> captions = [["w1", "w2"], ["w3"], ["w4"], ["w5"]]
    >>> hits = keras_ab.probes.retrieve(model, images, captions)
    >>> hits["text_to_image@1"].shape
    # (5,)
    """
    texts, owners = texts_and_owners(captions)
    if len(captions) != len(images):
        raise ValueError(
            "There must be captions for each image. Received: "
            f"{len(captions)} for {len(images)}"
        )
    return retrieval_hits(
        embedded_images(model, images, network, batch_size),
        embedded_texts(model, texts, network, batch_size),
        owners,
        ranks,
    )


def texts_and_owners(
    captions: Sequence[str | Sequence[str]],
) -> tuple[list[str], np.ndarray]:
    """All captions in one list, and whose each is.

    Args:
        captions: For each image, a caption or a list of them.

    Returns:
        List of M strings, and ints of shape `(M,)`, the images.
    """
    several = [[c] if isinstance(c, str) else list(c) for c in captions]
    owners = np.repeat(np.arange(len(several)), [len(c) for c in several])
    return [text for own in several for text in own], owners


def retrieval_chance(
    owners: Tensor, images: int, ranks: Sequence[int] = (1, 5, 10)
) -> dict[str, float]:
    """Recall of similarities that are drawn at random.

    Args:
        owners: Integers of shape `(M,)`: the image of each text.
        images: Int, their number N.
        ranks: Ints, k.

    Returns:
        Dict of floats with the names of `retrieval_hits`.

    Example:

    >>> keras_ab.probes.retrieval_chance(np.arange(8), 8, ranks=(1,))
    # {'image_to_text@1': 0.125, 'text_to_image@1': 0.125}
    """
    counts = np.bincount(owners, minlength=images)
    total = len(owners)
    result = {}
    for k in ranks:
        drawn = np.arange(min(k, total))
        # None of k draws without replacement is one of the image's own.
        missed = np.clip(
            (total - counts[:, None] - drawn) / (total - drawn), 0, 1
        )
        result[f"image_to_text@{k}"] = float(1 - missed.prod(1).mean())
    for k in ranks:
        result[f"text_to_image@{k}"] = min(k, images) / images
    return result


def _ranks_of_texts(images, texts, owners, step=512):
    """How many texts of others come before an image's best own one."""
    ranks = []
    for start in range(0, len(images), step):
        similar = images[start : start + step] @ texts.T
        own = owners == start + np.arange(len(similar))[:, None]
        best = np.where(own, similar, -np.inf).max(1, keepdims=True)
        ranks.append((~own & (similar >= best)).sum(1))
    return np.concatenate(ranks)


def _ranks_of_images(images, texts, owners, step=512):
    """How many other images come before a text's own one."""
    ranks = []
    for start in range(0, len(texts), step):
        similar = texts[start : start + step] @ images.T
        own = owners[start : start + step, None]
        mine = np.take_along_axis(similar, own, 1)
        ranks.append((similar >= mine).sum(1) - 1)
    return np.concatenate(ranks)
