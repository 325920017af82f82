"""Cutting views out of images."""

from keras_ab.data.tf import tensorflow


def decode(image):
    """Decodes an image, once for all of its crops.

    Args:
        image: Encoded string (JPEG, PNG, BMP or the first frame of a GIF), or
            uint8 `(H, W, 3)`, which passes through.

    Returns:
        uint8 of shape `(H, W, 3)`.
    """
    tf = tensorflow()
    if image.dtype != tf.string:
        return image
    image = tf.io.decode_image(image, channels=3, expand_animations=False)
    image.set_shape([None, None, 3])
    return image


def crop_and_resize(image, boxes, size):
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
    views = [_view(tf, image, box, size) for box in tf.unstack(boxes)]
    return tf.stack(views)


def _view(tf, image, box, size):
    y, x, height, width = tf.unstack(box)
    view = image[y : y + height, x : x + width]
    # Without shrinking the filter is plain interpolation, whose own kernel
    # is several times faster.
    view = tf.cond(
        (height > size[0]) | (width > size[1]),
        lambda: tf.image.resize(view, size, antialias=True),
        lambda: tf.image.resize(view, size),
    )
    view = tf.cast(tf.clip_by_value(tf.round(view), 0, 255), "uint8")
    return tf.ensure_shape(view, (*size, 3))
