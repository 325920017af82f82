"""Training signals: one class each, with its heads, state and loss."""

from keras_ab.objectives.bellman import BellmanValue
from keras_ab.objectives.image_text import ImageTextContrast
from keras_ab.objectives.masked_latents import MaskedLatents
from keras_ab.objectives.masked_pixels import MaskedPixels
from keras_ab.objectives.objective import Objective
from keras_ab.objectives.objective import Reward
from keras_ab.objectives.self_distillation import SelfDistillation

__all__ = [
    "BellmanValue",
    "ImageTextContrast",
    "MaskedLatents",
    "MaskedPixels",
    "Objective",
    "Reward",
    "SelfDistillation",
]
