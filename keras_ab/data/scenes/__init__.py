"""Built-in scenes: generated pictures with captions, boxes and structure."""

from keras_ab.data.scenes.captions import describe
from keras_ab.data.scenes.grammar import SCENE_TYPES
from keras_ab.data.scenes.layout import COLOURS
from keras_ab.data.scenes.layout import sample_layout
from keras_ab.data.scenes.shapes import CLASSES
from keras_ab.data.scenes.source import Scenes

__all__ = [
    "CLASSES",
    "COLOURS",
    "SCENE_TYPES",
    "Scenes",
    "describe",
    "sample_layout",
]
