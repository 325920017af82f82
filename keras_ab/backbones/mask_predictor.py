"""The half of a masked model that fills in what the encoder did not see."""

from typing import Any

import keras
from keras import ops

from keras_ab.backbones.padding import extended
from keras_ab.backbones.start import start_kernels
from keras_ab.layers import Dense
from keras_ab.layers import LayerNorm
from keras_ab.layers import SinCosPositions
from keras_ab.layers import TransformerBlock
from keras_ab.typing import Shape
from keras_ab.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_ab")
class MaskPredictor(keras.layers.Layer):
    """Predicts patches from the tokens of others.

    A narrow transformer over the encoder's tokens and one learned mask token
    for each patch to predict, each with the fixed position of its patch.
    MAE's decoder and I-JEPA's predictor are this network; where I-JEPA has
    several targets, each is predicted in a sequence of its own.

    Args:
        grid_shape: `(rows, columns)` of the patches.
        num_layers: Int, number of blocks.
        hidden_dim: Int, size of a token inside, a multiple of 4.
        num_heads: Int, attention heads.
        intermediate_dim: Int, width inside the MLPs.
        layer_norm_epsilon: Float.
        kernel_stddev: Float, the spread of kernels that start normal, or
            None for Xavier-uniform ones. I-JEPA's is 0.02.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        tokens: Floats of shape `(B, P + K, C)`: the encoder's tokens, of
            which P are class tokens, then the patches `patch_ids`.
        patch_ids: Ints of shape `(B, K)`, places in raster order.
        target_ids: Ints of shape `(B, M, T)`: the patches of M targets.
        patch_mask: Bools of shape `(B, K)`, which patches are meant and no
            padding; None where all are.
        target_mask: Bools of shape `(B, M, T)`, the same of the targets.
        training: Bool.

    Returns:
        Floats of shape `(B, M, T, hidden_dim)`. What stands at padding means
        nothing.

    Example:

    >>> predictor = keras_ab.backbones.MaskPredictor((4, 4), 2, 32, 2, 64)
    >>> ids = np.array([[0, 5, 9]])
    >>> targets = np.array([[[1, 2], [6, 7]]])
    >>> predictor(np.zeros((1, 3, 48)), ids, targets).shape
    # (1, 2, 2, 32)

    Reference:
        He et al. 2022, "MAE decoder"; Assran et al. 2023, "Prediction".
    """

    def __init__(
        self,
        grid_shape: tuple[int, int],
        num_layers: int = 8,
        hidden_dim: int = 512,
        num_heads: int = 16,
        intermediate_dim: int = 2048,
        layer_norm_epsilon: float = 1e-6,
        kernel_stddev: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.grid_shape = tuple(grid_shape)
        self.num_layers = num_layers
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.layer_norm_epsilon = layer_norm_epsilon
        self.kernel_stddev = kernel_stddev
        policy = self.dtype_policy
        self.embedding = Dense(hidden_dim, dtype=policy, name="embedding")
        self.positions = SinCosPositions(
            self.grid_shape, hidden_dim, dtype=policy, name="positions"
        )
        self.blocks = [
            TransformerBlock(
                num_heads,
                intermediate_dim,
                layer_norm_epsilon=layer_norm_epsilon,
                dtype=policy,
                name=f"block_{i}",
            )
            for i in range(num_layers)
        ]
        self.norm = LayerNorm(
            epsilon=layer_norm_epsilon, dtype=policy, name="norm"
        )

    def build(
        self,
        tokens_shape: Shape,
        patch_ids_shape: Shape | None = None,
        target_ids_shape: Shape | None = None,
    ) -> None:
        shape = (None, None, self.hidden_dim)
        self.embedding.build((None, None, tokens_shape[-1]))
        self.positions.build(shape)
        self.mask_token = self.add_weight(
            shape=(self.hidden_dim,),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="mask_token",
        )
        for block in self.blocks:
            block.build(shape)
        self.norm.build(shape)
        if self.kernel_stddev is not None:
            start_kernels(self, self.kernel_stddev)

    def call(
        self,
        tokens: Tensor,
        patch_ids: Tensor,
        target_ids: Tensor,
        patch_mask: Tensor | None = None,
        target_mask: Tensor | None = None,
        training: bool = False,
    ) -> Tensor:
        _, targets, length = target_ids.shape
        prefix = tokens.shape[1] - patch_ids.shape[1]
        x = self.embedding(tokens)
        places = ops.cast(self.positions.at(patch_ids), x.dtype)
        # Class tokens have no place in the grid.
        x = x + ops.pad(places, ((0, 0), (prefix, 0), (0, 0)))
        places = self.positions.at(ops.reshape(target_ids, (-1, length)))
        asked = ops.cast(self.mask_token, x.dtype) + ops.cast(places, x.dtype)
        x = ops.concatenate([_repeated(x, targets), asked], axis=1)
        key_mask = None
        if patch_mask is not None or target_mask is not None:
            if patch_mask is None:
                patch_mask = ops.ones_like(patch_ids)
            if target_mask is None:
                target_mask = ops.ones_like(target_ids)
            seen = _repeated(extended(patch_mask, prefix), targets)
            meant = ops.reshape(target_mask, (-1, length))
            key_mask = ops.concatenate([seen, ops.cast(meant, "bool")], axis=1)
        for block in self.blocks:
            x = block(x, training=training, key_mask=key_mask)
        x = self.norm(x[:, -length:])
        return ops.reshape(x, (-1, targets, length, self.hidden_dim))

    def get_build_config(self) -> None:
        # Built by the model that holds it, so that paths nest after loading.
        return None

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "grid_shape": self.grid_shape,
            "num_layers": self.num_layers,
            "hidden_dim": self.hidden_dim,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "kernel_stddev": self.kernel_stddev,
        }


def _repeated(x, times):
    """Each example `times` times in a row; `(B, ...)` to `(B * times, ...)`."""
    return x if times == 1 else ops.repeat(x, times, axis=0)
