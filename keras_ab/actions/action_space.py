"""What the value function needs to know about actions."""

from typing import Any
from typing import Self

import keras
import numpy as np

from keras_ab.typing import DType
from keras_ab.typing import Tensor


class ActionSpace:
    """One transformation of views: sampler, relative action, tokenizer.

    The value objective asks an action space for everything that depends on
    what actions are. To bootstrap over another transformation than crops
    (rotations, time in a video, ...), write these methods.

    A *state* describes how a view was cut from its image (for crops: a box);
    an *action* leads from one state to another.

    Reference:
        Section 3.1: "take actions by applying an image transformation".
    """

    state_key = "boxes"
    """Key of the states in a value batch."""

    state_size = 4
    """Numbers that describe one state."""

    action_size = 4
    """Numbers that describe one action."""

    num_tokens = 4
    """Tokens to an action."""

    def sample(
        self, seed: Tensor, num_views: int, image_shape: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Draws the states of the views of one image, in tf.data.

        Args:
            seed: int32 tensor of shape `(2,)`.
            num_views: Int, N.
            image_shape: int32 tensor, `(height, width)` of the image.

        Returns:
            What the crop pipeline cuts: integer pixel boxes `(N, 4)` as
            `(y, x, height, width)`, and the states `(N, state_size)`.
        """
        raise NotImplementedError

    def relative(self, states: Tensor) -> Tensor:
        """The actions between all pairs of views.

        Args:
            states: Float32 of shape `(B, N, state_size)`.

        Returns:
            Float32 of shape `(B, N, N, A)`: `[b, i, j]` leads from i to j.
        """
        raise NotImplementedError

    def tokenizer(
        self,
        hidden_dim: int,
        dtype: DType | None = None,
        name: str = "action_tokens",
    ) -> keras.layers.Layer:
        """A layer that embeds actions as tokens.

        Args:
            hidden_dim: Int, size of a token.
            dtype: Dtype policy.
            name: Name of the layer.

        Returns:
            A layer from `(..., A)` to `(..., K, hidden_dim)`.
        """
        raise NotImplementedError

    def check_states(self, states: np.ndarray) -> None:
        """Raises `ValueError` for states that no view can have."""
        raise NotImplementedError

    def check_actions(self, actions: np.ndarray) -> None:
        """Raises `ValueError` for actions that lead nowhere."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)
