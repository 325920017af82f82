"""Does the value function know which way to look?"""

import dataclasses
from collections.abc import Callable

import numpy as np
from keras import ops

from keras_ab.data import Source
from keras_ab.data.stream import check_fields
from keras_ab.models import Pretrainer
from keras_ab.models.annotation_bootstrapping import check_value_function
from keras_ab.probes.features import extract_views


@dataclasses.dataclass
class ForcedChoice:
    """Queries: from this view, which of two actions shows the object?

    Args:
        views: uint8 of shape `(Q, H, W, 3)`, where the agent stands.
        actions: Float32 of shape `(Q, 2, 4)`: relative boxes. The target of
            the first shows the object, that of the second does not.
        captions: List of Q one-object captions.
        seen: Bools of shape `(Q,)`: whether the view itself shows the object.
        targets: uint8 of shape `(Q, 2, H, W, 3)`: what the two actions lead
            to, which the value function never gets to see.
    """

    views: np.ndarray
    actions: np.ndarray
    captions: list
    seen: np.ndarray
    targets: np.ndarray

    def shuffled(self, seed: int = 0) -> "ForcedChoice":
        """The same queries, each with the actions of another one.

        Args:
            seed: Int.

        Returns:
            A `ForcedChoice`: a control that is in distribution.
        """
        order = np.random.default_rng(seed).permutation(len(self.views))
        # Every query gets the actions of its successor in a random cycle.
        actions = np.empty_like(self.actions)
        actions[order] = self.actions[np.roll(order, 1)]
        return dataclasses.replace(self, actions=actions)


def forced_choice_queries(
    source: Source,
    describe: Callable[[int, int], str],
    count: int = 1000,
    size: tuple[int, int] = (48, 48),
    area: tuple[float, float] = (0.05, 0.5),
    seed: int = 0,
) -> ForcedChoice:
    """Builds queries from records with boxes.

    For each record one object is drawn whose caption fits nothing else in the
    picture; the view and the targets are crops by the law of training. One
    target holds at least 70% of the object's box; the other has the same size
    and holds none of it, so that size gives nothing away.

    Args:
        source: A source of records with `"image"`, `"boxes"`, `"classes"` and
            `"colours"`.
        describe: Callable from class and colour indices to a caption.
        count: Int, queries to build, at most one a record.
        size: `(height, width)` of the views.
        area: Pair: share of the image in a crop.
        seed: Int.

    Returns:
        A `ForcedChoice`, of fewer queries where the source runs out.

    Raises:
        ValueError: If records lack a field, or none gives a query.

    Example:

    >>> from keras_ab.data.scenes import describe
    >>> queries = keras_ab.probes.forced_choice_queries(
    ...     keras_ab.data.Scenes(size=16), describe, size=(16, 16)
    ... )
    >>> queries.actions.shape[1:]
    # (2, 4)
    """
    check_fields(source, "image", "boxes", "classes", "colours")
    rng = np.random.default_rng(seed)
    views: list[np.ndarray] = []
    actions, captions, seen, targets = [], [], [], []
    for index in range(len(source)):
        if len(views) == count:
            break
        record = source[index]
        names = list(zip(record["classes"], record["colours"]))
        unique = [i for i, name in enumerate(names) if names.count(name) == 1]
        if not unique:
            continue
        chosen = unique[int(rng.integers(len(unique)))]
        box = record["boxes"][chosen]
        crops = _crops(rng, 64, record["image"].shape[:2], area)
        shows = np.nonzero(_share(box, crops[1:]) >= 0.7)[0]
        if not len(shows):
            continue
        shown = crops[1 + shows[0]]
        moved = _moved(rng, shown, 64)
        lacks = np.nonzero(_share(box, moved) == 0)[0]
        if not len(lacks):
            continue
        pair = np.stack([shown, moved[lacks[0]]])
        views.append(_cut(record["image"], crops[0], size))
        actions.append(_relative(crops[0], pair))
        captions.append(describe(*names[chosen]))
        seen.append(_share(box, crops[:1])[0] >= 0.3)
        targets.append([_cut(record["image"], box, size) for box in pair])
    if not views:
        raise ValueError(
            "No record has an object whose caption is its own, and crops of "
            f"which one shows it. Received: {len(source)} records, area={area}"
        )
    return ForcedChoice(
        np.stack(views),
        np.stack(actions).astype("float32"),
        captions,
        np.array(seen),
        np.array(targets),
    )


