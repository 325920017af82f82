"""Sources of images and annotations, and the crop pipeline (tf.data).

TensorFlow is imported where a pipeline is built, not here.
"""

from keras_ab.data import scenes
from keras_ab.data.batches import bootstrap_batches
from keras_ab.data.batches import reward_batches
from keras_ab.data.batches import value_batches
from keras_ab.data.folder import from_folder
from keras_ab.data.memory import MemorySource
from keras_ab.data.mixture import Mixture
from keras_ab.data.mixture import mix
from keras_ab.data.order import sample_indices
from keras_ab.data.quarantine import BudgetError
from keras_ab.data.quarantine import Quarantine
from keras_ab.data.records import BadRecord
from keras_ab.data.scenes import Scenes
from keras_ab.data.source import Source
from keras_ab.data.source import Subset
from keras_ab.data.tokenizers import WordTokenizer

__all__ = [
    "BadRecord",
    "BudgetError",
    "MemorySource",
    "Mixture",
    "Quarantine",
    "Scenes",
    "Source",
    "Subset",
    "WordTokenizer",
    "bootstrap_batches",
    "from_folder",
    "mix",
    "reward_batches",
    "sample_indices",
    "scenes",
    "value_batches",
]
