"""Evaluation of frozen features, and of rewards and values."""

from keras_ab.probes import tasks
from keras_ab.probes.crops import center_crop
from keras_ab.probes.crops import whole
from keras_ab.probes.decoder import DecoderProbe
from keras_ab.probes.features import extract_features
from keras_ab.probes.features import extract_views
from keras_ab.probes.fingerprint import array_fingerprint
from keras_ab.probes.fingerprint import source_fingerprint
from keras_ab.probes.forced_choice import ForcedChoice
from keras_ab.probes.forced_choice import forced_choice
from keras_ab.probes.forced_choice import forced_choice_ceiling
from keras_ab.probes.forced_choice import forced_choice_queries
from keras_ab.probes.frozen_encoder import FrozenEncoder
from keras_ab.probes.intervals import bootstrap_interval
from keras_ab.probes.intervals import bootstrap_statistic
from keras_ab.probes.intervals import percentiles
from keras_ab.probes.knn import knn_predict
from keras_ab.probes.linear import linear_predict
from keras_ab.probes.outcome import Outcome
from keras_ab.probes.packing import pack
from keras_ab.probes.packing import unpack
from keras_ab.probes.probe import Fitted
from keras_ab.probes.probe import Probe
from keras_ab.probes.probe import count_unseen
from keras_ab.probes.reward import reward_ranks
from keras_ab.probes.zero_shot import zero_shot_predict

__all__ = [
    "DecoderProbe",
    "Fitted",
    "ForcedChoice",
    "FrozenEncoder",
    "Outcome",
    "Probe",
    "array_fingerprint",
    "bootstrap_interval",
    "bootstrap_statistic",
    "center_crop",
    "count_unseen",
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
    "source_fingerprint",
    "tasks",
    "unpack",
    "whole",
    "zero_shot_predict",
]
