"""Do two losses pull the encoder the same way?"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.analysis import drawing
from keras_ab.analysis.differentiation import Gradients
from keras_ab.models import Pretrainer
from keras_ab.typing import Batch
from keras_ab.typing import PathLike


class EncoderGradients:
    """Gradients of each loss term at the online encoder's weights.

    They are those of a training step: batch statistics, drop path, targets of
    the target network. Nothing of the model changes. Weights of objectives in
    the total do not enter.

    Args:
        model: A `keras_ab.models.Pretrainer`.
        terms: Names of objectives, or None for all.

    Attributes:
        losses: Dict from terms to floats, those of the last batch.

    Raises:
        ValueError: If the model has no objective of such a name.

    Example:

    >>> gradients = keras_ab.analysis.EncoderGradients(model)
    >>> gradients(dataset[0][0])["value"]
    # one vector of the encoder's size

    Reference:
        Figure 8, left.
    """

    def __init__(self, model: Pretrainer, terms: Sequence[str] | None = None):
        self.model = model
        names = [objective.name for objective in model.online.objectives]
        self.terms = names if terms is None else list(terms)
        self.losses: dict[str, Any] = {}
        # Raises for a name that there is not.
        self._objectives = [model.online.objective(t) for t in self.terms]
        self._gradients = Gradients(
            self._losses, model.variables, model.encoder.trainable_variables
        )

    def _losses(self, batch):
        model = self.model
        outputs = model.online(batch, training=True)
        targets = keras.tree.map_structure(
            ops.stop_gradient, model.network().targets(batch)
        )
        updates = ops.convert_to_tensor(model.updates)
        return [
            ops.mean(o.compute_loss(outputs[o.name], targets[o.name], updates))
            for o in self._objectives
        ]

    def __call__(self, batch: Batch) -> dict[str, np.ndarray]:
        """The gradients on a batch.

        Args:
            batch: The nested dict that `fit` consumes.

        Returns:
            Dict from names of terms to float32 `(P,)`, P being the number of
            the encoder's trained weights, in their order.

        Raises:
            ValueError: If the model cannot train on the batch.
        """
        self.model.check(batch)
        losses, rows = self._gradients(batch)
        self.losses = dict(zip(self.terms, losses))
        return {
            term: np.concatenate([g.ravel() for g in row])
            for term, row in zip(self.terms, rows)
        }


class GradientAlignment:
    """Cosine between the gradients of two loss terms at the encoder.

    A measure for `keras_ab.analysis.Collector`: call it with a model.

    Args:
        batches: A held-out batch, as `fit` consumes it, or a list of them;
            cosines are averaged over them.
        first: Name of an objective, `"reward"` being CLIP's in CLIP, SLIP,
            SiLC and ABCLIP.
        second: Name of another: `"value"` in AB models, `"ssl"` in SLIP,
            `"distillation"` in SiLC.

    Raises:
        ValueError: If there is no batch.

    Example:

    >>> alignment = keras_ab.analysis.GradientAlignment(dataset[0][0])
    >>> alignment(model)["cosine"]
    # in [-1, 1]

    Reference:
        Figure 8, left.
    """

    def __init__(
        self,
        batches: Batch | Sequence[Batch],
        first: str = "reward",
        second: str = "value",
    ):
        self.batches = [batches] if isinstance(batches, dict) else list(batches)
        if not self.batches:
            raise ValueError("`batches` must hold a batch. Received: none")
        self.first, self.second = first, second
        self._gradients: EncoderGradients | None = None

    def __call__(self, model: Pretrainer) -> dict[str, float]:
        """The alignment in a model as it is.

        Args:
            model: A `keras_ab.models.Pretrainer` with both terms.

        Returns:
            Dict of `"cosine"`, in [-1, 1] (0 where a gradient is zero); of
            the mean norms of both gradients, `"FIRST_norm"` and
            `"SECOND_norm"`; and of both losses, `"FIRST_loss"` and
            `"SECOND_loss"`, as in training.

        Raises:
            ValueError: If the model lacks a term, or cannot train on a batch.
        """
        terms = [self.first, self.second]
        if self._gradients is None or self._gradients.model is not model:
            self._gradients = EncoderGradients(model, terms)
        rows = []
        for batch in self.batches:
            found = self._gradients(batch)
            one, other = (found[t].astype("float64") for t in terms)
            sizes = np.linalg.norm(one), np.linalg.norm(other)
            product = sizes[0] * sizes[1]
            cosine = one @ other / product if product else 0.0
            losses = [self._gradients.losses[term] for term in terms]
            rows.append((cosine, *sizes, *losses))
        names = [f"{t}_{what}" for what in ("norm", "loss") for t in terms]
        means = np.mean(rows, axis=0).tolist()
        return dict(zip(["cosine", *names], means))


def draw_gradient_alignment(
    steps: np.ndarray,
    cosines: dict[str, np.ndarray],
    path: PathLike | None = None,
    ylabel: str = "cosine with CLIP's gradient",
) -> Any:
    """Draws cosines over the steps of training.

    Args:
        steps: Ints of shape `(S,)`.
        cosines: Dict from labels (`"ABCLIP"`, `"SLIP"`) to floats `(S,)`.
        path: Where to save the picture, or None.
        ylabel: String, whose gradient the cosines are with.

    Returns:
        A `matplotlib.figure.Figure`.

    Example:

    >>> figure = keras_ab.analysis.draw_gradient_alignment(
    ...     np.array([0, 100]), {"ABCLIP": np.array([0.4, 0.1])}
    ... )

    Reference:
        Figure 8, left.
    """
    figure, ((axis,),) = drawing.figure_of(1, 1, 4.6, 3.2)
    axis.axhline(0, color=drawing.GREY, lw=0.8)
    for label, values in cosines.items():
        axis.plot(steps, values, label=label)
    drawing.plain(axis, xlabel="step", ylabel=ylabel)
    axis.legend(frameon=False)
    return drawing.finish(figure, path)
