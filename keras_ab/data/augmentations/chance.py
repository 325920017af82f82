"""Applying a function to some images only."""

from collections.abc import Callable

from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor


def random_apply(
    function: Callable[[Tensor], Tensor],
    image: Tensor,
    seed: Tensor,
    probability: float,
) -> Tensor:
    """Applies a function with a probability; otherwise nothing is computed.

    Args:
        function: Callable from an image to one of the same shape and dtype.
        image: uint8 of shape `(H, W, 3)`.
        seed: Integer tensor of shape `(2,)`.
        probability: Float in [0, 1].

    Returns:
        uint8 of shape `(H, W, 3)`.
    """
    if probability <= 0:
        return image
    if probability >= 1:
        return function(image)
    tf = tensorflow()
    chosen = tf.random.stateless_uniform((), seed) < probability
    result = tf.cond(chosen, lambda: function(image), lambda: image)
    return tf.ensure_shape(result, image.shape)
