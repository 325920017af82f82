"""Sources of images and annotations, and the crop pipeline (tf.data).

TensorFlow is imported where a pipeline is built, not here.
"""

from keras_ab.data import augmentations
from keras_ab.data import masks
from keras_ab.data import scenes
from keras_ab.data import views
from keras_ab.data.batches import bootstrap_batches
from keras_ab.data.batches import reward_batches
from keras_ab.data.batches import value_batches
from keras_ab.data.folder import from_folder
from keras_ab.data.masked_batches import ijepa_batches
from keras_ab.data.masked_batches import mae_batches
from keras_ab.data.memory import MemorySource
from keras_ab.data.overlap import OverlapSampler
from keras_ab.data.scenes import Scenes
from keras_ab.data.source import Source
from keras_ab.data.source import Subset
from keras_ab.data.tokenizers import WordTokenizer
from keras_ab.data.view_batches import clip_aug_batches
from keras_ab.data.view_batches import dino_batches
from keras_ab.data.view_batches import silc_batches
from keras_ab.data.view_batches import simclr_batches
from keras_ab.data.view_batches import slip_batches

__all__ = [
    "MemorySource",
    "OverlapSampler",
    "Scenes",
    "Source",
    "Subset",
    "WordTokenizer",
    "augmentations",
    "bootstrap_batches",
    "clip_aug_batches",
    "dino_batches",
    "from_folder",
    "ijepa_batches",
    "mae_batches",
    "masks",
    "reward_batches",
    "scenes",
    "silc_batches",
    "simclr_batches",
    "slip_batches",
    "value_batches",
    "views",
]
