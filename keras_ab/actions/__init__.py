"""Action spaces: what an agent can do to change its view of an image."""

from keras_ab.actions.action_space import ActionSpace
from keras_ab.actions.masked_actions import MaskedActions
from keras_ab.actions.relative_crops import RelativeCrops

__all__ = ["ActionSpace", "MaskedActions", "RelativeCrops"]
