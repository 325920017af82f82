"""Cutting views out of images."""

from collections.abc import Callable
from collections.abc import Sequence

from keras_ab.data.decoding import decode
from keras_ab.data.decoding import decode_window
from keras_ab.data.decoding import is_native
from keras_ab.data.decoding import measure
from keras_ab.data.decoding import reencode
from keras_ab.data.decoding import upright_shape
from keras_ab.data.headers import MAX_PIXELS
from keras_ab.data.tf import out_of_line
from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor

__all__ = ["crop_and_resize", "cut_groups", "cut_views", "decode"]

# Pixels of a view from which on turning it twice is worth its while.
LARGE = 96 * 96


def cut_views(
    image: Tensor,
    sample: Callable[[Tensor], tuple[Tensor, Tensor]],
    size: tuple[int, int],
    by_pil: bool | Tensor = False,
    max_pixels: int = MAX_PIXELS,
) -> tuple[Tensor, Tensor]:
    """Decodes an image once and cuts views of one size out of it.

    Args:
        image: Encoded string, or uint8 `(H, W, 3)`.
        sample: Callable from `(height, width)`, int32 `(2,)`, to integer
            pixel boxes `(N, 4)`, `(y, x, height, width)`, and their states.
        size: `(height, width)` of the views.
        by_pil: Bool, or bool scalar tensor: whether PIL is to decode the
            image, as it does anyway for formats that TensorFlow lacks.
        max_pixels: Int, pixels above which an image is refused, undecoded.

    Returns:
        uint8 `(N, height, width, 3)`, and the states.
    """
    states = []

    def draw(shape):
        boxes, state = sample(shape)
        states.append(state)
        return boxes

    (views,) = cut_groups(image, [draw], [size], by_pil, max_pixels)
    return views, states[0]


def cut_groups(
    image: Tensor,
    draws: Sequence[Callable[[Tensor], Tensor]],
    sizes: Sequence[tuple[int, int]],
    by_pil: bool | Tensor = False,
    max_pixels: int = MAX_PIXELS,
) -> list[Tensor]:
    """Decodes an image once and cuts views of several sizes out of it.

    Args:
        image: Encoded string, or uint8 `(H, W, 3)`.
        draws: List of callables, one a group of views, from
            `(height, width)`, int32 `(2,)`, to integer pixel boxes `(N, 4)`,
            `(y, x, height, width)`.
        sizes: List of `(height, width)`, of each group's views.
        by_pil: As in `cut_views`.
        max_pixels: As in `cut_views`.

    Returns:
        List of uint8 `(N, height, width, 3)`, one a group.
    """
    tf = tensorflow()
    image = tf.convert_to_tensor(image)
    if image.dtype != tf.string:
        shape = tf.shape(image)[:2]
        groups = [draw(shape) for draw in draws]
    else:
        by_python = out_of_line(lambda data: reencode(data, max_pixels))
        image = tf.cond(
            by_pil | ~is_native(image),
            lambda: by_python(image),
            lambda: image,
        )
        header = measure(image, max_pixels)
        shape = upright_shape(header)
        groups = [draw(shape) for draw in draws]
        counts = [group.shape[0] for group in groups]
        boxes = tf.concat(groups, axis=0)
        image, boxes = decode_window(image, header, boxes)
        groups = tf.split(boxes, counts)
    return [
        crop_and_resize(image, boxes, size)
        for boxes, size in zip(groups, sizes)
    ]


def crop_and_resize(
    image: Tensor, boxes: Tensor, size: tuple[int, int]
) -> Tensor:
    """Cuts boxes of pixels and resizes each to one size.

    A crop is sliced before it is resized, so that no pixel from outside
    bleeds in, and the resize is antialiased where it shrinks (the triangle
    filter of PIL's `BILINEAR`).

    Args:
        image: uint8 of shape `(H, W, 3)`.
        boxes: int32 of shape `(N, 4)`: `(y, x, height, width)` in pixels.
        size: `(height, width)` of the views.

    Returns:
        uint8 of shape `(N, height, width, 3)`.
    """
    tf = tensorflow()
    rows, columns = size
    height, width = boxes[:, 2], boxes[:, 3]
    # What all views need is computed for all at once, and lines of pixels are
    # cut as they go into the kernels: at this size a call of any operation
    # costs as much as a tenth of the resizing.
    zero, one = tf.zeros_like(height), tf.ones_like(height)
    image = tf.reshape(image, [1, tf.shape(image)[0], 1, -1])
    corners = tf.stack([zero, boxes[:, 0], zero, 3 * boxes[:, 1]], 1)
    sides = tf.stack([one, height, one, 3 * width], 1)
    scales = tf.cast(list(size), "float32") / tf.cast(boxes[:, 2:], "float32")
    crops = zip(
        tf.unstack(corners),
        tf.unstack(sides),
        tf.unstack(tf.stack([one, height, width, 3 * one], 1)),
        tf.unstack(tf.stack([scales, tf.ones_like(scales)], 2)),
        tf.unstack((height > rows) | (width > columns)),
    )
    views = []
    for corner, side, shape, scale, shrinks in crops:
        lines = tf.slice(image, corner, side)
        views.append(_resize(tf, lines, shape, scale, shrinks, size))
    return tf.stack(views)


def _resize(tf, lines, shape, scale, shrinks, size):
    """A view of `lines`, `(1, h, 1, 3 w)`, of a crop of `shape`."""

    # Without shrinking the filter is plain interpolation, whose own kernel
    # is the fastest.
    def interpolate():
        return tf.raw_ops.ResizeBilinear(
            images=tf.reshape(lines, shape), size=size, half_pixel_centers=True
        )

    def shrink():
        if size[0] * size[1] >= LARGE:
            return _shrink(tf, lines, shape, scale, size)
        crop = tf.reshape(lines, shape)
        return tf.image.resize(crop, size, antialias=True)

    view = tf.reshape(tf.cond(shrinks, shrink, interpolate), [*size, 3])
    # Weights are positive and add up to 1, so nothing leaves [0, 255].
    return tf.cast(tf.round(view), "uint8")


def _shrink(tf, lines, shape, scale, size):
    """`tf.image.resize(antialias=True)`, to the bit, and faster.

    Its kernel is fast along rows, whole lines at once, and slow along
    columns, pixel by pixel. So both passes of a large view go along rows.
    """
    rows, columns = size
    view = _shrink_rows(tf, lines, scale[0], rows)
    view = tf.reshape(view, [rows, shape[2], 3])
    lines = tf.reshape(tf.transpose(view, (1, 0, 2)), [1, -1, 1, 3 * rows])
    view = _shrink_rows(tf, lines, scale[1], columns)
    view = tf.reshape(view, [columns, rows, 3])
    return tf.transpose(view, (1, 0, 2))


def _shrink_rows(tf, lines, scale, rows):
    return tf.raw_ops.ScaleAndTranslate(
        images=lines,
        size=[rows, 1],
        scale=scale,
        translation=[0.0, 0.0],
        kernel_type="triangle",
        antialias=True,
    )
