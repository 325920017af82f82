"""Schedules: callables on an update count."""

from keras_ab.schedules.constant import Constant
from keras_ab.schedules.constant import as_schedule
from keras_ab.schedules.cosine import Cosine
from keras_ab.schedules.cosine import cosine
from keras_ab.schedules.linear import Linear
from keras_ab.schedules.linear import linear
from keras_ab.schedules.per_update import PerUpdate
from keras_ab.schedules.warmup import LinearWarmupCosine
from keras_ab.schedules.warmup import linear_warmup_cosine

__all__ = [
    "Constant",
    "Cosine",
    "Linear",
    "LinearWarmupCosine",
    "PerUpdate",
    "as_schedule",
    "cosine",
    "linear",
    "linear_warmup_cosine",
]
