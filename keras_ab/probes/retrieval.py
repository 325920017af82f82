"""Retrieval of texts by images, and of images by texts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_ab.probes.features import extract_views
from keras_ab.typing import Tensor


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
    images, texts = _unit(images), _unit(texts)
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

    Example:

    >>> captions = [["w1", "w2"], ["w3"], ["w4"], ["w5"]]
    >>> hits = keras_ab.probes.retrieve(model, images, captions)
    >>> hits["text_to_image@1"].shape
    # (5,)
    """
    captions = [[c] if isinstance(c, str) else list(c) for c in captions]
    if len(captions) != len(images):
        raise ValueError(
            "There must be captions for each image. Received: "
            f"{len(captions)} for {len(images)}"
        )
    texts = [text for own in captions for text in own]
    owners = np.repeat(np.arange(len(captions)), [len(c) for c in captions])
    size = model.network(network).encoder.image_shape[:2]

    def embed(function, items):
        return np.concatenate(
            [
                ops.convert_to_numpy(
                    function(items[start : start + batch_size], network)
                )
                for start in range(0, len(items), batch_size)
            ]
        )

    views = extract_views(images, size)
    return retrieval_hits(
        embed(model.embed_images, views),
        embed(model.embed_annotations, texts),
        owners,
        ranks,
    )


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


def _unit(x):
    x = np.asarray(x, "float64")
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