def forced_choice(
    model: Pretrainer,
    queries: ForcedChoice,
    network: str | None = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Whether Q is larger for the action that shows the object.

    Args:
        model: A `keras_ab.models.AnnotationBootstrapping`.
        queries: A `ForcedChoice`.
        network: As in `keras_ab.probes.extract_features`.
        batch_size: Int, queries to a call.

    Returns:
        Floats of shape `(Q,)`: 1 for a hit, 0 for a miss, 0.5 for a tie.
        Chance is 0.5.

    Raises:
        ValueError: If the model has no value function.

    Example:

    >>> from keras_ab.data.scenes import describe
    >>> queries = keras_ab.probes.forced_choice_queries(
    ...     keras_ab.data.Scenes(size=16), describe, size=(16, 16)
    ... )
    >>> hits = keras_ab.probes.forced_choice(model, queries)
    >>> hits[~queries.seen].mean()
    # of objects that the view does not show
    """
    check_value_function(model)

    def scores(part, captions):
        views, actions = queries.views[part], queries.actions[part]
        return model.value(views, actions, captions, network)

    return _choices(queries, scores, batch_size)


def forced_choice_ceiling(
    model: Pretrainer,
    queries: ForcedChoice,
    network: str | None = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Whether the reward is larger for what the right action leads to.

    The reward looks at both targets, the value function at neither: as the
    value is learnt from the reward, this is what it could reach if it foresaw
    everything.

    Args:
        model: A `keras_ab.models.Pretrainer` with a reward.
        queries: A `ForcedChoice`.
        network: As in `keras_ab.probes.extract_features`.
        batch_size: Int, queries to a call.

    Returns:
        Floats of shape `(Q,)`, as from `forced_choice`.

    Raises:
        ValueError: If the model has no reward.

    Example:

    >>> from keras_ab.data.scenes import describe
    >>> queries = keras_ab.probes.forced_choice_queries(
    ...     keras_ab.data.Scenes(size=16), describe, size=(16, 16)
    ... )
    >>> hits = keras_ab.probes.forced_choice_ceiling(model, queries)
    >>> hits.shape == queries.seen.shape
    # True
    """

    def scores(part, captions):
        pairs = queries.targets[part]
        flat = pairs.reshape(-1, *pairs.shape[2:])
        rewards = model.reward(flat, captions, network)
        return ops.reshape(rewards, (len(pairs), 2, -1))

    return _choices(queries, scores, batch_size)


def _choices(queries, scores, batch_size):
    """Hits of scores `(B, 2, L)` of both actions for all captions."""
    captions = sorted(set(queries.captions))
    columns = np.array([captions.index(c) for c in queries.captions])
    hits = []
    for start in range(0, len(columns), batch_size):
        part = slice(start, start + batch_size)
        values = ops.convert_to_numpy(scores(part, captions))
        column = columns[part][:, None, None]
        values = np.take_along_axis(values, column, 2)[..., 0]
        hits.append(0.5 + 0.5 * np.sign(values[:, 0] - values[:, 1]))
    return np.concatenate(hits)


def _crops(rng, count, shape, area, aspect_ratio=(3 / 4, 4 / 3)):
    """Boxes `(count, 4)` in whole pixels, normalised."""
    rows, columns = shape
    areas = rng.uniform(*area, count) * rows * columns
    ratios = np.exp(rng.uniform(*np.log(aspect_ratio), count))
    height = np.clip(np.round(np.sqrt(areas / ratios)), 1, rows)
    width = np.clip(np.round(np.sqrt(areas * ratios)), 1, columns)
    y = np.floor(rng.random(count) * (rows - height + 1))
    x = np.floor(rng.random(count) * (columns - width + 1))
    boxes = np.stack([y, x, y + height, x + width], 1)
    return boxes / np.array([rows, columns, rows, columns])


def _moved(rng, box, count):
    """A box at other places of the image, `(count, 4)`."""
    size = box[2:] - box[:2]
    corners = rng.random((count, 2)) * (1 - size)
    return np.concatenate([corners, corners + size], 1)


def _share(box, crops):
    """How much of a box each crop holds."""
    height = np.minimum(box[2], crops[:, 2]) - np.maximum(box[0], crops[:, 0])
    width = np.minimum(box[3], crops[:, 3]) - np.maximum(box[1], crops[:, 1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return np.maximum(height, 0) * np.maximum(width, 0) / area


def _relative(view, targets):
    origin = np.tile(view[:2], 2)
    return (targets - origin) / np.tile(view[2:] - view[:2], 2)


def _cut(image, box, size):
    rows, columns = image.shape[:2]
    y0, x0, y1, x1 = np.round(box * [rows, columns, rows, columns]).astype(int)
    return extract_views(image[None, y0:y1, x0:x1], size)[0]
