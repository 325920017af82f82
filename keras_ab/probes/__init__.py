"""Evaluation of frozen features, and of rewards and values."""

from keras_ab.probes import tasks
from keras_ab.probes.averages import with_average
from keras_ab.probes.catalogue import PROBES
from keras_ab.probes.catalogue import TASKS
from keras_ab.probes.catalogue import make_probe
from keras_ab.probes.catalogue import make_task
from keras_ab.probes.catalogue import probes_for
from keras_ab.probes.compare import Comparison
from keras_ab.probes.compare import NotComparable
from keras_ab.probes.compare import compare
from keras_ab.probes.comparison_plot import plot
from keras_ab.probes.crops import center_crop
from keras_ab.probes.crops import whole
from keras_ab.probes.decoder import DecoderProbe
from keras_ab.probes.evaluate import evaluate
from keras_ab.probes.features import extract_features
from keras_ab.probes.features import extract_views
from keras_ab.probes.fine_tune import FineTune
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
from keras_ab.probes.knn import KNN
from keras_ab.probes.knn import knn_predict
from keras_ab.probes.linear import linear_predict
from keras_ab.probes.linear_probe import LinearProbe
from keras_ab.probes.map_probe import MAPProbe
from keras_ab.probes.measurement import Measurement
from keras_ab.probes.open_encoder import open_encoder
from keras_ab.probes.outcome import Outcome
from keras_ab.probes.packing import pack
from keras_ab.probes.packing import unpack
from keras_ab.probes.probe import Fitted
from keras_ab.probes.probe import Probe
from keras_ab.probes.probe import count_unseen
from keras_ab.probes.results import PROTOCOL
from keras_ab.probes.results import Report
from keras_ab.probes.results import Result
from keras_ab.probes.retrieval import Retrieval
from keras_ab.probes.retrieval import retrieval_chance
from keras_ab.probes.retrieval import retrieval_hits
from keras_ab.probes.retrieval import retrieve
from keras_ab.probes.reward import reward_ranks
from keras_ab.probes.ridge import Ridge
from keras_ab.probes.ridge import few_shot_hits
from keras_ab.probes.sets import Splits
from keras_ab.probes.sets import open_splits
from keras_ab.probes.source_features import Features
from keras_ab.probes.source_features import source_features
from keras_ab.probes.tables import comma_separated
from keras_ab.probes.tables import latex
from keras_ab.probes.tables import markdown
from keras_ab.probes.works import Work
from keras_ab.probes.zero_shot import ZeroShot
from keras_ab.probes.zero_shot import class_prompts
from keras_ab.probes.zero_shot import zero_shot_predict

__all__ = [
    "KNN",
    "PROBES",
    "PROTOCOL",
    "TASKS",
    "Comparison",
    "DecoderProbe",
    "Features",
    "FineTune",
    "Fitted",
    "ForcedChoice",
    "FrozenEncoder",
    "LinearProbe",
    "MAPProbe",
    "Measurement",
    "NotComparable",
    "Outcome",
    "Probe",
    "Report",
    "Result",
    "Retrieval",
    "Ridge",
    "Splits",
    "Work",
    "ZeroShot",
    "array_fingerprint",
    "bootstrap_interval",
    "bootstrap_statistic",
    "center_crop",
    "class_prompts",
    "comma_separated",
    "compare",
    "count_unseen",
    "evaluate",
    "extract_features",
    "extract_views",
    "few_shot_hits",
    "forced_choice",
    "forced_choice_ceiling",
    "forced_choice_queries",
    "knn_predict",
    "latex",
    "linear_predict",
    "make_probe",
    "make_task",
    "markdown",
    "open_encoder",
    "open_splits",
    "pack",
    "percentiles",
    "plot",
    "probes_for",
    "retrieval_chance",
    "retrieval_hits",
    "retrieve",
    "reward_ranks",
    "source_features",
    "source_fingerprint",
    "tasks",
    "unpack",
    "whole",
    "with_average",
    "zero_shot_predict",
]
