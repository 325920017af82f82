"""Looking inside a model: while it trains, and afterwards."""

from keras_ab.analysis.attention_maps import attention_maps
from keras_ab.analysis.attention_maps import draw_attention_maps
from keras_ab.analysis.collected import Collected
from keras_ab.analysis.collector import Collector
from keras_ab.analysis.collector import measure_all
from keras_ab.analysis.crop_accuracy import CaptionedCrops
from keras_ab.analysis.crop_accuracy import captioned_crops
from keras_ab.analysis.crop_accuracy import crop_accuracy
from keras_ab.analysis.crop_accuracy import draw_crop_accuracy
from keras_ab.analysis.curriculum import Curriculum
from keras_ab.analysis.curriculum import draw_curriculum
from keras_ab.analysis.gradient_alignment import EncoderGradients
from keras_ab.analysis.gradient_alignment import GradientAlignment
from keras_ab.analysis.gradient_alignment import draw_gradient_alignment
from keras_ab.analysis.looks import Look
from keras_ab.analysis.looks import greedy_path
from keras_ab.analysis.looks import look
from keras_ab.analysis.neighbours import draw_nearest_neighbours
from keras_ab.analysis.neighbours import nearest_neighbours
from keras_ab.analysis.overlap import box_iou
from keras_ab.analysis.overlap import mean_overlap
from keras_ab.analysis.predictions import draw_predictions
from keras_ab.analysis.predictions import predictions
from keras_ab.analysis.reach import within_reach
from keras_ab.analysis.sweep import draw_sweep
from keras_ab.analysis.token_colours import draw_token_colours
from keras_ab.analysis.token_colours import token_colours
from keras_ab.analysis.value_accuracy import draw_value_accuracy
from keras_ab.analysis.value_accuracy import value_accuracy
from keras_ab.analysis.value_map import ValueMap
from keras_ab.analysis.value_map import draw_value_maps
from keras_ab.analysis.value_map import value_map
from keras_ab.analysis.value_rank import value_ranks
from keras_ab.analysis.views import crop_view

__all__ = [
    "CaptionedCrops",
    "Collected",
    "Collector",
    "Curriculum",
    "EncoderGradients",
    "GradientAlignment",
    "Look",
    "ValueMap",
    "attention_maps",
    "box_iou",
    "captioned_crops",
    "crop_accuracy",
    "crop_view",
    "draw_attention_maps",
    "draw_crop_accuracy",
    "draw_curriculum",
    "draw_gradient_alignment",
    "draw_nearest_neighbours",
    "draw_predictions",
    "draw_sweep",
    "draw_token_colours",
    "draw_value_accuracy",
    "draw_value_maps",
    "greedy_path",
    "look",
    "mean_overlap",
    "measure_all",
    "nearest_neighbours",
    "predictions",
    "token_colours",
    "value_accuracy",
    "value_map",
    "value_ranks",
    "within_reach",
]
