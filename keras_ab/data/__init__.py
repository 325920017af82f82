"""Sources of images and annotations, and the crop pipeline (tf.data).

TensorFlow is imported where a pipeline is built, not here.
"""

from keras_ab.data import scenes
from keras_ab.data import video
from keras_ab.data.batches import bootstrap_batches
from keras_ab.data.batches import reward_batches
from keras_ab.data.batches import value_batches
from keras_ab.data.folder import from_folder
from keras_ab.data.memory import MemorySource
from keras_ab.data.objects import Objects
from keras_ab.data.scenes import Scenes
from keras_ab.data.source import Source
from keras_ab.data.source import Subset
from keras_ab.data.tokenizers import WordTokenizer
from keras_ab.data.video import Video

__all__ = [
    "MemorySource",
    "Objects",
    "Scenes",
    "Source",
    "Subset",
    "Video",
    "WordTokenizer",
    "bootstrap_batches",
    "from_folder",
    "reward_batches",
    "scenes",
    "value_batches",
    "video",
]
