"""What the first bytes of an encoded image tell, without decoding it."""

import struct

from keras_ab.data.records import BadRecord

EMPTY = "empty"
NOT_AN_IMAGE = "not an image"
TRUNCATED = "truncated"
CORRUPT = "corrupt"
TOO_LARGE = "too many pixels"
UNSUPPORTED = "unsupported format"

MAX_PIXELS = 89_478_485
"""PIL's limit too: what decodes to a quarter of a gigabyte."""

PNG = b"\x89PNG\r\n\x1a\n"
OTHER_FORMATS = {
    b"RIFF": "WebP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
}
# Rows and columns change places from orientation 5 on.
ORIENTATIONS = range(1, 9)
# Start-of-frame markers of JPEG; the gaps are tables and arithmetic coding's.
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def read_header(
    data: bytes, max_pixels: int = MAX_PIXELS
) -> tuple[int, int, int]:
    """Size and orientation of an image that TensorFlow decodes rightly.

    Args:
        data: Bytes: JPEG, PNG, GIF or BMP.
        max_pixels: Int, pixels above which an image is refused.

    Returns:
        `(height, width, orientation)`, as stored; the orientation is EXIF's,
        1 to 8.

    Raises:
        BadRecord: With the reason: `"empty"`, `"not an image"`,
            `"truncated"`, `"too many pixels"`; or `"unsupported format"` for
            what another decoder may read.
    """
    if not data:
        raise BadRecord(EMPTY)
    try:
        if data[:3] == b"\xff\xd8\xff":
            height, width, orientation = _jpeg(data)
        elif data[:8] == PNG:
            height, width, orientation = _png(data)
        elif data[:4] == b"GIF8":
            width, height = struct.unpack_from("<HH", data, 6)
            orientation = 1
        elif data[:2] == b"BM":
            height, width, orientation = _bmp(data)
        else:
            known = any(data.startswith(magic) for magic in OTHER_FORMATS)
            known = known or data[4:8] == b"ftyp"  # HEIC, AVIF
            raise BadRecord(UNSUPPORTED if known else NOT_AN_IMAGE)
    except (struct.error, IndexError) as error:
        raise BadRecord(TRUNCATED) from error
    check_pixels(height, width, max_pixels)
    return height, width, orientation


def check_pixels(height: int, width: int, max_pixels: int) -> None:
    """Raises `BadRecord` for an image that would decode to too much."""
    if height < 1 or width < 1:
        raise BadRecord(CORRUPT)
    if height * width > max_pixels:
        raise BadRecord(TOO_LARGE)


def ends_early(data: bytes) -> bool:
    """Whether the bytes stop before their image does.

    Args:
        data: Bytes whose header is right.
    """
    if len(data) < 16:
        return True
    if data[:2] == b"\xff\xd8":
        return b"\xff\xd9" not in data[data.rfind(b"\xff\xda") :]
    if data[:8] == PNG:
        return b"IEND" not in data
    if data[:4] == b"GIF8":
        try:
            first_frame(data)
        except BadRecord as error:
            return error.reason == TRUNCATED
    if data[:2] == b"BM":
        return len(data) < struct.unpack_from("<I", data, 2)[0]
    if data[:4] == b"RIFF":
        return len(data) < struct.unpack_from("<I", data, 4)[0] + 8
    if data[:4] in (b"II*\0", b"MM\0*"):
        order = "<" if data[:1] == b"I" else ">"
        return len(data) < struct.unpack_from(f"{order}I", data, 4)[0] + 2
    return False


def first_frame(data: bytes) -> bytes:
    """A GIF's bytes up to the end of its first frame.

    Args:
        data: Bytes of a GIF.

    Returns:
        Bytes of a GIF with one frame.

    Raises:
        BadRecord: `"truncated"`, if they end before.
    """
    try:
        place = 13 + _palette(data[10])
        while data[place] != 0x2C:
            if data[place] != 0x21:
                raise BadRecord(CORRUPT)
            place = _skip_blocks(data, place + 2)
        place += 10 + _palette(data[place + 9])
        place = _skip_blocks(data, place + 1)
    except IndexError as error:
        raise BadRecord(TRUNCATED) from error
    return data[:place] + b";"


def _palette(flags):
    """Bytes of the palette that a byte of flags announces."""
    return 3 << (flags % 8 + 1) if flags & 0x80 else 0


def _skip_blocks(data, place):
    while data[place]:
        place += data[place] + 1
    return place + 1


def _jpeg(data):
    place, size, orientation, adobe = 2, None, 1, False
    while True:
        if data[place] != 0xFF:
            raise BadRecord(CORRUPT)
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker == 0xDA:
            break
        (length,) = struct.unpack_from(">H", data, place + 2)
        body = data[place + 4 : place + 2 + length]
        if marker in FRAMES:
            height, width, channels = struct.unpack_from(">HHB", body, 1)
            size = height, width
        elif marker == 0xE1 and body[:6] == b"Exif\0\0":
            orientation = _orientation(body[6:])
        elif marker == 0xEE and body[:5] == b"Adobe":
            adobe = True
        place += 2 + length
    if size is None:
        raise BadRecord(CORRUPT)
    if channels == 4 and not adobe:
        # TensorFlow takes every CMYK for Adobe's, which is inverted.
        raise BadRecord(UNSUPPORTED)
    return *size, orientation


def _png(data):
    width, height = struct.unpack_from(">II", data, 16)
    place, orientation = 8, 1
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind == b"eXIf":
            orientation = _orientation(data[place + 8 : place + 8 + length])
        place += length + 12
    return height, width, orientation


def _bmp(data):
    (header,) = struct.unpack_from("<I", data, 14)
    if header < 40:
        raise BadRecord(UNSUPPORTED)
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    if bits != 24 or compression:
        # TensorFlow takes indices into a palette for grey.
        raise BadRecord(UNSUPPORTED)
    return abs(height), width, 1


def _orientation(exif):
    """EXIF's tag 274; 1 where it is missing or makes no sense."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (place,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, place)
        for i in range(count):
            tag, kind, _, value = struct.unpack_from(
                f"{order}HHIH", exif, place + 2 + 12 * i
            )
            if tag == 274 and kind == 3:
                return value if value in ORIENTATIONS else 1
    except struct.error:
        pass
    return 1
