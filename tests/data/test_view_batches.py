"""Batches of views, crops and masked images."""

import inspect

import numpy as np
import pytest
import tensorflow as tf

from keras_ab import data
from keras_ab.data import order
from keras_ab.data import views
from tests.data.test_batches import digest
from tests.data.test_batches import numbered
from tests.data.test_batches import take
from tests.data.test_crops import photo


@pytest.fixture(scope="module")
def scenes():
    return data.Scenes(size=12).cache()


@pytest.fixture(scope="module")
def tokenizer(scenes):
    return data.WordTokenizer.from_texts(scenes[0]["text"], sequence_length=6)


def unchanged(image, seed):
    return image


def test_views_of_one_image():
    image, seed = tf.constant(photo()), (3, 4)
    weak = views.weak_view(image, seed, (24, 32))
    assert weak.shape == (24, 32, 3) and weak.dtype == tf.uint8
    pair = views.strong_views(image, seed, (24, 32))
    assert pair.shape == (2, 24, 32, 3)
    assert (pair[0] != pair[1]).numpy().any()
    crops = views.multi_crop(image, seed, (40, 40), (16, 16), num_locals=3)
    assert crops["global"].shape == (2, 40, 40, 3)
    assert crops["local"].shape == (3, 16, 16, 3)
    assert len({view.numpy().tobytes() for view in crops["local"]}) == 3
    again = views.multi_crop(image, seed, (40, 40), (16, 16), num_locals=3)
    for key in crops:
        np.testing.assert_array_equal(crops[key], again[key])
    assert set(
        views.multi_crop(image, seed, (40, 40), (16, 16), num_locals=0)
    ) == {"global"}


def test_each_view_has_its_own_augmentation():
    def constant(value):
        return lambda image, seed: tf.ones_like(image) * value

    crops = views.multi_crop(
        photo(),
        (0, 1),
        (8, 8),
        (4, 4),
        global_augmentations=(constant(1), constant(2)),
        local_augmentation=constant(3),
    )
    values = [np.unique(view).tolist() for view in crops["global"]]
    assert values == [[1], [2]]
    assert np.unique(crops["local"]) == 3


@pytest.mark.parametrize(
    "builder, areas",
    [
        (data.reward_batches, {"area": (0.5, 1.0)}),
        (data.value_batches, {"area": (0.05, 0.5)}),
        (data.simclr_batches, {"area": (0.08, 1.0)}),
        (
            data.dino_batches,
            {"global_area": (0.4, 1.0), "local_area": (0.05, 0.4)},
        ),
        (data.mae_batches, {"area": (0.2, 1.0)}),
        (data.ijepa_batches, {"area": (0.3, 1.0)}),
    ],
)
def test_the_papers_areas(builder, areas):
    """Table 7."""
    given = inspect.signature(builder).parameters
    for name, area in areas.items():
        assert given[name].default == area


def test_areas():
    # Columns tell their place, so that a view's range tells its width.
    ramp = np.tile(np.arange(250)[None, :, None], (250, 1, 3)).astype("uint8")

    def width(view):
        return (float(tf.reduce_max(view)) - float(tf.reduce_min(view))) / 250

    for seed in range(8):
        crops = views.multi_crop(
            ramp,
            (seed, 1),
            (250, 250),
            (250, 250),
            global_augmentations=(unchanged, unchanged),
            local_augmentation=unchanged,
            num_locals=2,
        )
        # The share lies between the bounds, the aspect within 3/4 and 4/3.
        for view in crops["global"]:
            assert width(view) > (0.4 * 3 / 4) ** 0.5 - 0.02
        for view in crops["local"]:
            assert width(view) < (0.4 * 4 / 3) ** 0.5 + 0.02
        weak = views.weak_view(ramp, (seed, 2), (250, 250))
        assert width(weak) > (0.5 * 3 / 4) ** 0.5 - 0.02


