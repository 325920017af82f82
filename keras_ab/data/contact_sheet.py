"""A picture of what a model is fed: crops, and their boxes on the original."""

import io
import pathlib

import numpy as np

from keras_ab.data.batches import value_batches
from keras_ab.data.decoding import to_bmp
from keras_ab.data.headers import MAX_PIXELS
from keras_ab.data.order import sample_indices
from keras_ab.data.quarantine import Quarantine
from keras_ab.data.source import Source
from keras_ab.typing import PathLike
from keras_ab.typing import Size

COLOURS = ("#e41a1c", "#377eb8", "#ff9f00", "#4daf4a", "#984ea3", "#00a0a0")
CELL = 150
"""Pixels of a view on the sheet, and of the height of an original."""
WIDE = 220
GAP = 8
LINE = 16


def contact_sheet(
    source: Source,
    file: PathLike,
    images: int = 8,
    num_views: int = 4,
    image_size: Size = 224,
    seed: int = 0,
    area: tuple[float, float] = (0.05, 0.5),
    max_pixels: int = MAX_PIXELS,
) -> pathlib.Path:
    """Draws originals with the boxes of their crops, and the crops.

    The crops come out of `value_batches`; a frame around each has the colour
    of its box.

    Args:
        source: A `keras_ab.data.Source` whose records can all be used.
        file: Path of the PNG file; its folder is made.
        images: Int, originals; no more than there are.
        num_views: Int, crops of each.
        image_size: Int or `(height, width)` of the crops in pixels.
        seed: Int.
        area: Pair in (0, 1]: range of a crop's share of the image.
        max_pixels: Int, pixels above which an image is refused.

    Returns:
        Path of the file.

    Raises:
        ImportError: If PIL is not installed.

    Example:

    >>> from keras_ab.data.contact_sheet import contact_sheet
    >>> contact_sheet(keras_ab.data.Scenes(size=4), "sheet.png", images=2)
    """
    Image = _pillow()
    images = min(images, len(source))
    stream = value_batches(
        source,
        image_size,
        images,
        num_views,
        area,
        seed,
        quarantine=Quarantine(budget=1.0),
        max_pixels=max_pixels,
    )
    (batch,) = stream.take(1).as_numpy_iterator()
    indices = sample_indices(source, seed, 0, images, "value")
    rows = [
        _row(Image, source[int(index)], views, boxes)
        for index, views, boxes in zip(indices, *batch["value"].values())
    ]
    height = sum(row.height + GAP for row in rows) + GAP
    sheet = Image.new("RGB", (rows[0].width + 2 * GAP, height), "white")
    top = GAP
    for row in rows:
        sheet.paste(row, (GAP, top))
        top += row.height + GAP
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(file)
    return file


def _pillow():
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "The contact sheet is drawn by PIL. Install it with `pip install "
            "keras_ab[data]`."
        ) from error
    return Image


def _row(Image, record, views, boxes):
    """The original, its crops beside it, and who it is below."""
    from PIL import ImageDraw

    width = WIDE + len(views) * (CELL + GAP)
    row = Image.new("RGB", (width, CELL + 2 * LINE), "white")
    draw = ImageDraw.Draw(row)
    original = Image.fromarray(_pixels(Image, record["image"]))
    scale = min(WIDE / original.width, CELL / original.height)
    size = [max(1, round(side * scale)) for side in original.size]
    row.paste(original.resize(size), (0, 0))
    for number, (view, box) in enumerate(zip(views, boxes)):
        colour = COLOURS[number % len(COLOURS)]
        y0, x0, y1, x1 = box * [size[1], size[0], size[1], size[0]]
        far = max(x0 + 1, x1 - 1), max(y0 + 1, y1 - 1)
        draw.rectangle((x0, y0, *far), outline=colour, width=2)
        left = WIDE + GAP + number * (CELL + GAP)
        view = Image.fromarray(view)
        view.thumbnail((CELL - 6, CELL - 6))
        row.paste(view, (left + 3, 3))
        frame = (left, 0, left + view.width + 5, view.height + 5)
        draw.rectangle(frame, outline=colour, width=3)
    words = [record["id"], *list(record.get("text", []))[:1]]
    for number, line in enumerate(words):
        _write(draw, (0, CELL + 2 + number * LINE), str(line), width)
    return row


def _write(draw, place, text, width):
    """As much of a line as there is room for."""
    text = text[:500]
    if draw.textlength(text) > width:
        while text and draw.textlength(f"{text}...") > width:
            text = text[: -max(1, len(text) // 20)]
        text = f"{text}..."
    draw.text(place, text, fill="black")


def _pixels(Image, image):
    """An image's pixels, upright, by PIL alone."""
    if not isinstance(image, bytes):
        return np.asarray(image)
    still = Image.open(io.BytesIO(to_bmp(image, max_pixels=2**62)))
    return np.asarray(still.convert("RGB"))
