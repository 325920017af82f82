"""Every image is seen as PIL sees it, or refused with its reason."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from PIL import ImageOps

from keras_ab.data.crops import crop_and_resize
from keras_ab.data.decoding import decode
from keras_ab.data.decoding import decode_window
from keras_ab.data.decoding import measure
from keras_ab.data.decoding import reencode
from keras_ab.data.headers import first_frame
from keras_ab.data.headers import read_header
from keras_ab.data.inspection import image_fault
from keras_ab.data.records import BadRecord
from keras_ab.data.sampling import sample_boxes
from tests.reference import odd_images

USABLE = odd_images.usable()
UNUSABLE = odd_images.unusable()
BY_PIL = {
    "cmyk_not_inverted.jpg",
    "without_end.png",
    "palette.bmp",
    "bits.bmp",
    "lossless.webp",
    "a.tiff",
}
ERRORS = (tf.errors.OpError, BadRecord, OSError)


def by_pil(data):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("name", USABLE)
def test_pixels_are_pils(name):
    data = tf.constant(USABLE[name])
    if name in BY_PIL:
        with pytest.raises(ERRORS):
            decode(data)
        data = reencode(data)
    np.testing.assert_array_equal(decode(data).numpy(), by_pil(USABLE[name]))


def test_sixteen_bits():
    # PIL's own conversion makes everything above 255 white.
    grey = np.arange(0, 65536, 16, "uint16").reshape(64, 64)
    data = tf.constant(odd_images.encode(Image.fromarray(grey), "PNG"))
    for encoded in (data, reencode(data)):
        pixels = decode(encoded).numpy()
        np.testing.assert_array_equal(pixels[..., 1], grey >> 8)


@pytest.mark.parametrize("name", UNUSABLE)
def test_faults_are_named(name):
    data, reason = UNUSABLE[name]
    assert image_fault(data)[0] == reason
    with pytest.raises(ERRORS):
        decode(tf.constant(data))
    with pytest.raises(ERRORS):
        decode(reencode(tf.constant(data)))


def test_good_images_have_no_fault():
    for name, data in USABLE.items():
        assert image_fault(data) == (None, ""), name


def test_bombs_are_refused_by_their_header():
    data = USABLE["plain.jpg"]
    assert decode(tf.constant(data), max_pixels=4800).shape == (60, 80, 3)
    for name in ("plain.jpg", "turned6.jpg", "film.gif", "alpha.png"):
        with pytest.raises(ERRORS):
            decode(tf.constant(USABLE[name]), max_pixels=4799)
    with pytest.raises(ERRORS, match="too many pixels"):
        reencode(tf.constant(USABLE["lossless.webp"]), max_pixels=4799)
    with pytest.raises(BadRecord, match="too many pixels"):
        read_header(UNUSABLE["bomb.png"][0])


def test_headers():
    assert read_header(USABLE["turned6.jpg"]) == (60, 80, 6)
    assert read_header(USABLE["strip.jpg"]) == (3, 2000, 1)
    exif = Image.Exif()
    exif[274] = 8
    turned = odd_images.encode(
        Image.fromarray(odd_images.picture()), "PNG", exif=exif
    )
    assert read_header(turned) == (60, 80, 8)
    np.testing.assert_array_equal(
        decode(tf.constant(turned)).numpy(), by_pil(turned)
    )


def test_only_the_first_frame_is_decoded():
    film = USABLE["film.gif"]
    still = first_frame(film)
    assert len(still) < len(film) / 2
    assert Image.open(io.BytesIO(still)).n_frames == 1


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"exif": 6}])
def test_a_window_has_the_pixels_of_the_whole(options):
    pixels = odd_images.picture(150, 200)
    noise = np.random.default_rng(0).integers(-20, 20, pixels.shape)
    pixels = (pixels + noise).clip(0, 255).astype("uint8")
    if "exif" in options:
        data = odd_images.oriented(pixels, options["exif"])
    else:
        data = odd_images.jpeg(pixels, **options)
    whole = decode(tf.constant(data)).numpy()
    smaller = 0
    for seed in range(15):
        boxes, _ = sample_boxes([seed, 1], 2, whole.shape[:2], (0.02, 0.2))
        window, inside = decode_window(
            tf.constant(data), measure(tf.constant(data)), boxes
        )
        smaller += window.shape != whole.shape
        for (y, x, h, w), (v, u, _, _) in zip(boxes.numpy(), inside.numpy()):
            np.testing.assert_array_equal(
                window[v : v + h, u : u + w], whole[y : y + h, x : x + w]
            )
    # A turned image is decoded whole.
    assert smaller == 0 if "exif" in options else smaller > 5


@pytest.mark.parametrize("size", [(24, 24), (96, 96), (100, 130), (300, 40)])
def test_shrinking_is_tensorflows_antialiasing(size):
    image = odd_images.picture(320, 400, seed=1)
    boxes = [(0, 0, 320, 400), (7, 30, 310, 20), (3, 2, 30, 390)]
    views = crop_and_resize(tf.constant(image), tf.constant(boxes), size)
    for view, (y, x, h, w) in zip(views.numpy(), boxes):
        expected = tf.image.resize(
            image[y : y + h, x : x + w], size, antialias=True
        )
        np.testing.assert_array_equal(view, np.round(expected.numpy()))


def test_noise_shrinks_as_in_pil():
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), "uint8")
    view = crop_and_resize(
        tf.constant(noise), tf.constant([(0, 0, 512, 512)]), (96, 96)
    )
    expected = Image.fromarray(noise).resize(
        (96, 96), Image.Resampling.BILINEAR
    )
    error = view[0].numpy().astype(int) - np.asarray(expected)
    assert abs(error).mean() < 1
