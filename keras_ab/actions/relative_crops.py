"""The paper's actions: relative crop boxes."""

from typing import Any

import keras
import numpy as np

from keras_ab.actions.action_space import ActionSpace
from keras_ab.layers import BinTokens
from keras_ab.ops import relative_boxes
from keras_ab.typing import DType
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class RelativeCrops(ActionSpace):
    """Crop boxes, and the way from one to another as four tokens.

    Args:
        area: Pair of floats in (0, 1]: range of a crop's share of the image.
        aspect_ratio: Pair of positive floats: range of width over height.
        num_bins: Int, bins to a coordinate.
        minimum: Float, lower end of the binned range; coordinates clip to it.
        maximum: Float, upper end of the binned range.
        spacing: `"uniform"`, or `"tanh"` for finer bins near the view.

    Example:

    >>> actions = keras_ab.actions.RelativeCrops()
    >>> actions.relative(np.array([[[0.0, 0, 0.5, 0.5], [0.0, 0, 1, 1]]]))
    # shape (1, 2, 2, 4)

    Reference:
        Section A.2: "four discretized tokens (ymin, xmin, ymax, xmax)". The
        paper leaves the bins open; 512 over [-4.2, 5.2] cover every pair of
        crops of a square image with 5 to 50% of its area.
    """

    def __init__(
        self,
        area: tuple[float, float] = (0.05, 0.5),
        aspect_ratio: tuple[float, float] = (3 / 4, 4 / 3),
        num_bins: int = 512,
        minimum: float = -4.2,
        maximum: float = 5.2,
        spacing: str = "uniform",
    ):
        self.area, self.aspect_ratio = tuple(area), tuple(aspect_ratio)
        self.num_bins = num_bins
        self.minimum, self.maximum = minimum, maximum
        self.spacing = spacing

    def sample(
        self, seed: Tensor, num_views: int, image_shape: Tensor
    ) -> tuple[Tensor, Tensor]:
        from keras_ab.data.sampling import sample_boxes

        return sample_boxes(
            seed, num_views, image_shape, self.area, self.aspect_ratio
        )

    def relative(self, states: Tensor) -> Tensor:
        return relative_boxes(states)

    def tokenizer(
        self,
        hidden_dim: int,
        dtype: DType | None = None,
        name: str = "action_tokens",
    ) -> keras.layers.Layer:
        return BinTokens(
            num_bins=self.num_bins,
            minimum=self.minimum,
            maximum=self.maximum,
            hidden_dim=hidden_dim,
            spacing=self.spacing,
            dtype=dtype,
            name=name,
        )

    def check_states(self, states: np.ndarray) -> None:
        boxes = _check_order(states, "boxes")
        if boxes.min() < -1e-5 or boxes.max() > 1 + 1e-5:
            raise ValueError(
                "`boxes` must lie inside the image: 0 <= ymin < ymax <= 1 and "
                "0 <= xmin < xmax <= 1. Received: values from "
                f"{boxes.min():.4g} to {boxes.max():.4g}"
            )

    def check_actions(self, actions: np.ndarray) -> None:
        _check_order(actions, "actions")

    def get_config(self) -> dict[str, Any]:
        return {
            "area": self.area,
            "aspect_ratio": self.aspect_ratio,
            "num_bins": self.num_bins,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "spacing": self.spacing,
        }


def _check_order(values, name):
    boxes = np.asarray(values, "float32")
    if boxes.shape[-1:] != (4,):
        raise ValueError(
            f"`{name}` must be boxes (ymin, xmin, ymax, xmax) on the last "
            f"axis. Received: shape {boxes.shape}"
        )
    flat = boxes.reshape(-1, 4)
    if not np.isfinite(flat).all():
        raise ValueError(f"`{name}` must be finite. Received: NaN or inf")
    wrong = (flat[:, 0] >= flat[:, 2]) | (flat[:, 1] >= flat[:, 3])
    if wrong.any():
        raise ValueError(
            f"`{name}` must have ymin < ymax and xmin < xmax, in the order "
            "(ymin, xmin, ymax, xmax). Received: "
            f"{flat[wrong][0].tolist()}"
        )
    return boxes
