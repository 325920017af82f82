"""Patch tokens as colours."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.analysis import drawing
from keras_ab.probes.features import extract_features
from keras_ab.typing import PathLike


def token_colours(
    model: Any,
    images: np.ndarray,
    network: str | None = None,
    grid_shape: tuple[int, int] | None = None,
) -> np.ndarray:
    """Three principal components of patch tokens, as red, green, blue.

    The components are those of all tokens of all images together, so that
    equal colours mean alike across images. Each is stretched so that its 1st
    and 99th percentile are 0 and 1, and its sign is such that the larger half
    of its weights is positive.

    Args:
        model: Any encoder (see `keras_ab.probes.FrozenEncoder`).
        images: uint8 of shape `(B, H, W, 3)`.
        network: As in `keras_ab.probes.extract_features`.
        grid_shape: `(rows, columns)` of the patches; None for a square.

    Returns:
        Float32 in [0, 1] of shape `(B, rows, columns, 3)`.

    Raises:
        ValueError: If the grid is not that of the encoder's patches, or
            images are not uint8 of shape `(B, H, W, 3)`.

    Example:

    >>> keras_ab.analysis.token_colours(model, images).shape
    # (4, 2, 2, 3)
    """
    tokens = extract_features(model, images, network, output="tokens")
    count, length, dim = tokens.shape
    side = round(length**0.5)
    rows, columns = grid_shape or (side, side)
    if rows * columns != length:
        raise ValueError(
            "`grid_shape` must be (rows, columns) of the encoder's "
            f"{length} patches. Received: {grid_shape}"
        )
    components = principal_components(tokens.reshape(-1, dim), 3)
    low, high = np.percentile(components, [1, 99], axis=0)
    colours = (components - low) / np.maximum(high - low, 1e-12)
    shape = (count, rows, columns, 3)
    return np.clip(colours, 0, 1).astype("float32").reshape(shape)


def principal_components(features: np.ndarray, count: int) -> np.ndarray:
    """Coordinates of features along their directions of largest variance.

    Args:
        features: Floats of shape `(M, D)`.
        count: Int, directions; of those that lack, coordinates are 0.

    Returns:
        Float64 of shape `(M, count)`.
    """
    centred = np.asarray(features, "float64")
    centred = centred - centred.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :count]
    # A direction has no sign of its own.
    axes = axes * np.where(axes.sum(axis=0) < 0, -1.0, 1.0)
    found = centred @ axes
    return np.pad(found, ((0, 0), (0, count - found.shape[1])))


def draw_token_colours(
    images: np.ndarray,
    colours: dict[str, np.ndarray] | np.ndarray,
    path: PathLike | None = None,
) -> Any:
    """Draws images and, below each, its patches as colours.

    Args:
        images: uint8 of shape `(B, H, W, 3)`.
        colours: What `token_colours` returned, or a dict of several such by
            title.
        path: Where to save the picture, or None.

    Returns:
        A `matplotlib.figure.Figure`.

    Example:

    >>> colours = keras_ab.analysis.token_colours(model, images)
    >>> figure = keras_ab.analysis.draw_token_colours(images, colours)
    """
    rows = colours if isinstance(colours, dict) else {"patch tokens": colours}
    titles: Sequence[str] = ["images", *rows]
    pictures = [images, *rows.values()]
    figure, axes = drawing.figure_of(len(rows) + 1, len(images), 1.4, 1.5)
    for line, title, row in zip(axes, titles, pictures):
        for axis, picture in zip(line, row):
            drawing.show(axis, picture)
        line[0].set_ylabel(title, fontsize=9)
    return drawing.finish(figure, path)
