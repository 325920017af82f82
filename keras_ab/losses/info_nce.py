"""InfoNCE between two modalities, as in CLIP."""

from typing import Any

import keras
from keras import ops

from keras_ab.ops.similarity import cosine_similarity
from keras_ab.typing import DType
from keras_ab.typing import Tensor


def info_nce(
    image_embeddings: Tensor, text_embeddings: Tensor, logit_scale: Tensor
) -> Tensor:
    """Two-way InfoNCE between images and their annotations.

    Row b of either input belongs to row b of the other; all other rows are
    negatives. Embeddings are L2-normalised inside.

    Args:
        image_embeddings: Floats of shape `(B, D)`.
        text_embeddings: Floats of shape `(B, D)`.
        logit_scale: Scalar, the factor on the cosines, already exponentiated
            (an inverse temperature).

    Returns:
        Float32 of shape `(B,)`: image-to-text and text-to-image terms,
        averaged. About `ln B` for random embeddings and a small scale.

    Example:

    >>> x = np.eye(4, dtype="float32")
    >>> keras_ab.losses.info_nce(x, x, logit_scale=10.0)
    # four values of about 1.4e-4

    Reference:
        Equation 3 and `L_reward` in Algorithm 1, whose sum of the two
        directions is twice this average (ABCLIP's `reward_weight=2`).
        Radford et al. 2021.
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
    logits = scale * cosine_similarity(images, texts)
    positives = ops.diagonal(logits)
    # The difference first: afterwards what is left of it would be rounded.
    to_text = ops.logsumexp(logits - positives[:, None], axis=1)
    to_image = ops.logsumexp(logits - positives[None], axis=0)
    return 0.5 * (to_text + to_image)


@keras.saving.register_keras_serializable(package="keras_ab")
class InfoNCE(keras.losses.Loss):
    """Class form of `keras_ab.losses.info_nce`.

    `y_true` are the annotation embeddings `(B, D)`, `y_pred` the image
    embeddings `(B, D)`.

    Args:
        logit_scale: Float, the factor on the cosines.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.

    Example:

    >>> x = np.eye(4, dtype="float32")
    >>> keras_ab.losses.InfoNCE(logit_scale=10.0)(x, x)
    # 1.4e-4
    """

    def __init__(
        self,
        logit_scale: float = 1 / 0.07,
        reduction: str | None = "sum_over_batch_size",
        name: str = "info_nce",
        dtype: DType | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.logit_scale = logit_scale

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return info_nce(y_pred, y_true, self.logit_scale)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "logit_scale": self.logit_scale}
