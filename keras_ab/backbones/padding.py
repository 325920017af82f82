"""Masks that say which tokens of a sequence are meant."""

from keras import ops

from keras_ab.typing import Tensor


def extended(mask: Tensor, count: int) -> Tensor:
    """A mask with tokens before it that are always meant.

    Args:
        mask: Bools of shape `(B, K)`.
        count: Int, tokens that come to stand before these.

    Returns:
        Bools of shape `(B, count + K)`.
    """
    mask = ops.cast(mask, "bool")
    if not count:
        return mask
    seen = ops.repeat(ops.ones_like(mask[:, :1]), count, axis=1)
    return ops.concatenate([seen, mask], axis=1)
