"""Built-in video: generated clips of a hand acting on an object."""

from keras_ab.data.video.actions import USES
from keras_ab.data.video.actions import VERBS
from keras_ab.data.video.captions import describe_action
from keras_ab.data.video.source import Video

__all__ = ["USES", "VERBS", "Video", "describe_action"]
