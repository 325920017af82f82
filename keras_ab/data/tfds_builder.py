"""The built-in sets as TensorFlow Datasets.

Importing this module, which nothing else does, registers them:

    import keras_ab.data.tfds_builder
    import tensorflow_datasets as tfds

    train = tfds.load("keras_ab_scenes", split="train")
    test = tfds.data_source("keras_ab_video/small", split="test")

With a `data_dir`, `data_source` wants `builder_kwargs={"file_format":
"array_record"}` too: only some formats can be read in any order.

They are `keras_ab_scenes`, `keras_ab_objects` and `keras_ab_video`, each with
the configurations `default` and `small`, the latter for trying things out.
Records are those of `keras_ab.data.Scenes`, `Objects` and `Video` in their
order, under the same keys; nothing is downloaded.
"""

import dataclasses
from typing import Any

import numpy as np

try:
    import tensorflow_datasets as tfds
except ImportError as error:
    raise ImportError(
        "The built-in sets become TensorFlow Datasets where these are "
        "installed. Install them with `pip install keras_ab[tfds]`."
    ) from error

from keras_ab.data.objects import Objects
from keras_ab.data.scenes import CLASSES
from keras_ab.data.scenes import COLOURS
from keras_ab.data.scenes import SCENE_TYPES
from keras_ab.data.scenes import Scenes
from keras_ab.data.video import VERBS
from keras_ab.data.video import Video


@dataclasses.dataclass(eq=False, kw_only=True)
class Config(tfds.core.BuilderConfig):
    """How much of a set there is.

    Args:
        sizes: Dict from each split to its number of records, or for video
            of clips.
        image_size: Int, side of the pictures in pixels.
        seed: Int.
    """

    sizes: dict
    image_size: int = 96
    seed: int = 0


def _configs(train, test, small):
    return [
        Config(
            name="default",
            description=f"{train} for training, {test} for testing.",
            sizes={"train": train, "test": test},
        ),
        Config(
            name="small",
            description=f"{small} for training, {small // 2} for testing.",
            sizes={"train": small, "test": small // 2},
        ),
    ]


def _named(names):
    return tfds.features.ClassLabel(names=list(names))


def _several(feature):
    return tfds.features.Sequence(feature)


class _BuiltIn(
    # A checker without types for TFDS sees no such argument.
    tfds.core.GeneratorBasedBuilder,
    skip_registration=True,  # type: ignore[call-arg]
):
    """What the three builders have in common."""

    VERSION = tfds.core.Version("1.0.0")
    SOURCE: Any = None
    """The source's class."""

    def _info(self):
        side = self.builder_config.image_size
        shared = {
            "image": tfds.features.Image(
                shape=(side, side, 3), encoding_format="png"
            ),
            "id": tfds.features.Text(),
            "text": _several(tfds.features.Text()),
            "label": _named(CLASSES),
            "boxes": _several(tfds.features.BBoxFeature()),
            "classes": _several(_named(CLASSES)),
            "colours": _several(_named(COLOURS)),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.SOURCE.__doc__,
            features=tfds.features.FeaturesDict({**shared, **self._own()}),
            supervised_keys=("image", "label"),
            # Frames of a clip stay together, and indices mean the same.
            disable_shuffling=True,
        )

    def _own(self):
        """Features beyond those that all sets have."""
        return {}

    def _split_generators(self, dl_manager):
        return {
            split: self._generate_examples(split, size)
            for split, size in self.builder_config.sizes.items()
        }

    def _generate_examples(self, split, size):
        config = self.builder_config
        source = self.SOURCE(
            size, seed=config.seed, image_size=config.image_size, split=split
        )
        for index in range(len(source)):
            record = dict(source[index])
            record["boxes"] = [
                tfds.features.BBox(*map(float, box)) for box in record["boxes"]
            ]
            yield index, record


class KerasAbScenes(_BuiltIn):
    """`keras_ab.data.Scenes`."""

    BUILDER_CONFIGS = _configs(20_000, 4_000, small=32)
    SOURCE = Scenes

    def _own(self):
        return {
            "count": tfds.features.Scalar(np.int64),
            "depth": tfds.features.Scalar(np.float32),
            "scene_type": _named(kind.name for kind in SCENE_TYPES),
        }


class KerasAbObjects(_BuiltIn):
    """`keras_ab.data.Objects`."""

    BUILDER_CONFIGS = _configs(20_000, 4_000, small=32)
    SOURCE = Objects


class KerasAbVideo(_BuiltIn):
    """`keras_ab.data.Video`; sizes count clips of 16 frames."""

    BUILDER_CONFIGS = _configs(1_000, 200, small=4)
    SOURCE = Video

    def _own(self):
        return {
            "verb": _named(VERBS),
            "noun": _named(CLASSES),
            "clip": tfds.features.Scalar(np.int64),
            "frame": tfds.features.Scalar(np.int64),
            "scene_type": _named(kind.name for kind in SCENE_TYPES),
        }
