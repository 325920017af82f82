"""Sources of images and annotations, and the crop pipeline (tf.data).

TensorFlow is imported where a pipeline is built, not here.
"""

from keras_ab.data import scenes
from keras_ab.data.batches import bootstrap_batches
from keras_ab.data.batches import reward_batches
from keras_ab.data.batches import value_batches
from keras_ab.data.memory import MemorySource
from keras_ab.data.records import BadRecord
from keras_ab.data.scenes import Scenes
from keras_ab.data.source import Source
from keras_ab.data.source import Subset
from keras_ab.data.sources.captions import clean_captions
from keras_ab.data.sources.coco import from_coco
from keras_ab.data.sources.folder import from_folder
from keras_ab.data.sources.stored import StoredImages
from keras_ab.data.sources.webdataset import from_webdataset
from keras_ab.data.tokenizers import WordTokenizer

__all__ = [
    "BadRecord",
    "MemorySource",
    "Scenes",
    "Source",
    "StoredImages",
    "Subset",
    "WordTokenizer",
    "bootstrap_batches",
    "clean_captions",
    "from_coco",
    "from_folder",
    "from_webdataset",
    "reward_batches",
    "scenes",
    "value_batches",
]
