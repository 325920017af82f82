"""Where to crop: one law for every method."""

import math
from collections.abc import Sequence

from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor

TRIES = 10


def sample_boxes(
    seed: Tensor,
    num_boxes: int,
    image_shape: Tensor,
    area: Sequence[float] = (0.05, 0.5),
    aspect_ratio: Sequence[float] = (3 / 4, 4 / 3),
) -> tuple[Tensor, Tensor]:
    """Draws crop boxes by the law of torchvision's `RandomResizedCrop`.

    Area is uniform, the logarithm of the aspect ratio is uniform; of ten
    tries the first that fits is taken, its position uniform over whole
    pixels. If none fits, the largest centred crop of an allowed aspect ratio
    is. Stateless: the same seed gives the same boxes.

    Args:
        seed: Integer tensor of shape `(2,)`.
        num_boxes: Int, N.
        image_shape: Integer tensor of shape `(2,)`: `(height, width)`.
        area: Pair in (0, 1]: range of the crop's share of the image.
        aspect_ratio: Pair: range of width over height.

    Returns:
        int32 `(N, 4)`: `(y, x, height, width)` in pixels; and float32
        `(N, 4)`: the same as `(ymin, xmin, ymax, xmax)`, normalised, which
        names exactly those pixels.
    """
    tf = tensorflow()
    draws = tf.random.stateless_uniform((num_boxes, 2 * TRIES + 2), seed)
    shape = tf.cast(image_shape, "float32")
    low, high = area
    areas = low + (high - low) * draws[:, :TRIES]
    areas = shape[0] * shape[1] * areas
    low, high = math.log(aspect_ratio[0]), math.log(aspect_ratio[1])
    ratios = tf.exp(low + (high - low) * draws[:, TRIES : 2 * TRIES])
    tries = tf.round(tf.sqrt(tf.stack([areas / ratios, areas * ratios], 2)))
    fits = tf.reduce_all((tries >= 1) & (tries <= shape), axis=2)
    # argmax gives the first of equals: the first try that fits.
    first = tf.argmax(tf.cast(fits, "int32"), axis=1)
    sides = tf.gather(tries, first, axis=1, batch_dims=1)
    corners = tf.floor(draws[:, 2 * TRIES :] * (shape - sides + 1))
    drawn = tf.concat([corners, sides], axis=1)
    fallback = _centred(shape, aspect_ratio)
    boxes = tf.where(tf.reduce_any(fits, 1, keepdims=True), drawn, fallback)
    corners = boxes[:, :2]
    normalised = tf.concat([corners, corners + boxes[:, 2:]], axis=1)
    normalised = normalised / tf.tile(shape, [2])
    return tf.cast(boxes, "int32"), normalised


def _centred(shape, aspect_ratio):
    """The largest centred crop of an allowed aspect ratio, `(4,)`."""
    tf = tensorflow()
    ratio = tf.clip_by_value(shape[1] / shape[0], *aspect_ratio)
    # Of both sides one is the image's.
    sides = tf.stack([shape[1] / ratio, shape[0] * ratio])
    sides = tf.minimum(tf.round(sides), shape)
    return tf.concat([tf.floor((shape - sides) / 2), sides], axis=0)
