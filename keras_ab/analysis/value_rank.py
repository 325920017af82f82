"""Do value maps point at what was named?"""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from keras_ab.analysis.views import WHOLE
from keras_ab.analysis.views import actions_between
from keras_ab.analysis.views import crop_view
from keras_ab.data import Source
from keras_ab.data.stream import check_fields
from keras_ab.models import AnnotationBootstrapping
from keras_ab.models.annotation_bootstrapping import check_value_function


def value_ranks(
    model: AnnotationBootstrapping,
    source: Source,
    describe: Callable[[int, int], str],
    count: int = 200,
    size: float = 0.35,
    boxes: int = 64,
    seed: int = 0,
    network: str | None = None,
) -> np.ndarray:
    """Where the box around a named object ranks among random boxes, by Q.

    Of each record one object is drawn whose caption fits nothing else in the
    picture and which a box of that size holds. The model sees the whole image
    and is asked for the box around the object, and for others of its size at
    places where such objects are in other pictures. So who has not looked, but
    knows where objects tend to be, is at chance: among places drawn evenly he
    is not.

    Args:
        model: A `keras_ab.models.AnnotationBootstrapping` whose annotations
            are captions.
        source: A source of records with `"image"` (pixels), `"boxes"`,
            `"classes"` and `"colours"`.
        describe: Callable from class and colour indices to a caption, such as
            `keras_ab.data.scenes.describe`.
        count: Int, records at most.
        size: Float, the boxes' side as a share of the image's.
        boxes: Int, other boxes for each record.
        seed: Int.
        network: As in `model.encode`.

    Returns:
        Float64 of shape `(M,)`: the share of the other boxes with a larger Q,
        ties counted by half. 0: the map points at the object; 0.5: by chance.
        `keras_ab.probes.bootstrap_interval` gives the mean's interval.

    Raises:
        ValueError: If the model has no value function, records lack a field,
            or fewer than two of them have such an object.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=16)
    >>> from keras_ab.data.scenes import describe
    >>> ranks = keras_ab.analysis.value_ranks(model, scenes, describe, boxes=4)
    >>> ranks.min() >= 0, ranks.max() <= 1
    # True, True
    """
    check_value_function(model)
    check_fields(source, "image", "boxes", "classes", "colours")
    rng = np.random.default_rng(seed)
    found: list[tuple[int, Any, np.ndarray]] = []
    for index in range(len(source)):
        if len(found) == count:
            break
        record = source.annotations(index)
        names = list(zip(record["classes"], record["colours"]))
        places = np.asarray(record["boxes"], "float64")
        fits = ((places[:, 2:] - places[:, :2]) <= size).all(axis=1)
        known = [i for i in np.nonzero(fits)[0] if names.count(names[i]) == 1]
        if known:
            chosen = known[int(rng.integers(len(known)))]
            middle = (places[chosen, :2] + places[chosen, 2:]) / 2
            corner = np.clip(middle - size / 2, 0, 1 - size)
            found.append((index, names[chosen], corner))
    if len(found) < 2:
        raise ValueError(
            "Two records or more must have an object that a box of this size "
            "holds, and whose caption is its own. Received: "
            f"{len(source)} records, size={size}"
        )
    corners = np.stack([corner for _, _, corner in found])
    ranks = []
    for number, (index, name, corner) in enumerate(found):
        others = rng.integers(len(found) - 1, size=boxes)
        others = corners[others + (others >= number)]
        places = np.concatenate([corner[None], others])
        asked = np.concatenate([places, places + size], axis=1)
        record = source[index]
        view = crop_view(record["image"], WHOLE, model.encoder.image_shape[:2])
        q = model.value(
            view[None],
            actions_between(WHOLE, asked)[None],
            [describe(*name)],
            network,
        )
        q = ops.convert_to_numpy(q)[0, :, 0]
        ranks.append((q[1:] > q[0]).mean() + (q[1:] == q[0]).mean() / 2)
    return np.array(ranks)
