"""Which neighbours the value function foretells first."""

from typing import Any

import numpy as np
from keras import ops

from keras_ab.analysis import drawing
from keras_ab.analysis.overlap import box_iou
from keras_ab.models import AnnotationBootstrapping
from keras_ab.models.annotation_bootstrapping import check_value_function
from keras_ab.models.first_batch import as_arrays
from keras_ab.models.inference import no_gradients
from keras_ab.typing import Batch
from keras_ab.typing import PathLike


def value_accuracy(
    model: AnnotationBootstrapping, batch: Batch, bins: int = 5
) -> dict[str, Any]:
    """How often Q's best annotation is the target's, by overlap.

    A pair of views (i, j) counts as right if the annotation of the largest
    `Q(x_i, bb_{i→j}, l)` is that of the largest Bellman target `y[j, l]`. Q is
    the online network's, the target is the lagging network's, as in the loss.

    Few annotations are often the best of many crops, so that Q may be right
    without having looked: `"shuffled"` is the control, the accuracy where each
    image's Q is held against the next image's targets.

    Args:
        model: A `keras_ab.models.AnnotationBootstrapping` whose actions are
            crop boxes.
        batch: A held-out batch, as `fit` consumes it.
        bins: Int, equal bins of the overlap (intersection over union) of
            source and target crop over [0, 1].

    Returns:
        Dict of `"accuracy"` and `"pairs"`, float64 and int64 `(bins,)`, over
        pairs i ≠ j (NaN where there is none); `"moving"`, the accuracy of all
        of these; `"shuffled"`, what of it another image's targets get (NaN
        for a batch of one); and `"staying"`, the accuracy of i = j.

    Raises:
        ValueError: If the model has no value function or its actions are no
            crop boxes, or `bins` is not positive.

    Example:

    >>> keras_ab.analysis.value_accuracy(model, dataset[0][0])["staying"]
    # ...

    Reference:
        Figure 4, right.
    """
    check_value_function(model)
    value = model.online.objective(model.value_name)
    if value.actions.state_key != "boxes":
        raise ValueError(
            "Overlap is that of crop boxes. Received: an action space of "
            f"{value.actions.state_key!r}"
        )
    batch = as_arrays(batch)
    if bins < 1:
        raise ValueError(f"`bins` must be positive. Received: {bins}")
    with no_gradients():
        outputs = model.online(batch)[model.value_name]
        best = ops.argmax(value.q_logits(outputs), axis=-1)
        target = value.bellman_targets(batch, model.network())
        wanted = ops.argmax(target, axis=-1)
    best, wanted = map(ops.convert_to_numpy, (best, wanted))
    hits = best == wanted[:, None]
    others = best == np.roll(wanted, -1, axis=0)[:, None]
    iou = box_iou(ops.convert_to_numpy(batch["value"]["boxes"]))
    same = np.eye(iou.shape[-1], dtype=bool)
    moves, overlap = hits[:, ~same], iou[:, ~same]
    place = np.minimum((overlap * bins).astype(int), bins - 1).ravel()
    pairs = np.bincount(place, minlength=bins)
    right = np.bincount(place, weights=moves.ravel(), minlength=bins)
    return {
        "accuracy": np.where(pairs, right / np.maximum(pairs, 1), np.nan),
        "pairs": pairs,
        "moving": moves.mean(),
        # One image has no other.
        "shuffled": others[:, ~same].mean() if len(others) > 1 else np.nan,
        "staying": hits[:, same].mean(),
    }


def draw_value_accuracy(
    steps: np.ndarray,
    accuracy: np.ndarray,
    staying: np.ndarray | None = None,
    path: PathLike | None = None,
) -> Any:
    """Draws accuracy over the steps of training, a line a bin of overlap.

    Args:
        steps: Ints of shape `(S,)`.
        accuracy: Floats of shape `(S, bins)`, as `value_accuracy` gives them.
        staying: Floats of shape `(S,)` for i = j, or None.
        path: Where to save the picture, or None.

    Returns:
        A `matplotlib.figure.Figure`.

    Example:

    >>> accuracy = np.array([[0.1, 0.2], [0.3, 0.5]])
    >>> figure = keras_ab.analysis.draw_value_accuracy(
    ...     np.array([0, 100]), accuracy, staying=np.array([0.4, 0.9])
    ... )

    Reference:
        Figure 4, right.
    """
    from matplotlib import colormaps

    figure, ((axis,),) = drawing.figure_of(1, 1, 5.2, 3.4)
    bins = accuracy.shape[1]
    colours = colormaps["viridis"](np.linspace(0, 0.9, bins))
    for index in range(bins):
        label = f"overlap {index / bins:.2g} to {(index + 1) / bins:.2g}"
        if np.isfinite(accuracy[:, index]).any():
            axis.plot(
                steps, accuracy[:, index], color=colours[index], label=label
            )
    if staying is not None:
        axis.plot(steps, staying, color="black", ls=":", label="staying")
    drawing.plain(axis, xlabel="step", ylabel="Q names the target's best")
    axis.set_ylim(bottom=0)
    axis.legend(
        frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5)
    )
    return drawing.finish(figure, path)