def streams(scenes, tokenizer):
    """Every builder at a small size, and the shapes that it must give."""
    small = {"image_size": (24, 32), "batch_size": 3}
    local = {"local_size": 16, "num_locals": 1}
    reward = {
        "reward/image": ((3, 24, 32, 3), "uint8"),
        "reward/text": ((3, 6), "int32"),
    }
    return {
        "simclr": (
            lambda **k: data.simclr_batches(scenes, **small, **k),
            {"views/image": ((3, 2, 24, 32, 3), "uint8")},
        ),
        "dino": (
            lambda **k: data.dino_batches(scenes, **small, **local, **k),
            {
                "crops/global": ((3, 2, 24, 32, 3), "uint8"),
                "crops/local": ((3, 1, 16, 16, 3), "uint8"),
            },
        ),
        "clip_aug": (
            lambda **k: data.clip_aug_batches(scenes, tokenizer, **small, **k),
            reward,
        ),
        "slip": (
            lambda **k: data.slip_batches(
                scenes, tokenizer, views_batch_size=2, **small, **k
            ),
            {**reward, "views/image": ((2, 2, 24, 32, 3), "uint8")},
        ),
        "silc": (
            lambda **k: data.silc_batches(
                scenes, tokenizer, crops_batch_size=2, **small, **local, **k
            ),
            {
                **reward,
                "crops/global": ((2, 2, 24, 32, 3), "uint8"),
                "crops/local": ((2, 1, 16, 16, 3), "uint8"),
            },
        ),
        "mae": (
            lambda **k: data.mae_batches(scenes, patch_size=8, **small, **k),
            {
                "masked/image": ((3, 24, 32, 3), "uint8"),
                "masked/kept": ((3, 3), "int32"),
                "masked/masked": ((3, 9), "int32"),
            },
        ),
        "ijepa": (
            lambda **k: data.ijepa_batches(
                scenes,
                patch_size=2,
                masks=data.masks.BlockMasks((12, 16), context_length=50),
                **small,
                **k,
            ),
            {
                "masked/image": ((3, 24, 32, 3), "uint8"),
                "masked/context": ((3, 50), "int32"),
                "masked/context_mask": ((3, 50), "bool"),
                "masked/targets": ((3, 4, 40), "int32"),
                "masked/target_mask": ((3, 4, 40), "bool"),
            },
        ),
    }


NAMES = ("simclr", "dino", "clip_aug", "slip", "silc", "mae", "ijepa")


