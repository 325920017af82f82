"""Crops against PIL, and fingerprints of sources."""

import numpy as np
import pytest
from PIL import Image

from keras_ab import data
from keras_ab import probes


def picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype="uint8")


@pytest.mark.parametrize("shape", [(60, 90), (90, 61), (70, 70), (20, 30)])
def test_center_crop_against_pil(shape):
    image = picture(*shape)
    (result,) = probes.center_crop([image], 28)
    # The shorter side becomes 32 = 28 * 256 / 224.
    ratio = 32 / min(shape)
    height, width = (round(side * ratio) for side in shape)
    resized = Image.fromarray(image).resize((width, height), Image.BILINEAR)
    y, x = (height - 28) // 2, (width - 28) // 2
    expected = np.asarray(resized)[y : y + 28, x : x + 28]
    assert result.dtype == np.uint8 and result.shape == (28, 28, 3)
    assert np.abs(result.astype(int) - expected).max() <= 1


def test_whole_against_pil():
    image = picture(60, 90)
    result = probes.whole([image, picture(40, 40)], (24, 16))
    expected = np.asarray(
        Image.fromarray(image).resize((16, 24), Image.BILINEAR)
    )
    assert result.shape == (2, 24, 16, 3)
    assert np.abs(result[0].astype(int) - expected).max() <= 1


def test_crops_of_other_proportions_stay_inside():
    for shape in ((100, 40), (40, 100), (17, 17)):
        assert probes.center_crop([picture(*shape)], (24, 16)).shape == (
            1,
            24,
            16,
            3,
        )
    with pytest.raises(ValueError, match="uint8"):
        probes.center_crop([picture(9, 9) / 2], 8)


def test_fingerprint_of_a_source():
    def source(**changes):
        records = [
            {
                "image": picture(4, 4, i),
                "label": i,
                "boxes": np.full((1, 4), i, "float32"),
            }
            for i in range(3)
        ]
        records[1].update(changes)
        return data.MemorySource(records)

    mark = probes.source_fingerprint(source())
    assert mark == probes.source_fingerprint(source())
    assert len(mark) == 64 and int(mark, 16)
    others = [
        source(label=7),
        source(boxes=np.zeros((1, 4), "float32")),
        source().subset([0, 2, 1]),
        source().subset([0, 1]),
    ]
    marks = {probes.source_fingerprint(other) for other in others}
    assert len(marks | {mark}) == 5
