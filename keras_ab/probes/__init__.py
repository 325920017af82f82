"""Evaluation of frozen features, and of rewards and values."""

from keras_ab.probes import tasks
from keras_ab.probes.decoder import DecoderProbe
from keras_ab.probes.features import extract_features
from keras_ab.probes.features import extract_views
from keras_ab.probes.forced_choice import ForcedChoice
from keras_ab.probes.forced_choice import forced_choice
from keras_ab.probes.forced_choice import forced_choice_ceiling
from keras_ab.probes.forced_choice import forced_choice_queries
from keras_ab.probes.intervals import bootstrap_interval
from keras_ab.probes.intervals import bootstrap_statistic
from keras_ab.probes.intervals import percentiles
from keras_ab.probes.knn import knn_predict
from keras_ab.probes.linear import linear_predict
from keras_ab.probes.outcome import Outcome
from keras_ab.probes.packing import pack
from keras_ab.probes.packing import unpack
from keras_ab.probes.reward import reward_ranks
from keras_ab.probes.zero_shot import zero_shot_predict

__all__ = [
    "DecoderProbe",
    "ForcedChoice",
    "Outcome",
    "bootstrap_interval",
    "bootstrap_statistic",
    "extract_features",
    "extract_views",
    "forced_choice",
    "forced_choice_ceiling",
    "forced_choice_queries",
    "knn_predict",
    "linear_predict",
    "pack",
    "percentiles",
    "reward_ranks",
    "tasks",
    "unpack",
    "zero_shot_predict",
]
