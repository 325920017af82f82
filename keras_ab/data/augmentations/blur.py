"""Gaussian blur."""

from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor


def gaussian_blur(
    image: Tensor,
    seed: Tensor,
    kernel_size: int,
    sigma: tuple[float, float] = (0.1, 2.0),
) -> Tensor:
    """Blurs with a Gaussian of random width.

    Args:
        image: uint8 of shape `(H, W, 3)`.
        seed: Integer tensor of shape `(2,)`.
        kernel_size: Odd int, pixels that the kernel spans; at most
            `2 * min(H, W) - 1`, since edges are reflected.
        sigma: Pair of positive floats: the range of the standard deviation,
            in pixels, which is uniform in it.

    Returns:
        uint8 of shape `(H, W, 3)`.

    Reference:
        torchvision's `GaussianBlur`.
    """
    tf = tensorflow()
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(
            "`kernel_size` must be an odd positive int. Received: "
            f"{kernel_size}"
        )
    low, high = sigma
    draw = low + (high - low) * tf.random.stateless_uniform((), seed)
    image = tf.convert_to_tensor(image)
    half = kernel_size // 2
    offsets = tf.range(-half, half + 1, dtype="float32")
    kernel = tf.exp(-0.5 * tf.square(offsets / draw))
    kernel = tf.tile((kernel / tf.reduce_sum(kernel))[:, None], [1, 3])
    values = tf.cast(image, "float32")
    values = tf.pad(values, [[half, half], [half, half], [0, 0]], "REFLECT")
    for shape in ((kernel_size, 1, 3, 1), (1, kernel_size, 3, 1)):
        values = tf.nn.depthwise_conv2d(
            values if values.shape.rank == 4 else values[None],
            tf.reshape(kernel, shape),
            strides=[1, 1, 1, 1],
            padding="VALID",
        )
    blurred = tf.clip_by_value(tf.round(values[0]), 0, 255)
    return tf.ensure_shape(tf.cast(blurred, "uint8"), image.shape)
