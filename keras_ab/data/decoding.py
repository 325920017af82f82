"""Decoding: what an encoded image shows, upright, as PIL shows it."""

import functools
import importlib.util
import io

import numpy as np

from keras_ab.data.headers import MAX_PIXELS
from keras_ab.data.headers import TOO_LARGE
from keras_ab.data.headers import UNSUPPORTED
from keras_ab.data.headers import check_pixels
from keras_ab.data.headers import first_frame
from keras_ab.data.headers import read_header
from keras_ab.data.records import BadRecord
from keras_ab.data.tf import out_of_line
from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor

# Pixels around a window of a JPEG, so that its colours, which are stored at
# half the resolution, are interpolated at the window's edge as elsewhere.
MARGIN = 2
# A window that begins inside a block of a JPEG is moved line by line after it
# is decoded: measured, a twentieth of the decoding.
BLOCK = 16


def decode(image: Tensor, max_pixels: int = MAX_PIXELS) -> Tensor:
    """Decodes an image, once for all of its crops.

    Args:
        image: Encoded string (JPEG, PNG, BMP or the first frame of a GIF), or
            uint8 `(H, W, 3)`, which passes through.
        max_pixels: Int, pixels above which an image is refused, undecoded.

    Returns:
        uint8 of shape `(H, W, 3)`, upright: EXIF's orientation is applied.
    """
    tf = tensorflow()
    if image.dtype != tf.string:
        return image
    header = measure(image, max_pixels)
    return _upright(_decode(image), header[2])


def is_native(image: Tensor) -> Tensor:
    """Whether an encoded string is of a format that TensorFlow decodes.

    Args:
        image: Encoded string.

    Returns:
        Bool scalar tensor.
    """
    tf = tensorflow()
    magic = tf.constant([b"\xff\xd8", b"\x89P", b"GI", b"BM"])
    return tf.reduce_any(tf.strings.substr(image, 0, 2) == magic)


def upright_shape(header: Tensor) -> Tensor:
    """`(height, width)` of the image as it is meant to be seen.

    Args:
        header: int32 `(3,)`, as from `measure`.
    """
    tf = tensorflow()
    height, width, orientation = tf.unstack(header)
    turned = orientation > 4
    return tf.stack(
        [tf.where(turned, width, height), tf.where(turned, height, width)]
    )


def measure(image: Tensor, max_pixels: int = MAX_PIXELS) -> Tensor:
    """Size and orientation from an image's header.

    Args:
        image: Encoded string.
        max_pixels: Int, pixels above which an image is refused.

    Returns:
        int32 of shape `(3,)`: height and width as stored, and EXIF's
        orientation, 1 to 8.
    """
    tf = tensorflow()
    head = tf.strings.substr(image, 0, 24)
    head = tf.strings.join([head, b"\0" * 24])
    jfif = tf.strings.substr(head, 0, 6) == b"\xff\xd8\xff\xe0\x00\x10"
    # JFIF's header followed by tables: no EXIF, no Adobe, so that TensorFlow
    # alone knows enough and Python's lock is not waited for.
    plain = jfif & (tf.strings.substr(head, 20, 2) == b"\xff\xdb")

    def jpeg():
        height, width, channels = tf.unstack(tf.image.extract_jpeg_shape(image))
        pixels = tf.cast(height, "int64") * tf.cast(width, "int64")
        with tf.control_dependencies(
            [
                tf.debugging.assert_less_equal(
                    pixels, tf.constant(max_pixels, "int64")
                ),
                tf.debugging.assert_less(channels, 4),
            ]
        ):
            return tf.stack([height, width, 1])

    def read(data):
        return np.array(read_header(data, max_pixels), "int32")

    by_python = out_of_line(lambda data: _call(read, data, tf.int32))
    header = tf.cond(plain, jpeg, lambda: by_python(image))
    return tf.ensure_shape(header, [3])


