"""Models by name, from a folder or from a hub, in KerasHub's preset format."""

from keras_ab.presets.card import model_card
from keras_ab.presets.errors import PresetError
from keras_ab.presets.load import load
from keras_ab.presets.table import list

__all__ = ["PresetError", "list", "load", "model_card"]
