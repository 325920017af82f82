"""Crops: their law, their pixels and their boxes."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import stats

from keras_ab.data.crops import crop_and_resize
from keras_ab.data.crops import decode
from keras_ab.data.sampling import sample_boxes
from tests.reference import torchvision_crops

RATIO = (3 / 4, 4 / 3)


def photo(rows=120, columns=160, seed=0):
    """Smooth shapes with some noise: like a photograph, not like static."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns] / 20.0
    waves = [np.sin(x * a + y * b) for a, b in rng.normal(size=(3, 2))]
    image = (
        128 + 80 * np.stack(waves, -1) + rng.normal(0, 8, (rows, columns, 3))
    )
    return image.clip(0, 255).astype("uint8")


def draw(count, shape, area, seed=0):
    boxes, states = sample_boxes(
        [seed, 7], count, tf.constant(shape), area, RATIO
    )
    return boxes.numpy(), states.numpy()


@pytest.mark.parametrize(
    "shape, area",
    [((96, 96), (0.05, 0.5)), ((120, 160), (0.5, 1.0)), ((40, 200), (0.5, 1))],
)
def test_the_law_is_torchvisions(shape, area):
    count = 100_000
    boxes, _ = draw(count, shape, area)
    # Over 40 pairs of seeds, p was uniform; one in a hundred tests must fail.
    rng = np.random.default_rng(2)
    expected = np.array(
        [
            torchvision_crops.sample_box(rng, *shape, area, RATIO)
            for _ in range(count)
        ]
    )
    for function in (
        lambda b: b[:, 2] * b[:, 3],
        lambda b: np.log(b[:, 3] / b[:, 2]),
        lambda b: b[:, 0],
        lambda b: b[:, 1],
        lambda b: b[:, 0] + b[:, 2],
    ):
        test = stats.ks_2samp(function(boxes), function(expected))
        assert test.pvalue > 0.01


def test_boxes_name_their_pixels():
    boxes, states = draw(500, (120, 160), (0.05, 0.5))
    y, x, height, width = boxes.T
    assert (y >= 0).all() and (y + height <= 120).all()
    assert (x >= 0).all() and (x + width <= 160).all()
    expected = np.stack([y, x, y + height, x + width], 1)
    np.testing.assert_allclose(
        states * [120, 160, 120, 160], expected, atol=1e-4
    )


@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (2000, 3)])
def test_odd_shapes(shape):
    boxes, _ = draw(50, shape, (0.05, 0.5))
    assert (boxes[:, 2:] >= 1).all()
    assert (boxes[:, 0] + boxes[:, 2] <= shape[0]).all()
    assert (boxes[:, 1] + boxes[:, 3] <= shape[1]).all()


def test_the_same_seed_gives_the_same_boxes():
    for a, b in zip(draw(9, (50, 60), (0.1, 1)), draw(9, (50, 60), (0.1, 1))):
        np.testing.assert_array_equal(a, b)
    other, _ = draw(9, (50, 60), (0.1, 1), seed=1)
    assert (other != draw(9, (50, 60), (0.1, 1))[0]).any()


@pytest.mark.parametrize("size", [(24, 24), (48, 32), (224, 224)])
def test_views_are_pils(size):
    image = photo()
    boxes, states = draw(12, (120, 160), (0.05, 0.5))
    views = crop_and_resize(tf.constant(image), tf.constant(boxes), size)
    for view, state in zip(views.numpy(), states):
        # From the box alone, as another program would do it.
        y0, x0, y1, x1 = (state * [120, 160, 120, 160]).round().astype(int)
        crop = Image.fromarray(image).crop((x0, y0, x1, y1))
        expected = crop.resize(size[::-1], Image.Resampling.BILINEAR)
        error = view.astype("float32") - np.asarray(expected, "float32")
        assert abs(error).mean() < 1.0
        assert abs(error).max() <= 4


def test_decoding(tmp_path):
    image = photo()
    Image.fromarray(image).save(tmp_path / "a.png")
    Image.fromarray(image[..., 0]).save(tmp_path / "grey.png")
    read = decode(tf.io.read_file(str(tmp_path / "a.png")))
    np.testing.assert_array_equal(read.numpy(), image)
    grey = decode(tf.io.read_file(str(tmp_path / "grey.png"))).numpy()
    assert grey.shape == image.shape
    assert decode(tf.constant(image)).dtype == tf.uint8
