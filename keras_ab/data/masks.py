"""Which patches a masked model sees, and which it predicts.

A patch's id is its place in raster order. Shapes are static, so that a
compiled step is compiled once: where the number of patches varies, ids are
padded and a mask says which are meant.
"""

import math

import numpy as np

from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors
from keras_ab.typing import is_integral
from keras_ab.typing import is_real

# Draws of a block's size come from this many equally likely values, so that
# the possible sizes can be listed.
LEVELS = 4096


def random_mask(
    seed: Tensor, num_patches: int, keep: float = 0.25
) -> tuple[Tensor, Tensor]:
    """Splits patches at random into kept and masked ones: MAE's mask.

    Args:
        seed: Integer tensor of shape `(2,)`.
        num_patches: Int, T.
        keep: Float in (0, 1); `int(T * keep)` patches are kept.

    Returns:
        int32 `(K,)`, the ids that are kept, and int32 `(T - K,)`, those that
        are masked, both in ascending order.

    Raises:
        ValueError: If no patch would be kept, or none masked.

    Example:

    >>> kept, masked = keras_ab.data.masks.random_mask((0, 1), 196)
    # int32 (49,), int32 (147,)

    Reference:
        He et al. 2022: noise for each patch, sorted.
    """
    tf = tensorflow()
    count = count_kept(num_patches, keep)
    order = tf.argsort(tf.random.stateless_uniform((num_patches,), seed))
    kept, masked = tf.sort(order[:count]), tf.sort(order[count:])
    return tf.cast(kept, "int32"), tf.cast(masked, "int32")


def count_kept(num_patches: int, keep: float) -> int:
    """How many patches MAE's mask keeps.

    Args:
        num_patches: Int, T.
        keep: Float in (0, 1).

    Returns:
        Int in [1, T).

    Raises:
        ValueError: If no patch would be kept, or none masked.
    """
    if not (is_real(keep) and 0 < keep < 1):
        raise ValueError(
            "`keep`, the share of patches kept, must be a number in (0, 1). "
            f"Received: {keep!r}"
        )
    count = int(num_patches * keep)
    if not count:
        raise ValueError(
            f"`keep` must leave some of {num_patches} patches and mask some. "
            f"Received: {keep}, which keeps {count}"
        )
    return count


