"""Crops of controlled overlap: the same crops, put together differently."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_ab import data
from keras_ab.data.overlap import OverlapSampler
from keras_ab.data.overlap import pairwise_iou
from keras_ab.data.overlap import regroup
from keras_ab.data.sampling import sample_boxes

BETAS = (-30.0, -8.0, 0.0, 8.0, 30.0)


def iou(a, b):
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(height, 0) * max(width, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return shared / (sum(areas) - shared)


def mean_iou(groups):
    """Mean over pairs i ≠ j within groups, `(G, n, 4)`."""
    n = groups.shape[1]
    values = [
        iou(group[i], group[j])
        for group in groups
        for i in range(n)
        for j in range(i)
    ]
    return np.mean(values)


def boxes(count, seed=0):
    return sample_boxes((seed, 5), count, tf.constant((96, 96)))[1]


def test_pairwise_iou():
    some = boxes(12)
    values = pairwise_iou(some).numpy()
    expected = [[iou(a, b) for b in some.numpy()] for a in some.numpy()]
    np.testing.assert_allclose(values, expected, atol=1e-5)


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("size", [1, 2, 4])
def test_groups_are_a_permutation(beta, size):
    groups = regroup(boxes(48), size, beta, (1, 2)).numpy()
    assert groups.shape == (48 // size, size)
    np.testing.assert_array_equal(np.sort(groups.ravel()), np.arange(48))


def test_overlap_grows_with_beta():
    means = []
    for beta in BETAS:
        values = []
        for seed in range(3):
            some = boxes(64, seed).numpy()
            groups = regroup(tf.constant(some), 4, beta, (seed, 2))
            values.append(mean_iou(some[groups.numpy()]))
        means.append(np.mean(values))
    assert (np.diff(means) > 0.01).all(), means
    # Groups at random are groups of independent boxes.
    independent = mean_iou(boxes(400, 9).numpy().reshape(-1, 4, 4))
    assert abs(means[2] - independent) < 0.03


def draw(beta, count=400, num_views=4):
    sampler = OverlapSampler(beta, num_groups=8)
    numbers = tf.data.Dataset.range(count)
    shape = tf.constant((120, 160))
    results = numbers.map(
        lambda i: sampler(tf.stack([i, 1]), num_views, shape)
    ).batch(count)
    return next(results.as_numpy_iterator())


@pytest.fixture(scope="module")
def samples():
    return {beta: draw(beta) for beta in (-20.0, 0.0, 20.0)}


def test_each_crop_follows_the_law_whatever_beta_is(samples):
    expected, _ = sample_boxes((77, 1), 4000, tf.constant((120, 160)))
    expected = expected.numpy()
    for pixels, states in samples.values():
        assert pixels.shape == states.shape == (400, 4, 4)
        np.testing.assert_allclose(
            states[..., 0] * 120, pixels[..., 0], atol=1e-3
        )
        np.testing.assert_allclose(
            states[..., 3] * 160, pixels[..., 1] + pixels[..., 3], atol=1e-3
        )
        # One crop of an image, so that the values are independent.
        for view in (0, 3):
            for function in (
                lambda b: b[:, 2] * b[:, 3],
                lambda b: np.log(b[:, 3] / b[:, 2]),
                lambda b: b[:, 0],
                lambda b: b[:, 1] + b[:, 3],
            ):
                test = stats.ks_2samp(
                    function(pixels[:, view]), function(expected)
                )
                assert test.pvalue > 0.001


def test_the_samplers_overlap(samples):
    low, middle, high = (
        mean_iou(samples[b][1][:150]) for b in (-20.0, 0.0, 20.0)
    )
    assert low + 0.03 < middle < high - 0.05


def test_the_sampler_fits_value_batches():
    source = data.Scenes(size=8)
    batches = data.value_batches(
        source, image_size=16, batch_size=4, sample=OverlapSampler(5.0)
    )
    batch = next(batches.as_numpy_iterator())["value"]
    assert batch["image"].shape == (4, 4, 16, 16, 3)
    assert batches.element_spec["value"]["boxes"].shape == (4, 4, 4)


def test_the_sampler_fits_dino_batches():
    source = data.Scenes(size=64)
    sides = {}
    for beta in (-20.0, 20.0):
        batches = data.dino_batches(
            source,
            image_size=16,
            batch_size=64,
            num_locals=0,
            global_augmentations=[lambda image, seed: image] * 2,
            sample=OverlapSampler(beta, (0.1, 0.2)),
        )
        crops = next(batches.as_numpy_iterator())["crops"]["global"]
        assert crops.shape == (64, 2, 16, 16, 3)
        one, other = np.moveaxis(crops.astype("float32"), 1, 0)
        sides[beta] = np.abs(one - other).mean()
    # Crops that overlap look alike.
    assert sides[20.0] < 0.9 * sides[-20.0], sides


def test_wrong_groups():
    with pytest.raises(ValueError, match="divide.*10.*Received: 4"):
        regroup(boxes(10), 4, 1.0, (0, 1))
    with pytest.raises(ValueError, match="num_groups.*Received: 0"):
        OverlapSampler(1.0, num_groups=0)
