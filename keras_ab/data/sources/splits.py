"""Dividing a source so that no group is on both sides."""

import numpy as np

from keras_ab.data.source import Source
from keras_ab.data.source import Subset


def split_by(
    source: Source, key: str = "clip", share: float = 0.1, seed: int = 0
) -> tuple[Subset, Subset]:
    """Two parts of a source that share no value of a field.

    With `"clip"`, frames of one video are all in one part.

    Args:
        source: A `keras_ab.data.Source`.
        key: Name of a field.
        share: Float in (0, 1), the share of the values, not of the records,
            that goes to the second part: at least one, and not all.
        seed: Int.

    Returns:
        `(rest, part)`, two `keras_ab.data.Subset`s. Records that the source
        has left out are listed by the first.

    Raises:
        ValueError: If the field is not there, or has a single value.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=20)
    >>> train, test = keras_ab.data.split_by(scenes, "scene_type", 0.3)
    """
    if key not in source.fields:
        raise ValueError(
            f"`key` must be one of {sorted(source.fields)}. Received: {key!r}"
        )
    if not 0 < share < 1:
        raise ValueError(f"`share` must lie in (0, 1). Received: {share}")
    values = np.array([source.annotations(i)[key] for i in range(len(source))])
    groups = np.unique(values)
    if len(groups) < 2:
        raise ValueError(
            f"All records have the same {key!r}, {groups[:1]}, so there is "
            "nothing to divide by"
        )
    count = min(max(1, round(share * len(groups))), len(groups) - 1)
    chosen = np.random.default_rng(seed).permutation(groups)[:count]
    inside = np.isin(values, chosen)
    return (
        Subset(source, np.flatnonzero(~inside), source.rejected),
        Subset(source, np.flatnonzero(inside), ()),
    )
