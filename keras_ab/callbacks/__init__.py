"""Callbacks: runs that go on after a cut, that say when they collapse, and how
good they are."""

from keras_ab.callbacks.checkpoint import Checkpoint
from keras_ab.callbacks.collapse_alarm import CollapseAlarm
from keras_ab.callbacks.collapse_alarm import CollapseWarning
from keras_ab.callbacks.evaluation import Evaluation
from keras_ab.callbacks.monitor import Monitor
from keras_ab.callbacks.skip_limit import NotFinite
from keras_ab.callbacks.skip_limit import SkipLimit

__all__ = [
    "Checkpoint",
    "CollapseAlarm",
    "CollapseWarning",
    "Evaluation",
    "Monitor",
    "NotFinite",
    "SkipLimit",
]
