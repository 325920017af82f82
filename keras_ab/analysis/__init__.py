"""Looking inside a trained model."""

from keras_ab.analysis.value_map import ValueMap
from keras_ab.analysis.value_map import draw_value_maps
from keras_ab.analysis.value_map import value_map

__all__ = ["ValueMap", "draw_value_maps", "value_map"]