class BlockMasks:
    """I-JEPA's masks: blocks to predict, from a block without them.

    A batch has one size of target and one of context, each from a single
    draw u: `int(T * share)` patches and an aspect ratio (height over width)
    that both grow with u. Each image has its own positions. Where a context
    without its targets has `min_patches` patches or fewer, its position is
    drawn again, up to `tries` times; then the last target is let back in, and
    so on. All contexts of a batch are cut to the smallest of them, first ids
    first.

    Sizes vary from batch to batch, shapes do not: ids are padded with 0, and
    a mask tells. The longest context possible is much longer than the usual
    smallest of a batch, so `context_length` can cap it and save computation;
    a cap above the batches' smallest contexts changes nothing. On 14 by 14
    patches 169 are possible, and of 60 batches of 256 images the smallest
    contexts had 31 to 61 (of 32 images: 43 to 69): 64 is a good cap there.

    Args:
        grid: `(rows, columns)` of patches.
        num_targets: Int, M, targets to an image.
        target_area: Pair in (0, 1): range of a target's share of the patches.
        target_aspect: Pair of positive floats: range of height over width.
        context_area: Pair in (0, 1]: range of the context's share.
        min_patches: Int; blocks must have more patches than this.
        tries: Int, positions drawn before a target is let back in.
        context_length: Int, most patches of a context that are used; None for
            no cap.

    Example:

    >>> masks = keras_ab.data.masks.BlockMasks((14, 14), context_length=64)
    >>> batch = masks((0, 1), batch_size=8)
    >>> batch["context"], batch["targets"]
    # int32 (8, 64), int32 (8, 4, 40)

    Reference:
        Assran et al. 2023 and its code: as there, the last offset is never
        drawn, so that on 14 by 14 patches every context lies at (0, 0).
    """

    def __init__(
        self,
        grid: tuple[int, int],
        num_targets: int = 4,
        target_area: tuple[float, float] = (0.15, 0.2),
        target_aspect: tuple[float, float] = (0.75, 1.5),
        context_area: tuple[float, float] = (0.85, 1.0),
        min_patches: int = 10,
        tries: int = 20,
        context_length: int | None = None,
    ):
        for name, (low, high), open_end in (
            ("target_area", target_area, True),
            ("context_area", context_area, False),
        ):
            if not 0 < low <= high <= 1 or (open_end and high == 1):
                raise ValueError(
                    f"`{name}`, a range of shares of the patches, must be a "
                    f"pair in (0, 1{')' if open_end else ']'}. Received: "
                    f"{(low, high)}"
                )
        for name, value in (
            ("num_targets", num_targets),
            ("tries", tries),
            ("context_length", context_length),
        ):
            if value is None and name == "context_length":
                continue
            if not (is_integral(value) and value >= 1):
                raise ValueError(
                    f"`{name}` must be a positive int. Received: {value!r}"
                )
        self.grid = tuple(grid)
        self.num_targets = num_targets
        self.min_patches = min_patches
        self.tries = tries
        self._targets = block_sizes(grid, target_area, target_aspect)
        self._contexts = block_sizes(grid, context_area, (1.0, 1.0))
        for name, sizes in (
            ("target", self._targets),
            ("context", self._contexts),
        ):
            smallest = sizes.prod(1).min()
            if smallest <= min_patches:
                raise ValueError(
                    f"A {name} on a grid of {self.grid} patches can have "
                    f"{smallest} of them, and needs more than `min_patches`. "
                    f"Received: min_patches={min_patches}"
                )
        self.target_length = int(self._targets.prod(1).max())
        longest = int(self._contexts.prod(1).max())
        self.context_length = min(context_length or longest, longest)

    def __call__(self, seed: Tensor, batch_size: int) -> Tensors:
        """Masks for one batch.

        Args:
            seed: Integer tensor of shape `(2,)`.
            batch_size: Int, B.

        Returns:
            A dict: `"context"`, int32 `(B, C)`, the ids of patches to see;
            `"context_mask"`, bool `(B, C)`, which of these are no padding;
            `"targets"`, int32 `(B, M, P)`, the ids of each target;
            `"target_mask"`, bool `(B, M, P)`.
        """
        tf = tensorflow()
        seeds = tf.random.split(seed, 4)
        target = _pick(self._targets, seeds[0])
        context = _pick(self._contexts, seeds[1])
        count = self.num_targets
        corners = _corners(seeds[2], (batch_size, count), self.grid, target)
        targets = _blocks(corners, target, self.grid)
        regions = self._contexts_without(seeds[3], batch_size, context, targets)
        ids, sizes = _first_ids(regions, self.context_length)
        length = tf.minimum(tf.reduce_min(sizes), self.context_length)
        mask = tf.range(self.context_length) < length
        target_ids, _ = _first_ids(targets, self.target_length)
        target_mask = tf.range(self.target_length) < tf.reduce_prod(target)
        shape = (batch_size, count, self.target_length)
        return {
            "context": tf.where(mask, ids, 0),
            "context_mask": tf.tile(mask[None], (batch_size, 1)),
            "targets": tf.where(target_mask, target_ids, 0),
            "target_mask": tf.broadcast_to(target_mask, shape),
        }

    def _contexts_without(self, seed, batch_size, size, targets):
        """The context of each image, bool `(B, rows, columns)`."""
        tf = tensorflow()
        # All positions that could come to be tried: `tries` for each number
        # of targets kept out, from all of them down to none.
        levels = self.num_targets + 1
        shape = (batch_size, levels, self.tries)
        corners = _corners(seed, shape, self.grid, size)
        covered = tf.cumsum(tf.cast(targets, "int32"), axis=1)
        none = tf.zeros_like(covered[:, :1])
        free = tf.concat([none, covered], axis=1)[:, ::-1] == 0
        patches = _count(free, corners, size)
        good = tf.reshape(patches > self.min_patches, (batch_size, -1))
        # argmax gives the first of equals: the first try that will do.
        first = tf.argmax(tf.cast(good, "int32"), axis=1, output_type="int32")
        corner = tf.reshape(corners, (batch_size, -1, 2))
        corner = tf.gather(corner, first, axis=1, batch_dims=1)
        free = tf.gather(free, first // self.tries, axis=1, batch_dims=1)
        return _blocks(corner, size, self.grid) & free


def block_sizes(
    grid: tuple[int, int],
    area: tuple[float, float],
    aspect: tuple[float, float],
) -> np.ndarray:
    """The sizes that blocks of a grid can have, one for each level of a draw.

    Args:
        grid: `(rows, columns)` of patches.
        area: Pair: range of the block's share of the patches.
        aspect: Pair: range of height over width.

    Returns:
        int32 array `(LEVELS, 2)`, heights and widths.
    """
    rows, columns = grid
    draws = (np.arange(LEVELS) + 0.5) / LEVELS
    sizes = []
    for u in draws:
        patches = int(rows * columns * (area[0] + u * (area[1] - area[0])))
        ratio = aspect[0] + u * (aspect[1] - aspect[0])
        height = round(math.sqrt(patches * ratio))
        width = round(math.sqrt(patches / ratio))
        sizes.append((min(height, rows - 1), min(width, columns - 1)))
    return np.array(sizes, "int32")


def _pick(sizes, seed):
    tf = tensorflow()
    level = tf.random.stateless_uniform((), seed, 0, LEVELS, dtype="int32")
    return tf.gather(tf.constant(sizes), level)


def _corners(seed, shape, grid, size):
    """Upper left corners of blocks, int32 `(*shape, 2)`."""
    tf = tensorflow()
    draws = tf.random.stateless_uniform((*shape, 2), seed)
    room = tf.constant(grid) - size
    corners = tf.cast(draws * tf.cast(room, "float32"), "int32")
    return tf.minimum(corners, room - 1)


def _blocks(corners, size, grid):
    """Blocks as bools `(..., rows, columns)`."""
    tf = tensorflow()
    inside = []
    for axis in range(2):
        places = tf.range(grid[axis])
        start = corners[..., axis, None]
        inside.append((places >= start) & (places < start + size[axis]))
    return inside[0][..., :, None] & inside[1][..., None, :]


def _count(free, corners, size):
    """Free patches in each block: `(B, L, rows, columns)`, `(B, L, tries)`."""
    tf = tensorflow()
    # A summed-area table, with a row and a column of zeros before it.
    table = tf.cumsum(tf.cumsum(tf.cast(free, "int32"), axis=2), axis=3)
    table = tf.pad(table, [[0, 0], [0, 0], [1, 0], [1, 0]])

    def upto(corner):
        return tf.gather_nd(table, corner, batch_dims=2)

    far = corners + size
    mixed = tf.stack([corners[..., 0], far[..., 1]], -1)
    other = tf.stack([far[..., 0], corners[..., 1]], -1)
    return upto(far) - upto(mixed) - upto(other) + upto(corners)


def _first_ids(regions, length):
    """The first ids of each region, and how many it has."""
    tf = tensorflow()
    cells = regions.shape[-2] * regions.shape[-1]
    flat = tf.reshape(regions, (*regions.shape[:-2], cells))
    # A stable sort of "outside" brings the ids inside to the front, in order.
    order = tf.argsort(tf.cast(~flat, "int32"), axis=-1, stable=True)
    sizes = tf.reduce_sum(tf.cast(flat, "int32"), -1)
    return order[..., :length], sizes
