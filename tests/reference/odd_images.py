"""Files that real folders hold, made by PIL and struct alone."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def picture(rows=60, columns=80, seed=0):
    """Smooth waves of colour, uint8 `(rows, columns, 3)`."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns] / 20.0
    waves = [np.sin(x * a + y * b) for a, b in rng.normal(size=(3, 2))]
    return (128 + 100 * np.stack(waves, -1)).astype("uint8")


def encode(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def jpeg(pixels, **options):
    return encode(Image.fromarray(pixels), "JPEG", quality=90, **options)


def oriented(pixels, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    return jpeg(pixels, exif=exif.tobytes())


def png_of_size(rows, columns):
    """A PNG whose header promises more than its content holds."""

    def chunk(kind, body):
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def usable():
    """Dict from name to encoded image; PIL's `convert("RGB")` is right."""
    pixels = picture()
    image = Image.fromarray(pixels)
    film = [Image.fromarray(255 - pixels).quantize(64)] * 3
    cmyk = encode(image.convert("CMYK"), "JPEG", quality=95)
    # Without Adobe's marker, which says that the inks are inverted.
    start = cmyk.index(b"\xff\xee")
    plain_cmyk = cmyk[:start] + cmyk[start + 16 :]
    png = encode(image, "PNG")
    tiff = encode(image, "TIFF")
    return {
        "plain.jpg": jpeg(pixels),
        "progressive.jpg": jpeg(pixels, progressive=True),
        "fine.jpg": jpeg(pixels, subsampling=0),
        "grey.jpg": encode(image.convert("L"), "JPEG"),
        "cmyk.jpg": cmyk,
        "cmyk_not_inverted.jpg": plain_cmyk,
        "palette.png": encode(image.quantize(64), "PNG"),
        "transparent_palette.png": encode(
            image.quantize(16), "PNG", transparency=3
        ),
        "bits.png": encode(image.convert("1"), "PNG"),
        "grey_alpha.png": encode(image.convert("LA"), "PNG"),
        "alpha.png": encode(image.convert("RGBA"), "PNG"),
        "without_end.png": png[:-12],
        "film.gif": encode(
            image.quantize(64), "GIF", save_all=True, append_images=film
        ),
        "true.bmp": encode(image, "BMP"),
        "palette.bmp": encode(image.quantize(16), "BMP"),
        "bits.bmp": encode(image.convert("1"), "BMP"),
        "lossless.webp": encode(image, "WEBP", lossless=True),
        "a.tiff": tiff,
        "png_called.jpg": png,
        "dot.png": encode(image.crop((0, 0, 1, 1)), "PNG"),
        "strip.jpg": jpeg(picture(3, 2000)),
        **{f"turned{i}.jpg": oriented(pixels, i) for i in range(1, 9)},
    }


def unusable():
    """Dict from name to encoded image and the reason that is its fault."""
    good = jpeg(picture())
    png = encode(Image.fromarray(picture()), "PNG")
    gif = encode(Image.fromarray(picture()).quantize(64), "GIF")
    broken = bytearray(png)
    broken[60:90] = bytes(30)
    return {
        "empty.jpg": (b"", "empty"),
        "cut.jpg": (good[: len(good) // 2], "truncated"),
        "cut_header.jpg": (good[:100], "truncated"),
        "cut.png": (png[: len(png) // 2], "truncated"),
        "cut.gif": (gif[: len(gif) // 2], "truncated"),
        "text.jpg": (b"<html>404 not found</html>", "not an image"),
        "bomb.png": (png_of_size(30_000, 30_000), "too many pixels"),
        "broken.png": (bytes(broken), "corrupt"),
    }
