"""Batches of images with masks: MAE and I-JEPA."""

from keras_ab.data.augmentations import random_flip
from keras_ab.data.headers import MAX_PIXELS
from keras_ab.data.masks import BlockMasks
from keras_ab.data.masks import count_kept
from keras_ab.data.masks import random_mask
from keras_ab.data.order import lane_key
from keras_ab.data.quarantine import Quarantine
from keras_ab.data.source import Source
from keras_ab.data.stream import batches
from keras_ab.data.stream import check_area
from keras_ab.data.stream import check_size
from keras_ab.data.stream import check_source
from keras_ab.data.tf import tensorflow
from keras_ab.data.views import weak_view
from keras_ab.typing import Dataset
from keras_ab.typing import Size


def mae_batches(
    source: Source,
    image_size: Size = 224,
    patch_size: int = 16,
    batch_size: int = 256,
    keep: float = 0.25,
    area: tuple[float, float] = (0.2, 1.0),
    seed: int = 0,
    start_step: int = 0,
    num_hosts: int = 1,
    host: int = 0,
    quarantine: Quarantine | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Dataset:
    """Batches of images with random masks, without end.

    The batch of a step is a pure function of `(seed, step)`.

    Args:
        source: A `keras_ab.data.Source`; its annotations are not read.
        image_size: Int or `(height, width)` of the crops.
        patch_size: Int, side of a patch in pixels.
        batch_size: Int, images to a batch.
        keep: Float in (0, 1), the share of patches kept.
        area: Pair in (0, 1]: range of the crop's share of the image.
        seed: Int, the seed of order, crops, flips and masks.
        start_step: Int, the step of the first batch.
        num_hosts: Int; this and the rest as in `reward_batches`.
        host: Int in [0, num_hosts).
        quarantine: A `keras_ab.data.Quarantine`, or None.
        max_pixels: Int.

    Returns:
        A `tf.data.Dataset` of `{"masked": {"image", "kept", "masked"}}`:
        uint8 `(batch_size, H, W, 3)`, and int32 `(batch_size, K)` and
        `(batch_size, T - K)`, ids of patches in raster order.

    Example:

    >>> data = keras_ab.data.mae_batches(
    ...     keras_ab.data.Scenes(size=16), image_size=48, patch_size=8,
    ...     batch_size=4,
    ... )

    Reference:
        Table 7, column MAE: RRC(0.2, 1), flip.
    """
    tf = tensorflow()
    size = check_size(image_size)
    rows, columns = _grid(size, patch_size)
    check_source(source, "source", batch_size, "batch_size")
    check_area(area, "area")
    count_kept(rows * columns, keep)

    def read(index, seeds, cut):
        image = source.load(index)["image"]
        own = tf.random.split(seeds[0], 2)
        view = random_flip(weak_view(image, own[0], size, area, cut), own[1])
        kept, masked = random_mask(seeds[1], rows * columns, keep)
        return {"masked": {"image": view, "kept": kept, "masked": masked}}

    return batches(
        source,
        read,
        lane="masked",
        batch_size=batch_size,
        seed=seed,
        start_step=start_step,
        num_hosts=num_hosts,
        host=host,
        quarantine=quarantine,
        max_pixels=max_pixels,
    )


def ijepa_batches(
    source: Source,
    image_size: Size = 224,
    patch_size: int = 16,
    batch_size: int = 256,
    area: tuple[float, float] = (0.3, 1.0),
    masks: BlockMasks | None = None,
    seed: int = 0,
    start_step: int = 0,
    num_hosts: int = 1,
    host: int = 0,
    quarantine: Quarantine | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Dataset:
    """Batches of images with block masks, without end.

    The batch of a step is a pure function of `(seed, step)`.

    Args:
        source: A `keras_ab.data.Source`; its annotations are not read.
        image_size: Int or `(height, width)` of the crops.
        patch_size: Int, side of a patch in pixels.
        batch_size: Int, images to a batch.
        area: Pair in (0, 1]: range of the crop's share of the image.
        masks: A `keras_ab.data.masks.BlockMasks` for these patches; None for
            the published one.
        seed: Int, the seed of order, crops and masks.
        start_step: Int, the step of the first batch.
        num_hosts: Int; this and the rest as in `reward_batches`.
        host: Int in [0, num_hosts).
        quarantine: A `keras_ab.data.Quarantine`, or None.
        max_pixels: Int.

    Returns:
        A `tf.data.Dataset` of `{"masked": {"image", "context",
        "context_mask", "targets", "target_mask"}}`: uint8
        `(batch_size, H, W, 3)`, and the rest as `BlockMasks` gives it.

    Example:

    >>> data = keras_ab.data.ijepa_batches(
    ...     keras_ab.data.Scenes(size=16), image_size=96, patch_size=8,
    ...     batch_size=4,
    ... )

    Reference:
        Table 7, column I-JEPA: RRC(0.3, 1), no flip.
    """
    tf = tensorflow()
    size = check_size(image_size)
    grid = _grid(size, patch_size)
    check_source(source, "source", batch_size, "batch_size")
    check_area(area, "area")
    masks = masks or BlockMasks(grid)
    if masks.grid != grid:
        raise ValueError(
            f"`masks` must be for a grid of {grid} patches, as "
            f"`image_size` {size} and `patch_size` {patch_size} make it. "
            f"Received: {masks.grid}"
        )

    def read(index, seeds, cut):
        image = source.load(index)["image"]
        view = weak_view(image, seeds[0], size, area, cut)
        return {"masked": {"image": view}}

    # Sizes are those of a whole batch, so that masks are made for all of it,
    # on every host, which takes its own.
    def add_masks(batch, step):
        blocks = masks(tf.stack([key, step]), batch_size)
        blocks = {name: ids[mine] for name, ids in blocks.items()}
        return {"masked": {**batch["masked"], **blocks}}

    key = tf.constant(lane_key(seed, "blocks"), "int64")
    rows = batch_size // num_hosts
    steps = tf.data.Dataset.range(start_step, 2**62)
    images = batches(
        source,
        read,
        lane="masked",
        batch_size=batch_size,
        seed=seed,
        start_step=start_step,
        num_hosts=num_hosts,
        host=host,
        quarantine=quarantine,
        max_pixels=max_pixels,
    )
    rows = batch_size // num_hosts
    mine = slice(host * rows, (host + 1) * rows)
    masked = tf.data.Dataset.zip(images, steps).map(add_masks)
    return masked.prefetch(tf.data.AUTOTUNE)


def _grid(size, patch_size):
    if patch_size < 1 or size[0] % patch_size or size[1] % patch_size:
        raise ValueError(
            "`image_size` must be a multiple of `patch_size`. Received: "
            f"image_size={size}, patch_size={patch_size}"
        )
    return size[0] // patch_size, size[1] // patch_size
