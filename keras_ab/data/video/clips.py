"""Drawing a clip, and painting its frames."""

import dataclasses

import numpy as np

from keras_ab.data.scenes.backdrop import backdrop
from keras_ab.data.scenes.grammar import SCENE_TYPES
from keras_ab.data.scenes.layout import Layout
from keras_ab.data.scenes.layout import Thing
from keras_ab.data.scenes.layout import draw_slot
from keras_ab.data.scenes.layout import empty_layout
from keras_ab.data.scenes.layout import furnish
from keras_ab.data.scenes.render import develop
from keras_ab.data.scenes.render import paint_things
from keras_ab.data.scenes.render import sample_light
from keras_ab.data.scenes.render import sample_look
from keras_ab.data.scenes.shapes import CLASSES
from keras_ab.data.video.actions import USES
from keras_ab.data.video.actions import Action
from keras_ab.data.video.actions import act
from keras_ab.data.video.actions import sample_action
from keras_ab.data.video.camera import Camera
from keras_ab.data.video.camera import sample_camera
from keras_ab.data.video.camera import seen
from keras_ab.data.video.hand import Limb
from keras_ab.data.video.hand import sample_person
from keras_ab.typing import Box


@dataclasses.dataclass
class Clip:
    """A clip before any pixel.

    Args:
        layout: A `Layout`; its first thing is acted on.
        action: An `Action`.
        camera: A `Camera`.
    """

    layout: Layout
    action: Action
    camera: Camera

    def things(self, time: float) -> tuple[list[Thing], list[Limb]]:
        """What there is at some time, in the scene's coordinates.

        Args:
            time: Float, 0 begin to 1 end.

        Returns:
            A list of `Thing`s, the one acted on first; and a list of `Limb`s.
        """
        main, *others = self.layout.things
        moved, limbs = act(self.action, main, time)
        across, down = moved.x - main.x, moved.y - main.y
        carried = [
            dataclasses.replace(other, x=other.x + across, y=other.y + down)
            if other.support == main.order
            else other
            for other in others
        ]
        return [moved, *carried], limbs


def sample_clip(rng: np.random.Generator) -> Clip:
    """Draws a clip.

    Args:
        rng: A `np.random.Generator`.

    Returns:
        A `Clip`.
    """
    layout = empty_layout(rng)
    slots = SCENE_TYPES[layout.scene_type].slots
    main = draw_slot(rng, [slot for slot in slots if slot.name in USES])
    furnish(rng, layout, main, most=7)
    thing = layout.things[0]
    action = sample_action(rng, CLASSES[thing.index], sample_person(rng))
    middle, limbs = act(action, thing, 0.5)
    hand = limbs[-1]
    camera = sample_camera(
        rng,
        0.7 * middle.x + 0.3 * hand.x,
        0.7 * middle.y + 0.3 * hand.y,
    )
    return Clip(layout, action, camera)


def paint_frame(
    clip: Clip,
    time: float,
    size: int,
    rng: np.random.Generator,
    noise: np.random.Generator,
) -> tuple[np.ndarray, list[Thing], list[tuple[float, Box | None]]]:
    """Paints one frame.

    Args:
        clip: A `Clip`.
        time: Float, 0 begin to 1 end.
        size: Int, side of the picture in pixels.
        rng: A `np.random.Generator`, in the same state for all frames of a
            clip.
        noise: A `np.random.Generator`, for the noise of pixels.

    Returns:
        uint8 `(size, size, 3)`; the `Thing`s in the view's coordinates, the
        one acted on first; and what `paint_things` returns for them.
    """
    view = clip.camera.view(time)
    things, limbs = clip.things(time)
    things, limbs = ([seen(t, view) for t in ts] for ts in (things, limbs))
    looks = [sample_look(thing, rng) for thing in (*things, *limbs)]
    light = sample_light(rng)
    canvas = backdrop(clip.layout, size, rng, view)
    look = {id(t): looks[i] for i, t in enumerate((*things, *limbs))}
    visible = paint_things(
        canvas, [*things, *limbs], light, lambda thing: look[id(thing)]
    )
    return develop(canvas, noise, rng), things, visible[: len(things)]