def decode_window(
    image: Tensor, header: Tensor, boxes: Tensor
) -> tuple[Tensor, Tensor]:
    """Decodes of a JPEG no more than its crops need, of others everything.

    Args:
        image: Encoded string.
        header: int32 `(3,)`, as from `measure`.
        boxes: int32 `(N, 4)`: `(y, x, height, width)` in pixels of the upright
            image.

    Returns:
        uint8 `(H, W, 3)`, upright; and int32 `(N, 4)`, the boxes in it. The
        pixels in the boxes are those of the whole image, bit for bit.
    """
    tf = tensorflow()
    shape, orientation = header[:2], header[2]
    corners = tf.reduce_min(boxes[:, :2], 0) - MARGIN
    corners = tf.maximum(corners // BLOCK * BLOCK, 0)
    ends = tf.reduce_max(boxes[:, :2] + boxes[:, 2:], 0) + MARGIN
    ends = tf.minimum(ends, shape)
    # Where a file is cut short must not depend on the crops, so its end must
    # be there.
    is_whole = _is_jpeg(image) & (
        tf.strings.substr(image, -2, 2) == b"\xff\xd9"
    )

    def window():
        crop = tf.concat([corners, ends - corners], 0)
        pixels = tf.image.decode_and_crop_jpeg(
            image, crop, channels=3, dct_method="INTEGER_ACCURATE"
        )
        return pixels, boxes - tf.concat([corners, [0, 0]], 0)

    @out_of_line
    def decode_whole(image, orientation):
        return _upright(_decode(image), orientation)

    def whole():
        return decode_whole(image, orientation), boxes

    pixels, boxes = tf.cond(is_whole & (orientation == 1), window, whole)
    pixels.set_shape([None, None, 3])
    return pixels, boxes


def reencode(image: Tensor, max_pixels: int = MAX_PIXELS) -> Tensor:
    """Decodes by PIL, for what TensorFlow cannot read or reads wrongly.

    Args:
        image: Encoded string.
        max_pixels: Int, pixels above which an image is refused.

    Returns:
        The same picture as an encoded string that `decode` reads. Unchanged
        where PIL is not installed.
    """
    tf = tensorflow()
    if not _has_pil():
        return image

    def convert(data):
        return to_bmp(data, max_pixels)

    return tf.ensure_shape(_call(convert, image, tf.string), [])


def to_bmp(data: bytes, max_pixels: int = MAX_PIXELS) -> bytes:
    """Any image that PIL reads, as an uncompressed one, upright.

    Args:
        data: Bytes.
        max_pixels: Int, pixels above which an image is refused.

    Returns:
        Bytes.

    Raises:
        BadRecord: If it is refused.
    """
    from PIL import Image
    from PIL import ImageOps

    try:
        image = Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise BadRecord(TOO_LARGE) from error
    check_pixels(image.height, image.width, max_pixels)
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16") or image.mode == "I":
        # PIL's own conversion cuts off at 255.
        pixels = np.asarray(image).astype("int64").clip(0, 65535) >> 8
        image = Image.fromarray(pixels.astype("uint8"))
    if image.mode == "F":
        raise BadRecord(UNSUPPORTED)
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "BMP")
    return stream.getvalue()


@functools.cache
def _has_pil():
    # Cached also because AutoGraph leaves such functions alone: it would warn
    # that it finds no source of the import machinery.
    return importlib.util.find_spec("PIL") is not None


def _call(function, image, dtype):
    """`function` of the image's bytes, inside of a graph or not."""
    tf = tensorflow()

    def wrapped(data):
        # Eagerly, strings come as arrays.
        return function(np.asarray(data, object).item())

    return tf.numpy_function(wrapped, [image], dtype)


def _is_jpeg(image):
    tf = tensorflow()
    return tf.strings.substr(image, 0, 3) == b"\xff\xd8\xff"


def _decode(image):
    tf = tensorflow()

    # The accurate transform costs as much as the fast one, and is PIL's.
    def jpeg():
        return tf.io.decode_jpeg(
            image, channels=3, dct_method="INTEGER_ACCURATE"
        )

    def others():
        # TensorFlow would decode every frame of a film.
        still = tf.cond(
            tf.strings.substr(image, 0, 4) == b"GIF8",
            lambda: _call(first_frame, image, tf.string),
            lambda: image,
        )
        return tf.io.decode_image(still, channels=3, expand_animations=False)

    pixels = tf.cond(_is_jpeg(image), jpeg, others)
    pixels.set_shape([None, None, 3])
    return pixels


def _upright(image, orientation):
    """Applies EXIF's orientation."""
    tf = tensorflow()

    def turn():
        turned = tf.cond(
            orientation > 4,
            lambda: tf.transpose(image, (1, 0, 2)),
            lambda: image,
        )
        mirrored = tf.reduce_any(orientation == [2, 3, 6, 7])
        flipped = tf.reduce_any(orientation == [3, 4, 7, 8])
        turned = tf.cond(mirrored, lambda: turned[:, ::-1], lambda: turned)
        return tf.cond(flipped, lambda: turned[::-1], lambda: turned)

    upright = tf.cond(orientation > 1, turn, lambda: image)
    upright.set_shape([None, None, 3])
    return upright
