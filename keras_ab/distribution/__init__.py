"""Training on many devices: what is global, how weights lie, what works."""

from keras_ab.distribution.hosts import alone
from keras_ab.distribution.hosts import check_whole
from keras_ab.distribution.hosts import global_batch
from keras_ab.distribution.hosts import is_first_host
from keras_ab.distribution.last_batch import once_there
from keras_ab.distribution.layouts import layout_map
from keras_ab.distribution.masks import without_bools
from keras_ab.distribution.mirrored_step import mirrored_step
from keras_ab.distribution.replicas import gather
from keras_ab.distribution.replicas import mean_of_rows
from keras_ab.distribution.replicas import num_replicas
from keras_ab.distribution.replicas import total
from keras_ab.distribution.support import check_batch
from keras_ab.distribution.support import check_same
from keras_ab.distribution.support import jit_compile
from keras_ab.distribution.support import num_devices
from keras_ab.distribution.support import present

__all__ = [
    "alone",
    "check_batch",
    "check_same",
    "check_whole",
    "gather",
    "global_batch",
    "is_first_host",
    "jit_compile",
    "layout_map",
    "mean_of_rows",
    "mirrored_step",
    "num_devices",
    "num_replicas",
    "once_there",
    "present",
    "total",
    "without_bools",
]
