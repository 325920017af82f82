"""Sources of images and annotations, and the crop pipeline (tf.data).

TensorFlow is imported where a pipeline is built, not here.
"""

from keras_ab.data import augmentations
from keras_ab.data import masks
from keras_ab.data import scenes
from keras_ab.data import video
from keras_ab.data import views
from keras_ab.data.batches import bootstrap_batches
from keras_ab.data.batches import reward_batches
from keras_ab.data.batches import value_batches
from keras_ab.data.labelled_batches import labelled_batches
from keras_ab.data.masked_batches import ijepa_batches
from keras_ab.data.masked_batches import mae_batches
from keras_ab.data.memory import MemorySource
from keras_ab.data.mixture import Mixture
from keras_ab.data.mixture import mix
from keras_ab.data.objects import Objects
from keras_ab.data.order import sample_indices
from keras_ab.data.overlap import OverlapSampler
from keras_ab.data.quarantine import BudgetError
from keras_ab.data.quarantine import Quarantine
from keras_ab.data.records import BadRecord
from keras_ab.data.scenes import Scenes
from keras_ab.data.source import Source
from keras_ab.data.source import Subset
from keras_ab.data.sources.box_captions import box_captions
from keras_ab.data.sources.captions import clean_captions
from keras_ab.data.sources.coco import from_coco
from keras_ab.data.sources.folder import from_folder
from keras_ab.data.sources.frames import from_frames
from keras_ab.data.sources.parquet import from_parquet
from keras_ab.data.sources.splits import split_by
from keras_ab.data.sources.stored import StoredImages
from keras_ab.data.sources.tfds import from_tfds
from keras_ab.data.sources.webdataset import from_webdataset
from keras_ab.data.stream import merge
from keras_ab.data.tokenizers import WordTokenizer
from keras_ab.data.video import Video
from keras_ab.data.view_batches import clip_aug_batches
from keras_ab.data.view_batches import dino_batches
from keras_ab.data.view_batches import silc_batches
from keras_ab.data.view_batches import simclr_batches
from keras_ab.data.view_batches import slip_batches

__all__ = [
    "BadRecord",
    "BudgetError",
    "MemorySource",
    "Mixture",
    "Objects",
    "OverlapSampler",
    "Quarantine",
    "Scenes",
    "Source",
    "StoredImages",
    "Subset",
    "Video",
    "WordTokenizer",
    "augmentations",
    "bootstrap_batches",
    "box_captions",
    "clean_captions",
    "clip_aug_batches",
    "dino_batches",
    "from_coco",
    "from_folder",
    "from_frames",
    "from_parquet",
    "from_tfds",
    "from_webdataset",
    "ijepa_batches",
    "labelled_batches",
    "mae_batches",
    "masks",
    "merge",
    "mix",
    "reward_batches",
    "sample_indices",
    "scenes",
    "silc_batches",
    "simclr_batches",
    "slip_batches",
    "split_by",
    "value_batches",
    "video",
    "views",
]
