"""Actions that are taken but not told: an ablation."""

from typing import Any
from typing import Self

import keras
import numpy as np

from keras_ab.actions.action_space import ActionSpace
from keras_ab.actions.relative_crops import RelativeCrops
from keras_ab.layers import ConstantTokens
from keras_ab.typing import DType
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class MaskedActions(ActionSpace):
    """Another action space, whose tokens do not say which action it is.

    Views are sampled and checked as before; the value function sees the same
    learnt tokens whatever the action, and so learns what any view of the
    image may show.

    Args:
        actions: The `keras_ab.actions.ActionSpace` to hide, by default
            relative crops.

    Example:

    >>> actions = keras_ab.actions.MaskedActions()
    >>> tokens = actions.tokenizer(hidden_dim=8)
    >>> tokens(np.array([[0.0, 0, 1, 1], [-0.5, -0.5, 1.5, 1.5]])).shape
    # (2, 4, 8), twice the same

    Reference:
        Table 5, "no action".
    """

    def __init__(self, actions: ActionSpace | None = None):
        self.actions = actions or RelativeCrops()
        self.state_key = self.actions.state_key
        self.state_size = self.actions.state_size
        self.action_size = self.actions.action_size
        self.num_tokens = self.actions.num_tokens

    def sample(
        self, seed: Tensor, num_views: int, image_shape: Tensor
    ) -> tuple[Tensor, Tensor]:
        return self.actions.sample(seed, num_views, image_shape)

    def relative(self, states: Tensor) -> Tensor:
        return self.actions.relative(states)

    def tokenizer(
        self,
        hidden_dim: int,
        dtype: DType | None = None,
        name: str = "action_tokens",
    ) -> keras.layers.Layer:
        return ConstantTokens(
            self.num_tokens, hidden_dim, dtype=dtype, name=name
        )

    def check_states(self, states: np.ndarray) -> None:
        self.actions.check_states(states)

    def check_actions(self, actions: np.ndarray) -> None:
        self.actions.check_actions(actions)

    def get_config(self) -> dict[str, Any]:
        return {"actions": keras.saving.serialize_keras_object(self.actions)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(keras.saving.deserialize_keras_object(config["actions"]))
