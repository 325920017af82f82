"""Sigmoid contrast between two modalities, as in SigLIP."""

from typing import Any

import keras
from keras import ops

from keras_ab.ops.similarity import cosine_similarity
from keras_ab.typing import DType
from keras_ab.typing import Tensor


def sigmoid_contrast(
    image_embeddings: Tensor,
    text_embeddings: Tensor,
    logit_scale: Tensor,
    logit_bias: Tensor,
) -> Tensor:
    """Binary cross-entropy of all pairs of images and their annotations.

    Row b of either input belongs to row b of the other. Each pair is told
    true or false on its own; nothing is normalised over the batch. Embeddings
    are L2-normalised inside.

    Args:
        image_embeddings: Floats of shape `(B, D)`.
        text_embeddings: Floats of shape `(B, D)`.
        logit_scale: Scalar, the factor on the cosines, already exponentiated
            (an inverse temperature).
        logit_bias: Scalar, added to the scaled cosines.

    Returns:
        Float32 of shape `(B,)`: for each image the sum over the B texts.
        About 10 for random embeddings, a small batch and a bias of -10.

    Example:

    >>> x = np.eye(4, dtype="float32")
    >>> keras_ab.losses.sigmoid_contrast(x, x, 20.0, -10.0)
    # four values of about 1.8e-4

    Reference:
        Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training",
        Algorithm 1.
    """
    images = ops.convert_to_tensor(image_embeddings)
    texts = ops.convert_to_tensor(text_embeddings)
    if len(images.shape) != 2 or tuple(images.shape) != tuple(texts.shape):
        raise ValueError(
            "`image_embeddings` and `text_embeddings` must have the same "
            f"shape (B, D). Received: {tuple(images.shape)} and "
            f"{tuple(texts.shape)}"
        )
    scale = ops.cast(logit_scale, "float32")
    bias = ops.cast(logit_bias, "float32")
    logits = scale * cosine_similarity(images, texts) + bias
    # 1 for a true pair, -1 for any other; -log σ(z) = softplus(-z).
    labels = 2.0 * ops.eye(ops.shape(logits)[0]) - 1.0
    return ops.sum(ops.softplus(-labels * logits), axis=1)


@keras.saving.register_keras_serializable(package="keras_ab")
class SigmoidContrast(keras.losses.Loss):
    """Class form of `keras_ab.losses.sigmoid_contrast`.

    `y_true` are the annotation embeddings `(B, D)`, `y_pred` the image
    embeddings `(B, D)`.

    Args:
        logit_scale: Float, the factor on the cosines.
        logit_bias: Float, added to the scaled cosines.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.

    Example:

    >>> x = np.eye(4, dtype="float32")
    >>> keras_ab.losses.SigmoidContrast(20.0, -10.0)(x, x)
    # 1.8e-4
    """

    def __init__(
        self,
        logit_scale: float = 10.0,
        logit_bias: float = -10.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "sigmoid_contrast",
        dtype: DType | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.logit_scale = logit_scale
        self.logit_bias = logit_bias

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return sigmoid_contrast(
            y_pred, y_true, self.logit_scale, self.logit_bias
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "logit_scale": self.logit_scale,
            "logit_bias": self.logit_bias,
        }
