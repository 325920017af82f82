"""Reward, value and many crops: three ways to name a held-out image."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_ab.analysis import drawing
from keras_ab.analysis.views import WHOLE
from keras_ab.analysis.views import actions_between
from keras_ab.data import Source
from keras_ab.data.decoding import decode
from keras_ab.data.decoding import reencode
from keras_ab.data.inspection import find_fault
from keras_ab.data.sampling import sample_boxes
from keras_ab.data.source import captions_of
from keras_ab.models import Pretrainer
from keras_ab.probes.features import extract_views
from keras_ab.typing import PathLike
from keras_ab.typing import Size


@dataclasses.dataclass
class CaptionedCrops:
    """Several crops of each image, and its caption.

    Args:
        crops: uint8 of shape `(B, N, H, W, 3)`.
        boxes: Float32 of shape `(B, N, 4)`: where they are in the image.
        captions: List of B strings.
    """

    crops: np.ndarray
    boxes: np.ndarray
    captions: list


def captioned_crops(
    source: Source,
    count: int = 64,
    num_views: int = 4,
    size: Size = 48,
    area: tuple[float, float] = (0.05, 0.5),
    seed: int = 0,
) -> CaptionedCrops:
    """Crops of the first images of a source, by the law of training.

    Args:
        source: A `keras_ab.data.Source` whose records have `"text"`; bad
            ones are passed over.
        count: Int, images at most.
        num_views: Int, N, crops of each.
        size: Int or `(height, width)` of a crop.
        area: Pair in (0, 1]: share of the image in a crop.
        seed: Int.

    Returns:
        `CaptionedCrops`.

    Raises:
        ValueError: If records have no `"text"`, or none can be read.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=2)
    >>> keras_ab.analysis.captioned_crops(scenes, size=16).crops.shape
    # (2, 4, 16, 16, 3)
    """
    if "text" not in source.fields:
        raise ValueError(
            "`source` must hold captioned images, whose records have 'text'. "
            f"Received: records with {sorted(source.fields)}"
        )
    size = (size, size) if isinstance(size, int) else tuple(size)
    crops, boxes, captions = [], [], []
    for index in range(min(count, len(source))):
        if find_fault(source, index)["reason"]:
            continue
        record = source[index]
        image = _pixels(record["image"])
        pixels, places = sample_boxes(
            (seed, index), num_views, np.array(image.shape[:2]), area
        )
        cut = [
            extract_views(image[None, y : y + h, x : x + w], size)[0]
            for y, x, h, w in np.asarray(pixels)
        ]
        crops.append(np.stack(cut))
        boxes.append(np.asarray(places))
        captions.append(captions_of(record)[0])
    if not crops:
        raise ValueError(
            "None of the records can be read and has a caption. Received: "
            f"{len(source)} records, count={count}"
        )
    return CaptionedCrops(
        np.stack(crops), np.stack(boxes).astype("float32"), captions
    )


def _pixels(image):
    if not isinstance(image, bytes):
        return np.asarray(image)
    import tensorflow as tf

    return np.asarray(decode(reencode(tf.constant(image))))


def crop_accuracy(
    model: Pretrainer,
    held_out: CaptionedCrops,
    network: str | None = None,
    batch_size: int = 64,
) -> dict[str, float]:
    """How often an image's own caption is the likeliest of all captions.

    Args:
        model: A `keras_ab.models.Pretrainer` whose annotations are captions.
        held_out: `CaptionedCrops`. Equal captions count as one.
        network: As in `model.encode`.
        batch_size: Int, images to a call.

    Returns:
        Dict of `"reward"`, by p(l|x) of the first crop; `"value"`, for AB
        models, by Q of the first crop and the action that leads to the whole
        image; `"many_crops"`, by p(l|x) averaged over all crops; and
        `"chance"`, one in the number of captions.

    Example:

    >>> held_out = keras_ab.analysis.captioned_crops(
    ...     keras_ab.data.Scenes(size=2), size=16
    ... )
    >>> keras_ab.analysis.crop_accuracy(model, held_out)["chance"]
    # 0.5

    Reference:
        Figure 8, right.
    """
    texts = sorted(set(held_out.captions))
    own = np.array([texts.index(text) for text in held_out.captions])
    scores: dict[str, list[np.ndarray]] = {
        "reward": [],
        "value": [],
        "many_crops": [],
    }
    for start in range(0, len(own), batch_size):
        crops = held_out.crops[start : start + batch_size]
        flat = crops.reshape(-1, *crops.shape[2:])
        p = ops.convert_to_numpy(model.reward(flat, texts, network))
        p = p.reshape(*crops.shape[:2], -1)
        scores["reward"].append(p[:, 0])
        scores["many_crops"].append(p.mean(axis=1))
        if hasattr(model, "value"):
            views = held_out.boxes[start : start + batch_size, 0]
            out = np.stack([actions_between(v, [WHOLE]) for v in views])
            q = model.value(crops[:, 0], out, texts, network)
            scores["value"].append(ops.convert_to_numpy(q)[:, 0])
    found = {
        name: float((np.concatenate(parts).argmax(-1) == own).mean())
        for name, parts in scores.items()
        if parts
    }
    return {**found, "chance": 1 / len(texts)}


def draw_crop_accuracy(
    steps: np.ndarray,
    series: dict[str, np.ndarray],
    chance: float | None = None,
    titles: Sequence[str] | None = None,
    path: PathLike | None = None,
) -> Any:
    """Draws accuracies over the steps of training.

    Args:
        steps: Ints of shape `(S,)`.
        series: Dict from names, as `crop_accuracy` gives them, to floats
            `(S,)`.
        chance: Float, drawn as a line, or None.
        titles: Names for the legend, in the order of `series`, or None.
        path: Where to save the picture, or None.

    Returns:
        A `matplotlib.figure.Figure`.

    Example:

    >>> series = {"reward": np.array([0.5, 0.8]), "value": np.array([0.5, 0.7])}
    >>> figure = keras_ab.analysis.draw_crop_accuracy(
    ...     np.array([0, 100]), series, chance=0.5
    ... )

    Reference:
        Figure 8, right.
    """
    figure, ((axis,),) = drawing.figure_of(1, 1, 4.6, 3.2)
    for title, values in zip(titles or series, series.values()):
        axis.plot(steps, values, label=title.replace("_", " "))
    if chance is not None:
        axis.axhline(chance, color=drawing.GREY, lw=0.8, ls=":", label="chance")
    drawing.plain(axis, xlabel="step", ylabel="own caption first")
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False)
    return drawing.finish(figure, path)
