"""The implicit curriculum: which images the value function learns from."""

from typing import Any

import numpy as np
from keras import ops

from keras_ab.analysis import drawing
from keras_ab.analysis.differentiation import Gradients
from keras_ab.losses import bellman_value
from keras_ab.models import AnnotationBootstrapping
from keras_ab.models.annotation_bootstrapping import check_value_function
from keras_ab.typing import Batch
from keras_ab.typing import PathLike


class Curriculum:
    """Norm of the value loss' gradient at each image's representation.

    The value function attends to a view's tokens, of which the pooled
    representation is the mean. Its gradient is taken for a displacement δ of
    all tokens of a view, which displaces their mean by δ: `∂L/∂δ` is the sum
    of the tokens' gradients. The norm of an image is that over its N views
    together. Images are separable, since the annotations are held fixed: one
    backward pass gives the norms of all.

    A measure for `keras_ab.analysis.Collector`: call it with a model.

    Args:
        batch: A batch as `fit` consumes it, with any number B of images in
            `batch["value"]`.
        images_per_call: Int, how many of these to look at at a time.

    Raises:
        ValueError: If `images_per_call` is not positive.

    Example:

    >>> curriculum = keras_ab.analysis.Curriculum(dataset[0][0])
    >>> curriculum(model)["norms"]
    # shape (3,), one an image

    Reference:
        Section 5.4, Figure 9.
    """

    def __init__(self, batch: Batch, images_per_call: int = 64):
        if images_per_call < 1:
            raise ValueError(
                "`images_per_call` must be positive. Received: "
                f"{images_per_call}"
            )
        self.batch = batch
        self.images_per_call = images_per_call
        self._model: Any = None
        self._gradients: Any = None

    def __call__(self, model: AnnotationBootstrapping) -> dict[str, Any]:
        """The norms in a model as it is.

        Args:
            model: A `keras_ab.models.AnnotationBootstrapping`.

        Returns:
            Dict of `"norms"`, float32 `(B,)`, and their `"median"`, and the
            ratio of their 90th to their 10th percentile, `"spread"`.

        Raises:
            ValueError: If the model has no value function, or cannot train on
                the batch.
        """
        if self._model is not model:
            check_value_function(model)
            model.check(self.batch)
            self._model = model
            self._gradients = Gradients(self._loss, model.variables)
        values = self.batch["value"]
        count, views = np.shape(values["image"])[:2]
        dim = model.encoder.hidden_dim
        norms = []
        for start in range(0, count, self.images_per_call):
            stop = min(start + self.images_per_call, count)
            part = {k: v[start:stop] for k, v in values.items()}
            still = np.zeros(((stop - start) * views, dim), "float32")
            batch = {**self.batch, "value": part}
            _, ((gradient,),) = self._gradients(batch, still)
            rows = gradient.reshape(stop - start, -1)
            norms.append(np.linalg.norm(rows, axis=1))
        norms = np.concatenate(norms)
        low, middle, high = np.percentile(norms, [10, 50, 90])
        return {
            "norms": norms,
            "median": float(middle),
            "spread": float(high / max(low, 1e-30)),
        }

    def _loss(self, batch, displacement):
        """The sum of the images' value losses, as a list of one."""
        model = self._model
        value = model.online.objective(model.value_name)
        reward = model.online.objective(value.reward)
        views, states = (
            ops.convert_to_tensor(batch["value"][key])
            for key in ("image", value.actions.state_key)
        )
        tokens = model.online.encode(views) + displacement[:, None]
        actions = value.actions.relative(states)
        logits = value.value_logits(
            tokens,
            ops.reshape(actions, (-1, *actions.shape[2:])),
            reward.annotations(batch, model.online),
        )
        number = states.shape[1]
        logits = ops.reshape(logits, (-1, number, number, logits.shape[-1]))
        target = value.bellman_targets(batch, model.network())
        return [ops.sum(bellman_value(logits, target))]


def draw_curriculum(
    steps: np.ndarray,
    norms: np.ndarray,
    pictures: np.ndarray,
    stages: int = 4,
    ends: int = 6,
    path: PathLike | None = None,
) -> Any:
    """Draws the distribution of norms at several stages, and both ends.

    Args:
        steps: Ints of shape `(S,)`.
        norms: Floats of shape `(S, B)`, as `Curriculum` gives them.
        pictures: uint8 of shape `(B, H, W, 3)`, the images, or one view of
            each.
        stages: Int, how many of the steps to draw, the first and last among
            them.
        ends: Int, images to show of either end at the first and last of
            these; 0 for none.
        path: Where to save the picture, or None.

    Returns:
        A `matplotlib.figure.Figure`.

    Example:

    >>> batch = dataset[0][0]
    >>> norms = keras_ab.analysis.Curriculum(batch)(model)["norms"]
    >>> figure = keras_ab.analysis.draw_curriculum(
    ...     np.array([0]), norms[None], batch["value"]["image"][:, 0]
    ... )

    Reference:
        Figure 9.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    stages = min(stages, len(steps))
    chosen = np.unique(np.linspace(0, len(steps) - 1, stages).astype(int))
    colours = colormaps["viridis"](np.linspace(0, 0.9, len(chosen)))
    shown = np.unique(chosen[[0, -1]])
    ends = min(ends, norms.shape[1] // 2)
    figure = Figure(figsize=(4.2 + ends * 0.95, 4.4), layout="constrained")
    left: Any = figure
    if ends:
        halves: Any = figure.subfigures(1, 2, width_ratios=(4.2, ends * 0.95))
        left, right = halves
    axis = left.subplots()
    share = np.arange(1, norms.shape[1] + 1) / norms.shape[1]
    for place, colour in zip(chosen, colours):
        axis.plot(
            np.sort(norms[place]),
            share,
            color=colour,
            label=f"step {steps[place]}",
        )
    drawing.plain(
        axis,
        xlabel="norm of the value gradient",
        ylabel="share of images",
        ylim=(0, 1),
    )
    if (norms[chosen] > 0).all():
        axis.set_xscale("log")
    axis.legend(frameon=False, fontsize=8)
    if not ends:
        return drawing.finish(figure, path)
    axes = right.subplots(2 * len(shown), ends, squeeze=False)
    for row, place in enumerate(shown):
        order = np.argsort(norms[place])
        for offset, indices in enumerate((order[:ends], order[::-1][:ends])):
            line = axes[2 * row + offset]
            for cell, index in zip(line, indices):
                drawing.show(cell, pictures[index])
            name = ("smallest", "largest")[offset]
            line[0].set_title(
                f"{name}, step {steps[place]}", fontsize=9, loc="left"
            )
    return drawing.finish(figure, path)
