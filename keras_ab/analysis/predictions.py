"""What a model says of one image, and how that changes through training."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_ab.analysis import drawing
from keras_ab.models import Pretrainer
from keras_ab.probes.features import extract_views
from keras_ab.typing import Box
from keras_ab.typing import PathLike

ZOOM_OUT = (-0.5, -0.5, 1.5, 1.5)
"""The action that shows twice as much on either axis."""


def predictions(
    model: Pretrainer,
    image: np.ndarray,
    annotations: Any,
    action: Box = ZOOM_OUT,
    network: str | None = None,
) -> dict[str, np.ndarray]:
    """p(l|x), and Q(x, a, l) where the model has a value function.

    Args:
        model: A `keras_ab.models.Pretrainer` with a reward.
        image: uint8 of shape `(H, W, 3)`, resized to the encoder's size.
        annotations: What the reward understands, L of them.
        action: Relative box, by default a zoom out by two.
        network: As in `model.encode`.

    Returns:
        Dict of `"reward"` and, for AB models, `"value"`: float32 `(L,)`.

    Example:

    >>> keras_ab.analysis.predictions(model, image, ["w1", "w2"])["reward"]
    # shape (2,), sums to 1

    Reference:
        Figure 7.
    """
    view = extract_views(np.asarray(image)[None], model.encoder.image_shape[:2])
    reward = model.reward(view, annotations, network)
    found = {"reward": ops.convert_to_numpy(reward)[0]}
    if hasattr(model, "value"):
        actions = np.asarray(action, "float32").reshape(1, 1, 4)
        value = model.value(view, actions, annotations, network)
        found["value"] = ops.convert_to_numpy(value)[0, 0]
    return found


def draw_predictions(
    steps: np.ndarray,
    series: dict[str, np.ndarray],
    captions: Sequence[str],
    image: np.ndarray | None = None,
    path: PathLike | None = None,
) -> Any:
    """Draws predictions over the steps of training, one plot a series.

    Args:
        steps: Ints of shape `(S,)`.
        series: Dict from titles (`"p, CLIP"`, `"Q, ABCLIP"`) to floats
            `(S, L)`.
        captions: List of L strings.
        image: uint8 of shape `(H, W, 3)`, shown beside them, or None.
        path: Where to save the picture, or None.

    Returns:
        A `matplotlib.figure.Figure`.

    Example:

    >>> values = np.array([[0.5, 0.5], [0.9, 0.1]])
    >>> figure = keras_ab.analysis.draw_predictions(
    ...     np.array([0, 100]), {"p, CLIP": values}, ["a cup", "a car"], image
    ... )

    Reference:
        Figure 7.
    """
    first = int(image is not None)
    figure, axes = drawing.figure_of(1, first + len(series), 3.4, 3.0)
    if image is not None:
        drawing.show(axes[0, 0], image, "the view")
    for axis, (title, values) in zip(axes[0, first:], series.items()):
        for index, caption in enumerate(captions):
            axis.plot(steps, values[:, index], label=caption)
        drawing.plain(axis, xlabel="step")
        axis.set_title(title, fontsize=10)
        axis.set_ylim(bottom=0)
    handles, labels = axes[0, -1].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=min(len(captions), 4),
        frameon=False,
        fontsize=9,
    )
    return drawing.finish(figure, path)
