"""Weights of other libraries' vision transformers, and ours for them."""

from keras_ab.conversion.kerashub_export import save_keras_hub_preset
from keras_ab.conversion.kerashub_export import to_keras_hub
from keras_ab.conversion.source import Source
from keras_ab.conversion.sources import open_source
from keras_ab.conversion.timm_export import save_timm
from keras_ab.conversion.timm_export import timm_arguments
from keras_ab.conversion.warm_start import Report
from keras_ab.conversion.warm_start import warm_start

__all__ = [
    "Report",
    "Source",
    "open_source",
    "save_keras_hub_preset",
    "save_timm",
    "timm_arguments",
    "to_keras_hub",
    "warm_start",
]
