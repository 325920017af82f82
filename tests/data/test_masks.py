"""Masks: what holds of every one, and their distributions."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_ab import data
from keras_ab.data import masks
from tests.reference import ijepa_masks

GRID = (14, 14)


def many(function, count):
    """What a function of a seed gives for many seeds, stacked."""
    numbers = tf.data.Dataset.range(count)
    data = numbers.map(lambda i: function(tf.stack([i, 3]))).batch(count)
    return next(data.as_numpy_iterator())


@pytest.mark.parametrize("patches, keep", [(196, 0.25), (36, 0.3), (7, 0.5)])
def test_random_masks_split_the_patches(patches, keep):
    kept, masked = many(
        lambda seed: masks.random_mask(seed, patches, keep), 300
    )
    assert kept.shape == (300, int(patches * keep))
    assert kept.dtype == masked.dtype == np.int32
    both = np.sort(np.concatenate([kept, masked], 1), axis=1)
    np.testing.assert_array_equal(both, np.tile(np.arange(patches), (300, 1)))
    assert (np.diff(kept) > 0).all() and (np.diff(masked) > 0).all()


def test_random_masks_are_uniform():
    kept, _ = many(lambda seed: masks.random_mask(seed, 20, 0.25), 4000)
    counts = np.bincount(kept.ravel(), minlength=20)
    assert stats.chisquare(counts).pvalue > 0.001
    # Pairs of neighbours are no more frequent than other pairs.
    pairs = (np.diff(kept) == 1).sum() / 4000
    assert abs(pairs - 19 * (5 * 4) / (20 * 19)) < 0.08


def test_random_masks_depend_on_the_seed_alone():
    first, again = (masks.random_mask((1, 2), 50) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    assert (masks.random_mask((1, 3), 50)[0] != first[0]).numpy().any()


def block_batches(count, batch_size=6, grid=GRID, **kwargs):
    make = masks.BlockMasks(grid, **kwargs)
    batches = many(lambda seed: make(seed, batch_size), count)
    return make, batches


def unpad(batches, i, j):
    """Context ids and a list of target ids of image j of batch i."""
    context = batches["context"][i, j][batches["context_mask"][i, j]]
    targets = [
        ids[mask]
        for ids, mask in zip(
            batches["targets"][i, j], batches["target_mask"][i, j]
        )
    ]
    return context, targets


@pytest.mark.parametrize("grid", [(14, 14), (12, 18)])
def test_block_masks_hold_what_they_promise(grid):
    make, batches = block_batches(40, grid=grid)
    sizes = {
        tuple(size)
        for size in masks.block_sizes(grid, (0.15, 0.2), (0.75, 1.5))
    }
    for i in range(40):
        shapes, lengths = set(), set()
        for j in range(6):
            context, targets = unpad(batches, i, j)
            assert len(context) > 10
            assert (np.diff(context) > 0).all()
            lengths.add(len(context))
            for target in targets:
                rows, columns = np.divmod(target, grid[1])
                height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
                # All of a rectangle, in raster order.
                assert len(target) == height * width
                assert (np.diff(target) > 0).all()
                assert rows.min() + height < grid[0]
                assert columns.min() + width < grid[1]
                shapes.add((height, width))
            assert not np.isin(context, np.concatenate(targets)).any()
        # One size of target and one length of context a batch.
        assert len(shapes) == len(lengths) == 1 and shapes <= sizes
    assert batches["targets"].shape[-1] == make.target_length
    assert make.target_length == max(h * w for h, w in sizes)


def test_contexts_on_the_usual_grid_lie_in_the_corner():
    _, batches = block_batches(30)
    rows, columns = np.divmod(batches["context"], 14)
    assert rows.max() == 12 and columns.max() == 12


def test_contexts_are_cut_to_the_smallest_first_ids_first():
    make = masks.BlockMasks(GRID)
    batch = make((4, 5), 16)
    lengths = []
    for j in range(16):
        free = np.zeros(GRID, bool)
        free[:13, :13] = True
        free = free.ravel()
        targets = batch["targets"][j][batch["target_mask"][j]].numpy()
        free[targets] = False
        whole = np.flatnonzero(free)
        lengths.append(len(whole))
        ids = batch["context"][j][batch["context_mask"][j]].numpy()
        np.testing.assert_array_equal(ids, whole[: len(ids)])
    assert len(ids) == min(lengths) < max(lengths)


def test_a_cap_only_cuts():
    free = masks.BlockMasks(GRID)((1, 2), 8)
    capped = masks.BlockMasks(GRID, context_length=20)((1, 2), 8)
    assert capped["context"].shape == (8, 20)
    assert capped["context_mask"].numpy().all()
    np.testing.assert_array_equal(capped["context"], free["context"][:, :20])
    np.testing.assert_array_equal(capped["targets"], free["targets"])
    # A cap that is longer than the smallest context changes no id.
    wide = masks.BlockMasks(GRID, context_length=160)((1, 2), 8)
    length = free["context_mask"].numpy().sum(1)
    np.testing.assert_array_equal(wide["context_mask"].numpy().sum(1), length)


def test_block_masks_follow_the_references_law():
    count, batch_size = 300, 4
    _, batches = block_batches(count, batch_size)
    rng = np.random.default_rng(0)
    theirs = [ijepa_masks.sample(rng, batch_size, GRID) for _ in range(count)]
    ours = [
        unpad(batches, i, j) for i in range(count) for j in range(batch_size)
    ]
    lengths = batches["context_mask"][:, 0].sum(1)
    expected = [len(contexts[0]) for contexts, _ in theirs]
    assert stats.ks_2samp(lengths, expected).pvalue > 0.01
    sizes = batches["target_mask"][:, 0, 0].sum(1)
    expected = [targets.shape[-1] for _, targets in theirs]
    for size in set(expected):
        share = np.mean(np.array(expected) == size)
        assert abs(np.mean(sizes == size) - share) < 0.12
    # How often each patch is in a target.
    seen = np.bincount(
        np.concatenate([ids for _, targets in ours for ids in targets]),
        minlength=196,
    )
    expected = np.bincount(
        np.concatenate([targets.ravel() for _, targets in theirs]),
        minlength=196,
    )
    assert abs(seen - expected).max() < 0.15 * expected.max()
    assert seen.reshape(GRID)[-1].sum() == seen.reshape(GRID)[:, -1].sum() == 0


def test_targets_are_let_back_in_where_no_context_is_left():
    # Four large targets cover nearly all of a grid this small.
    make, batches = block_batches(
        60,
        batch_size=4,
        grid=(6, 6),
        target_area=(0.6, 0.7),
        target_aspect=(1.0, 1.0),
        min_patches=10,
    )
    overlaps = []
    for i in range(60):
        for j in range(4):
            context, targets = unpad(batches, i, j)
            assert len(context) > 10
            hit = [np.isin(context, target).any() for target in targets]
            overlaps.append(hit)
    overlaps = np.array(overlaps)
    # The last target is the first to be let in, and the others after it.
    assert overlaps[:, -1].mean() > 0.9
    assert (np.diff(overlaps.mean(0)) >= 0).all()
    assert make.target_length >= 16


def test_block_masks_have_static_shapes():
    make = masks.BlockMasks(GRID, context_length=64)
    numbers = tf.data.Dataset.range(3)
    spec = numbers.map(lambda i: make(tf.stack([i, i]), 8)).element_spec
    assert {key: (value.shape, value.dtype) for key, value in spec.items()} == {
        "context": ((8, 64), tf.int32),
        "context_mask": ((8, 64), tf.bool),
        "targets": ((8, 4, 40), tf.int32),
        "target_mask": ((8, 4, 40), tf.bool),
    }


def test_wrong_masks():
    with pytest.raises(ValueError, match="Received: 0.01, which keeps 0"):
        masks.random_mask((0, 1), 20, keep=0.01)
    for keep in (0, 1, 1.5, -0.5, float("nan"), "0.25"):
        with pytest.raises(ValueError, match=r"^`keep`.*\(0, 1\).*Received"):
            data.mae_batches(data.Scenes(size=8), 32, 8, 4, keep=keep)
    with pytest.raises(ValueError, match=r"\(6, 6\).*min_patches=10"):
        masks.BlockMasks((6, 6))
    with pytest.raises(ValueError, match="context_length.*Received: -1"):
        masks.BlockMasks(GRID, context_length=-1)
    for name in ("context_length", "num_targets", "tries"):
        with pytest.raises(ValueError, match=f"{name}.*positive.*Received: 0"):
            masks.BlockMasks(GRID, **{name: 0})
    for name, area in (
        ("target_area", (0.9, 1.0)),
        ("target_area", (0.0, 0.2)),
        ("target_area", (0.3, 0.2)),
        ("context_area", (0.85, 1.5)),
    ):
        with pytest.raises(ValueError, match=f"{name}.*pair in.*Received"):
            masks.BlockMasks(GRID, **{name: area})
