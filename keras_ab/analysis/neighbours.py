"""Which images a model finds alike."""

from typing import Any

import numpy as np

from keras_ab.analysis import drawing
from keras_ab.typing import PathLike


def nearest_neighbours(
    queries: np.ndarray, features: np.ndarray, k: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest features of each query, by cosine.

    Args:
        queries: Floats of shape `(Q, D)`, for example from
            `keras_ab.probes.extract_features`.
        features: Floats of shape `(M, D)`.
        k: Int, neighbours.

    Returns:
        Int64 `(Q, k)`, places in `features`, nearest first; and float64
        `(Q, k)`, the cosines.

    Raises:
        ValueError: If `k` is not in [1, M].

    Example:

    >>> keras_ab.analysis.nearest_neighbours(np.eye(2), np.eye(2), k=1)[0]
    # [[0], [1]]
    """
    queries, features = np.asarray(queries), np.asarray(features)
    if not 1 <= k <= len(features):
        raise ValueError(f"`k` must lie in [1, {len(features)}]. Received: {k}")
    cosines = _unit(queries) @ _unit(features).T
    places = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return places, np.take_along_axis(cosines, places, axis=1)


def _unit(x):
    x = x.astype("float64")
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def draw_nearest_neighbours(
    queries: np.ndarray,
    images: np.ndarray,
    places: np.ndarray,
    cosines: np.ndarray | None = None,
    path: PathLike | None = None,
) -> Any:
    """Draws each query and its neighbours in a row.

    Args:
        queries: uint8 of shape `(Q, H, W, 3)`.
        images: uint8 of shape `(M, H, W, 3)`.
        places: Ints of shape `(Q, k)`, as from `nearest_neighbours`.
        cosines: Floats of shape `(Q, k)`, written above them, or None.
        path: Where to save the picture, or None.

    Returns:
        A `matplotlib.figure.Figure`.

    Example:

    >>> features = keras_ab.probes.extract_features(model, images)
    >>> near = keras_ab.analysis.nearest_neighbours(features, features, k=2)
    >>> figure = keras_ab.analysis.draw_nearest_neighbours(
    ...     images, images, *near
    ... )
    """
    count, k = places.shape
    figure, axes = drawing.figure_of(count, k + 1, 1.25, 1.4)
    for row, line in enumerate(axes):
        drawing.show(line[0], queries[row], "query" if row == 0 else "")
        for spine in line[0].spines.values():
            spine.set(color="tab:red", linewidth=2)
        for column, axis in enumerate(line[1:]):
            title = "" if cosines is None else f"{cosines[row, column]:.2f}"
            drawing.show(axis, images[places[row, column]], title)
    return drawing.finish(figure, path)
