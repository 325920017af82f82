"""What the page shows, as a function of what was chosen; no page in it."""

import dataclasses
import threading
from typing import Any

import numpy as np

from keras_ab import analysis
from keras_ab.analysis.views import WHOLE
from keras_ab.explore.annotations import annotations_of
from keras_ab.explore.gallery import Gallery
from keras_ab.models import AnnotationBootstrapping
from keras_ab.typing import Box

PLACES = 17
SMALLEST = 0.02


@dataclasses.dataclass
class Scene:
    """What one model says of one situation.

    Args:
        values: A `keras_ab.analysis.ValueMap` of the wanted annotation alone.
        view: Where the agent stands, a box of the image.
        path: List of the boxes at which it stood, the first one first.
        best: A `keras_ab.analysis.Look` at the best box.
        chosen: A `Look` at the user's box, or None.
    """

    values: analysis.ValueMap
    view: Box
    path: list
    best: analysis.Look
    chosen: analysis.Look | None


class Explorer:
    """Models side by side, over the same pictures.

    Args:
        models: Dict from names to `keras_ab.models.AnnotationBootstrapping`s
            with the same kind of annotations.
        gallery: A `Gallery`.
        network: As in `model.encode`.

    Raises:
        ValueError: If a model has no value function, or kinds differ.
    """

    def __init__(
        self,
        models: dict[str, AnnotationBootstrapping],
        gallery: Gallery,
        network: str | None = None,
    ):
        for name, model in models.items():
            if not isinstance(model, AnnotationBootstrapping):
                raise ValueError(
                    "The explorer needs a model with a value function, a "
                    "keras_ab.models.AnnotationBootstrapping. Received: "
                    f"{name}, a {type(model).__name__}"
                )
            model.network(network)
        self.models, self.gallery, self.network = models, gallery, network
        kinds = [annotations_of(m, gallery) for m in models.values()]
        if len({type(kind) for kind in kinds}) > 1:
            raise ValueError(
                "Models that are compared need annotations of one kind. "
                f"Received: {[type(kind).__name__ for kind in kinds]}"
            )
        self.annotations = kinds[0]
        self._own = dict(zip(models, kinds))
        # One request at a time: a model is no shared ground.
        self._lock = threading.Lock()

    def scenes(
        self,
        picture: str,
        wanted: str,
        others: str = "",
        size: float = 0.35,
        steps: int = 0,
        start: Box = WHOLE,
        chosen: Box | None = None,
    ) -> dict[str, Scene]:
        """What each model says.

        Args:
            picture: Key of a picture.
            wanted: The annotation, as the page names it.
            others: Annotations beside it, one a line, where they are typed.
            size: Float, the side of the sliding box.
            steps: Int, greedy steps made so far.
            start: The box where they began.
            chosen: The user's box, or None.

        Returns:
            Dict from the models' names to `Scene`s. Rewards are shares among
            the annotations, the wanted one being first.
        """
        image = self.gallery[picture]
        with self._lock:
            return {
                name: self._scene(
                    model,
                    image,
                    self._own[name].among(wanted, others)[0],
                    size,
                    steps,
                    start,
                    chosen,
                )
                for name, model in self.models.items()
            }

    def _scene(self, model, image, annotations, size, steps, start, chosen):
        path = [start]
        if steps:
            walk = analysis.greedy_path(
                model,
                image,
                annotations,
                view=start,
                steps=steps,
                sizes=(size,),
                places=PLACES,
                network=self.network,
            )
            path += [tuple(box) for box in walk.boxes]
        view = path[-1]
        values = analysis.value_map(
            model,
            image,
            annotations[:1],
            size,
            PLACES,
            self.network,
            view,
        )

        def look(box):
            return analysis.look(
                model, image, [box], annotations, view, self.network
            )

        return Scene(
            values,
            view,
            path,
            look(values.best(0)),
            None if chosen is None else look(chosen),
        )


def as_box(corners: Any) -> Box | None:
    """Four numbers that were typed or dragged, as a box of the image.

    Args:
        corners: `(ymin, xmin, ymax, xmax)`, in any order of ends, perhaps
            beyond the edges; or with None among them.

    Returns:
        A box inside the image, of two hundredths at least; None where a
        number lacks.
    """
    if corners is None or any(c is None for c in corners):
        return None
    y, x = sorted(corners[0::2]), sorted(corners[1::2])
    low = np.clip([y[0], x[0]], 0, 1 - SMALLEST)
    high = np.clip([y[1], x[1]], low + SMALLEST, 1)
    top, left, bottom, right = (round(float(c), 4) for c in (*low, *high))
    return top, left, bottom, right
