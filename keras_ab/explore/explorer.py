"""What the page shows, as a function of what was chosen; no page in it."""

import dataclasses
import functools
import threading
from typing import Any

import numpy as np

from keras_ab import analysis
from keras_ab.analysis.views import WHOLE
from keras_ab.analysis.views import check_boxes
from keras_ab.explore.annotations import annotations_of
from keras_ab.explore.annotations import check_alike
from keras_ab.explore.gallery import Gallery
from keras_ab.models import AnnotationBootstrapping
from keras_ab.typing import Box

PLACES = 17
SMALLEST = 0.02
MAPS = 1024
"""Value maps that are kept, the ones asked for last: those of a walk."""

ALONE = (
    "p is a share among annotations, and there is only one: {more}. Q and the "
    "map need no others."
)
PARTLY = (
    "The model's actions do not reach all of the picture from here: there the "
    "map is empty."
)
STUCK = (
    "No box of this side is within reach of the model's actions from here: "
    "choose a smaller side, or start in a larger box."
)
BEYOND = "My box is beyond the reach of the model's actions from here: no Q."


@dataclasses.dataclass
class Scene:
    """What one model says of one situation.

    Args:
        values: A `keras_ab.analysis.ValueMap` of the wanted annotation alone,
            NaN where the model's actions do not reach.
        view: Where the agent stands, a box of the image.
        path: List of the boxes at which it stood, the first one first.
        best: A `keras_ab.analysis.Look` at the best box; None where none is
            within reach.
        chosen: A `Look` at the user's box, or None. Its Q is NaN where the
            box is beyond reach.
        here: Float, the reward of the view for the wanted annotation.
        labels: List of the annotations as people call them, the wanted one
            first. Where there is one alone, rewards are NaN: a share of one
            is 1 whatever is seen.
        notices: List of strings, what to know about these numbers.
    """

    values: analysis.ValueMap
    view: Box
    path: list
    best: analysis.Look | None
    chosen: analysis.Look | None
    here: float
    labels: list[str]
    notices: list[str]


class Explorer:
    """Models side by side, over the same pictures.

    Value maps are kept, so models should not be trained meanwhile.

    Args:
        models: Dict from names to `keras_ab.models.AnnotationBootstrapping`s
            with the same kind of annotations, and the same names of them.
        gallery: A `Gallery`.
        network: As in `model.encode`.

    Raises:
        ValueError: If a model has no value function, or annotations differ.
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
        self._own = {
            name: annotations_of(model, gallery, network)
            for name, model in models.items()
        }
        check_alike(self._own)
        self.annotations: Any = next(iter(self._own.values()))
        self._map = functools.lru_cache(MAPS)(self._value_map)
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
        with self._lock:
            return {
                name: self._scene(
                    name, picture, wanted, others, size, steps, start, chosen
                )
                for name in self.models
            }

    def possible_steps(
        self,
        picture: str,
        wanted: str,
        size: float,
        steps: int,
        start: Box = WHOLE,
    ) -> int:
        """How many of so many steps can be made.

        Args:
            picture: As in `scenes`.
            wanted: As in `scenes`.
            size: As in `scenes`.
            steps: As in `scenes`.
            start: As in `scenes`.

        Returns:
            Int, of the model that gets farthest: fewer than `steps` where no
            box is within reach any more.
        """
        with self._lock:
            walks = [
                self._walk(name, picture, wanted, size, steps, start)
                for name in self.models
            ]
        return max(len(walk) - 1 for walk in walks)

    def _scene(self, name, picture, wanted, others, size, steps, start, chosen):
        model, own = self.models[name], self._own[name]
        image = self.gallery[picture]
        annotations, labels = own.among(wanted, others)
        notices = own.notices(wanted, others)
        path = self._walk(name, picture, wanted, size, steps, start)
        view = path[-1]
        values = self._map(name, picture, wanted, size, view)

        def look(box):
            seen = analysis.look(
                model, image, [box], annotations, view, self.network
            )
            if len(labels) == 1:
                seen.rewards = np.full_like(seen.rewards, np.nan)
                seen.here = np.full_like(seen.here, np.nan)
            return seen

        best = best_box(values)
        seen = look(view if best is None else best)
        mine = None if chosen is None else look(chosen)
        if len(labels) == 1:
            notices.append(ALONE.format(more=own.more))
        if best is None:
            notices.append(STUCK)
        elif np.isnan(values.values).any():
            notices.append(PARTLY)
        if mine is not None and np.isnan(mine.values).any():
            notices.append(BEYOND)
        return Scene(
            values,
            view,
            path,
            None if best is None else seen,
            mine,
            float(seen.here[0]),
            labels,
            notices,
        )

    def _walk(self, name, picture, wanted, size, steps, start):
        """The boxes of a greedy walk, up to where nothing is within reach."""
        path = [tuple(float(c) for c in start)]
        for _ in range(steps):
            box = best_box(self._map(name, picture, wanted, size, path[-1]))
            if box is None:
                break
            path.append(box)
        return path

    def _value_map(self, name, picture, wanted, size, view):
        return analysis.value_map(
            self.models[name],
            self.gallery[picture],
            self._own[name].among(wanted)[0][:1],
            size,
            PLACES,
            self.network,
            view,
        )


def best_box(values: analysis.ValueMap) -> Box | None:
    """The box with the largest Q.

    Args:
        values: A `ValueMap` of one annotation, perhaps with NaN.

    Returns:
        `(ymin, xmin, ymax, xmax)`; None where all are NaN.
    """
    if np.isnan(values.values[..., 0]).all():
        return None
    box = check_boxes(values.best(0))
    top, left, bottom, right = (float(c) for c in box)
    return top, left, bottom, right


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