def described(values):
    return {
        f"{part}/{key}": (
            tuple(leaf.shape),
            getattr(leaf.dtype, "name", str(leaf.dtype)),
        )
        for part, leaves in values.items()
        for key, leaf in leaves.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_batches(scenes, tokenizer, name):
    make, expected = streams(scenes, tokenizer)[name]
    dataset = make()
    assert described(dataset.element_spec) == expected
    batches = take(dataset, 4)
    assert described(batches[0]) == expected
    # Any step can be asked for, and every step is another.
    assert digest(batches[2:]) == digest(take(make(start_step=2), 2))
    assert len({digest([batch]) for batch in batches}) == 4


@pytest.mark.parametrize("name", ["mae", "ijepa"])
def test_seeds(scenes, tokenizer, name):
    make, _ = streams(scenes, tokenizer)[name]
    (first,), (other,) = (take(make(seed=seed), 1) for seed in (1, 2))
    ((part, leaves),) = first.items()
    for key in leaves:
        if key not in ("context_mask", "target_mask"):
            assert digest([{part: {key: leaves[key]}}]) != digest(
                [{part: {key: other[part][key]}}]
            )


def shown(images):
    """The number that each of `numbered`'s images shows."""
    return images.reshape(len(images), -1).max(1).tolist()


def test_an_epoch_has_each_sample_once():
    source = numbered(12)
    streams = {
        "views": data.simclr_batches(
            source, 8, 4, augmentation=unchanged, seed=5
        ),
        "crops": data.dino_batches(
            source,
            8,
            8,
            4,
            num_locals=1,
            global_augmentations=(unchanged, unchanged),
            local_augmentation=unchanged,
            seed=5,
        ),
        "masked": data.mae_batches(source, 8, 2, 4, seed=5),
    }
    orders = []
    for part, dataset in streams.items():
        key = {"crops": "global"}.get(part, "image")
        seen = [n for b in take(dataset, 3) for n in shown(b[part][key])]
        assert sorted(seen) == list(range(12))
        orders.append(seen)
    # Streams of one seed have orders of their own.
    assert len({tuple(order) for order in orders}) == 3


def test_parts_of_one_batch_are_those_of_each_alone(scenes, tokenizer):
    common = {"image_size": 24, "seed": 2, "start_step": 3}
    (both,) = take(
        data.slip_batches(
            scenes,
            tokenizer,
            batch_size=3,
            views_batch_size=2,
            augmentation=unchanged,
            **common,
        ),
        1,
    )
    (reward,) = take(
        data.reward_batches(scenes, tokenizer, batch_size=3, **common), 1
    )
    (pairs,) = take(
        data.simclr_batches(
            scenes, batch_size=2, augmentation=unchanged, **common
        ),
        1,
    )
    assert digest([both]) == digest([{**reward, **pairs}])


def test_no_two_lanes_are_alike():
    orders, seeds = set(), set()
    for seed in (0, 1, 2, 128, 2**30):
        for lane in order.LANES:
            orders.add(tuple(data.sample_indices(50, seed, 0, 5, lane)))
            place = order.Place(seed, lane, 0, 5)
            number = tf.constant(0, "int64")
            draw = tf.random.stateless_uniform((), place.seeds(number)[0])
            seeds.add(float(draw))
    assert len(seeds) == len(orders) == 5 * 6


def test_the_masks_of_a_batch_are_masks(scenes):
    (batch,) = take(data.mae_batches(scenes, 32, patch_size=8, batch_size=6), 1)
    kept, masked = batch["masked"]["kept"], batch["masked"]["masked"]
    both = np.sort(np.concatenate([kept, masked], 1), 1)
    np.testing.assert_array_equal(both, np.tile(np.arange(16), (6, 1)))
    assert len({tuple(row) for row in kept}) > 1


def test_mae_flips_and_ijepa_does_not():
    # Dark on the left, bright on the right.
    half = np.zeros((32, 32, 3), "uint8")
    half[:, 16:] = 200
    source = data.MemorySource([{"image": half}] * 16)

    def right_is_brighter(batch):
        image = batch["masked"]["image"].astype(float)
        return image[:, :, -1].mean((1, 2)) >= image[:, :, 0].mean((1, 2))

    (mae,) = take(data.mae_batches(source, 16, 4, 16, area=(0.9, 1)), 1)
    assert 2 < right_is_brighter(mae).sum() < 14
    stream = data.ijepa_batches(
        source,
        16,
        2,
        16,
        area=(0.9, 1),
        masks=data.masks.BlockMasks((8, 8), min_patches=5),
    )
    assert right_is_brighter(take(stream, 1)[0]).all()


WRONG = {
    "size": (lambda s: data.simclr_batches(s, 0), "image_size.*Received: 0"),
    "batch": (
        lambda s: data.simclr_batches(s, 8, batch_size=99),
        r"batch_size.*\[1, 12\]",
    ),
    "area": (
        lambda s: data.dino_batches(s, 8, 8, 2, local_area=(0.5, 0.1)),
        "local_area.*Received",
    ),
    "locals": (
        lambda s: data.dino_batches(s, 8, 8, 2, num_locals=-1),
        "num_locals.*Received: -1",
    ),
    "local size": (
        lambda s: data.dino_batches(s, 8, (8, 8, 3), 2),
        "local_size.*Received",
    ),
    "patches": (
        lambda s: data.mae_batches(s, 30, patch_size=8, batch_size=2),
        r"multiple.*\(30, 30\).*patch_size=8",
    ),
    "grid": (
        lambda s: data.ijepa_batches(
            s, 96, 8, 2, masks=data.masks.BlockMasks((14, 14))
        ),
        r"grid of \(12, 12\).*Received: \(14, 14\)",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(scenes, name):
    make, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        make(scenes)
