"""The clips as a source of frames."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.data.scenes.captions import describe
from keras_ab.data.scenes.shapes import CLASSES
from keras_ab.data.scenes.source import SPLITS
from keras_ab.data.scenes.source import check_source
from keras_ab.data.scenes.source import visible_things
from keras_ab.data.source import Source
from keras_ab.data.source import Subset
from keras_ab.data.video.actions import VERBS
from keras_ab.data.video.captions import write_action_captions
from keras_ab.data.video.clips import paint_frame
from keras_ab.data.video.clips import sample_clip

STREAM = 2
"""Keeps the random numbers of this set apart from those of the others."""


class Video(Source):
    """Generated clips of someone's hand doing something, without a download.

    A camera pans and zooms over a scene (see `Scenes`) in which one object,
    the noun, is acted on. Which nouns occur depends on the scene, and which
    verbs on the noun; the hand and what it does to the object tell the verb,
    in the middle frame best. Frame f of clip c is record
    `c * frames + f`, a pure function of `(seed, split, c, f)`.

    Records hold `"image"`, `"id"`, `"text"` (captions, of which the first
    two name the action), `"verb"`, `"noun"` and `"label"` (the noun again),
    `"clip"`, `"frame"`, `"boxes"`, `"classes"` and `"colours"` of the visible
    objects, and `"scene_type"`.

    Args:
        clips: Int, number of clips.
        frames: Int, number of frames of each.
        seed: Int.
        image_size: Int, side of the pictures in pixels.
        split: `"train"` or `"test"`, which share no clip.
        captions: Bool, whether records have `"text"`.

    Example:

    >>> video = keras_ab.data.Video(clips=10, frames=16)
    >>> record = video.middle_frames()[3]
    >>> video.verb_names[record["verb"]], video.class_names[record["noun"]]
    """

    def __init__(
        self,
        clips: int = 1000,
        frames: int = 16,
        seed: int = 0,
        image_size: int = 96,
        split: str = "train",
        captions: bool = True,
    ):
        check_source(clips, image_size, split)
        if frames < 1:
            raise ValueError(f"`frames` must be positive. Received: {frames}")
        self.clips = clips
        self.frames = frames
        self.seed = seed
        self.image_size = image_size
        self.split = split
        self.captions = captions

    class_names = CLASSES
    never_fails = True
    verb_names = VERBS

    @staticmethod
    def prompts() -> list[str]:
        """One caption a noun, in the order of the labels."""
        return [describe(index) for index in range(len(CLASSES))]

    def __len__(self) -> int:
        return self.clips * self.frames

    @property
    def fields(self) -> frozenset[str]:
        fields = {
            "image",
            "id",
            "label",
            "verb",
            "noun",
            "clip",
            "frame",
            "boxes",
            "classes",
            "colours",
            "scene_type",
        }
        return frozenset(fields | {"text"} if self.captions else fields)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < len(self):
            raise IndexError(f"{index} is not in [0, {len(self)})")
        number, frame = divmod(index, self.frames)
        key = [self.seed, SPLITS.index(self.split), number, STREAM]
        rng = np.random.default_rng(key)
        clip = sample_clip(rng)
        own = np.random.default_rng([*key, frame + 1])
        image, things, visible = paint_frame(
            clip, (frame + 0.5) / self.frames, self.image_size, rng, own
        )
        main, verb = things[0], clip.action.verb
        things, boxes = visible_things(things, visible, self.image_size)
        record = {
            "image": image,
            "id": f"video-{self.split}-{self.seed}-{number:06d}-{frame:03d}",
            "label": main.index,
            "verb": verb,
            "noun": main.index,
            "clip": number,
            "frame": frame,
            "boxes": boxes,
            "classes": np.array([t.index for t in things], "int64"),
            "colours": np.array([t.colour for t in things], "int64"),
            "scene_type": clip.layout.scene_type,
        }
        if self.captions:
            record["text"] = write_action_captions(verb, things, main, own)
        return record

    def of_clips(self, clips: slice | Sequence[int]) -> Subset:
        """All frames of some clips, as a source.

        Args:
            clips: A slice, or a sequence of ints.

        Returns:
            A `Subset`.
        """
        if isinstance(clips, slice):
            clips = range(self.clips)[clips]
        first = np.asarray(clips, "int64")[:, None] * self.frames
        return self.subset((first + np.arange(self.frames)).ravel())

    def middle_frames(self) -> Subset:
        """The middle frame of each clip, as a source.

        Returns:
            A `Subset`, whose record i is of clip i.
        """
        return self.subset(slice(self.frames // 2, None, self.frames))
