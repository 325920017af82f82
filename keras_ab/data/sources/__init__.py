"""Sources of real data, a file for each kind.

Importing them needs Python's library and NumPy alone; pyarrow and
tensorflow-datasets are imported by the sources that read with them.
"""

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

__all__ = [
    "StoredImages",
    "box_captions",
    "clean_captions",
    "from_coco",
    "from_folder",
    "from_frames",
    "from_parquet",
    "from_tfds",
    "from_webdataset",
    "split_by",
]
