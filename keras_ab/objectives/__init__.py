"""Training signals: one class each, with its heads, state and loss."""

from keras_ab.objectives.bellman import BellmanValue
from keras_ab.objectives.classification import Classification
from keras_ab.objectives.frozen_reward import FrozenReward
from keras_ab.objectives.image_text import ImageTextContrast
from keras_ab.objectives.image_text_sigmoid import ImageTextSigmoid
from keras_ab.objectives.masked_latents import MaskedLatents
from keras_ab.objectives.masked_pixels import MaskedPixels
from keras_ab.objectives.objective import Objective
from keras_ab.objectives.objective import Reward
from keras_ab.objectives.prompt_scorer import PromptScorer
from keras_ab.objectives.self_distillation import SelfDistillation
from keras_ab.objectives.view_contrast import ViewContrast

__all__ = [
    "BellmanValue",
    "Classification",
    "FrozenReward",
    "ImageTextContrast",
    "ImageTextSigmoid",
    "MaskedLatents",
    "MaskedPixels",
    "Objective",
    "PromptScorer",
    "Reward",
    "SelfDistillation",
    "ViewContrast",
]
