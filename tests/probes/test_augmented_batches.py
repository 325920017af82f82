"""What fine-tuning makes of its images and labels."""

import numpy as np
import pytest

from keras_ab import probes
from keras_ab.probes.augmented_batches import AugmentedBatches
from keras_ab.probes.augmented_batches import random_parts
from tests.probes.test_fine_tune import PLAIN

NUMBERS = np.arange(24) % 3


def images():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (24, 16, 16, 3), dtype="uint8")


def batches(**settings):
    encoder = probes.FrozenEncoder(
        lambda x: x, image_size=16, scale=lambda x: x
    )
    probe = probes.FineTune(
        epochs=2, batch_size=8, **{**PLAIN, "smoothing": 0.0, **settings}
    )
    made = AugmentedBatches(probe, encoder, images(), NUMBERS, 3)
    found = [made[i] for i in range(len(made))]
    rows = np.concatenate([made.rows(i) for i in range(len(made))])
    return rows, *(np.concatenate(part) for part in zip(*found))


def changed(settings):
    """Which share of each image is not what it was."""
    rows, found, _ = batches(**settings)
    return (found != images()[rows]).any(-1).mean((1, 2))


def test_nothing_is_done_unless_asked_for():
    rows, found, targets = batches()
    np.testing.assert_array_equal(found, images()[rows])
    np.testing.assert_array_equal(targets, np.eye(3)[NUMBERS[rows]])
    assert found.dtype == targets.dtype == np.float32
    assert sorted(rows[:24]) == sorted(rows[24:]) == list(range(24))
    rows, _, targets = batches(smoothing=0.3)
    expected = 0.7 * np.eye(3)[NUMBERS[rows]] + 0.1
    np.testing.assert_allclose(targets, expected, atol=1e-6)


def test_mirrored_and_erased():
    rows, found, _ = batches(flip=True)
    turned = (found == images()[rows][:, :, ::-1]).all((1, 2, 3))
    same = (found == images()[rows]).all((1, 2, 3))
    assert (turned ^ same).all() and 8 < turned.sum() < 40
    erased = changed({"erase": 0.25})
    # About a quarter of them, and of these a part.
    assert 3 <= (erased > 0).sum() <= 24 and erased.max() < 0.5


def test_labels_are_mixed_as_images_are():
    for settings in ({"mixup": 0.8}, {"cutmix": 1.0}):
        rows, found, targets = batches(**settings)
        np.testing.assert_allclose(targets.sum(1), 1, atol=1e-5)
        mixed = targets.max(1) < 1 - 1e-6
        assert mixed.any()
        own = targets[np.arange(48), NUMBERS[rows]]
        whole = (found == images()[rows]).all((1, 2, 3))
        # But for what is cut from between two pixels.
        assert (own[whole] > 0.95).all() and not whole.all()
    # A pixel is a λ of its own image's and the rest of another's, and so is
    # the label.
    rows, found, targets = batches(mixup=0.8)
    pixels = images().astype("float64").reshape(24, -1)
    for place in range(48):
        batch = rows[place - place % 8 :][:8]
        own, mixed = pixels[rows[place]], found[place].reshape(-1)
        fits = []
        for other in batch:
            towards = own - pixels[other]
            if not towards.any():
                continue
            share = (mixed - pixels[other]) @ towards / (towards @ towards)
            left = mixed - pixels[other] - share * towards
            fits.append((np.abs(left).max(), share, other))
        left, share, other = min(fits)
        assert left < 0.1
        expected = share * np.eye(3)[NUMBERS[rows[place]]]
        expected = expected + (1 - share) * np.eye(3)[NUMBERS[other]]
        np.testing.assert_allclose(targets[place], expected, atol=1e-3)
    # Of a batch, one or the other.
    both = batches(mixup=0.8, cutmix=1.0)[1]
    mixup, cutmix = (
        np.modf(part)[0].any((1, 2, 3))
        for part in (batches(mixup=0.8)[1], both)
    )
    assert cutmix.sum() < mixup.sum()


@pytest.mark.slow
def test_rand_augment():
    assert changed({"rand_augment": 0.27}).mean() > 0.5
    first, again = (batches(rand_augment=0.27)[1] for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_random_parts():
    ramp = np.arange(0, 128, 4, dtype="uint8")
    image = np.stack(np.broadcast_arrays(ramp[:, None], ramp, 7), -1)
    many = np.repeat(image[None], 40, 0)
    seeds = np.random.default_rng(0).integers(2**31, size=(40, 2))
    seeds = seeds.astype("int32")
    parts = random_parts(many, seeds).astype("int32")
    np.testing.assert_array_equal(parts, random_parts(many, seeds))
    assert (parts[..., 2] == 7).all()
    rows, columns = parts[:, :, 0, 0], parts[:, 0, :, 1]
    for lines in (rows, columns):
        # A stretch of the ramp, no part of which is turned around.
        assert (np.diff(lines) >= 0).all()
    areas = np.ptp(rows, 1) * np.ptp(columns, 1) / 124**2
    assert areas.min() < 0.3 and areas.max() > 0.7


def test_whole_pictures_stay_whole():
    probe = probes.FineTune()
    assert probe.for_crop("center") is probe
    whole = probe.for_crop("whole")
    assert not whole.crop and not whole.erase
    assert not whole.mixup and not whole.cutmix
    assert whole.flip and whole.rand_augment == probe.rand_augment
    assert probes.KNN().for_crop("whole") == probes.KNN()
