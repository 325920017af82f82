"""Batches of augmented views: SimCLR, DINO, and both beside captions."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from keras_ab.data.augmentations import clip_aug
from keras_ab.data.augmentations import slip
from keras_ab.data.batches import reward_batches
from keras_ab.data.headers import MAX_PIXELS
from keras_ab.data.order import check_hosts
from keras_ab.data.quarantine import Quarantine
from keras_ab.data.source import Source
from keras_ab.data.stream import batches
from keras_ab.data.stream import check_area
from keras_ab.data.stream import check_size
from keras_ab.data.stream import check_source
from keras_ab.data.stream import merge
from keras_ab.data.views import multi_crop
from keras_ab.data.views import strong_views
from keras_ab.typing import Dataset
from keras_ab.typing import ImageFunction
from keras_ab.typing import Size
from keras_ab.typing import Tensor


def simclr_batches(
    source: Source,
    image_size: Size = 224,
    batch_size: int = 256,
    area: tuple[float, float] = (0.08, 1.0),
    augmentation: ImageFunction | None = None,
    seed: int = 0,
    start_step: int = 0,
    num_hosts: int = 1,
    host: int = 0,
    quarantine: Quarantine | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Dataset:
    """Batches of two strong views of each image, without end.

    The batch of a step is a pure function of `(seed, step)`.

    Args:
        source: A `keras_ab.data.Source`; its annotations are not read.
        image_size: Int or `(height, width)` of the views.
        batch_size: Int, images to a batch; it holds twice as many views.
        area: Pair in (0, 1]: range of the crop's share of the image.
        augmentation: Callable from `(image, seed)` to an image; None for
            `keras_ab.data.augmentations.simclr()`.
        seed: Int, the seed of order, crops and colours.
        start_step: Int, the step of the first batch.
        num_hosts: Int; this and the rest as in `reward_batches`.
        host: Int in [0, num_hosts).
        quarantine: A `keras_ab.data.Quarantine`, or None.
        max_pixels: Int.

    Returns:
        A `tf.data.Dataset` of `{"views": {"image"}}`: uint8
        `(batch_size, 2, H, W, 3)`.

    Example:

    >>> data = keras_ab.data.simclr_batches(
    ...     keras_ab.data.Scenes(size=16), image_size=48, batch_size=4
    ... )

    Reference:
        Table 7, column SimCLR.
    """
    size = check_size(image_size)
    check_source(source, "source", batch_size, "batch_size")
    check_area(area, "area")

    def read(index, seeds, cut):
        views = strong_views(
            source.load(index)["image"],
            seeds[0],
            size,
            area=area,
            augmentation=augmentation,
            cut=cut,
        )
        return {"views": {"image": views}}

    return batches(
        source,
        read,
        lane="views",
        batch_size=batch_size,
        seed=seed,
        start_step=start_step,
        num_hosts=num_hosts,
        host=host,
        quarantine=quarantine,
        max_pixels=max_pixels,
    )


def dino_batches(
    source: Source,
    image_size: Size = 224,
    local_size: Size = 96,
    batch_size: int = 128,
    num_locals: int = 8,
    global_area: tuple[float, float] = (0.4, 1.0),
    local_area: tuple[float, float] = (0.05, 0.4),
    global_augmentations: Sequence[ImageFunction] | None = None,
    local_augmentation: ImageFunction | None = None,
    seed: int = 0,
    start_step: int = 0,
    num_hosts: int = 1,
    host: int = 0,
    quarantine: Quarantine | None = None,
    max_pixels: int = MAX_PIXELS,
    sample: Callable[..., Any] | None = None,
) -> Dataset:
    """Batches of two global and several local crops, without end.

    The batch of a step is a pure function of `(seed, step)`.

    Args:
        source: A `keras_ab.data.Source`; its annotations are not read.
        image_size: Int or `(height, width)` of global crops.
        local_size: Int or `(height, width)` of local crops.
        batch_size: Int, images to a batch.
        num_locals: Int, n, local crops of each image; 0 for none.
        global_area: Pair in (0, 1]: range of a global crop's share.
        local_area: Pair in (0, 1]: range of a local crop's share.
        global_augmentations: One callable from `(image, seed)` to an image
            for each global crop; None for DINO's two.
        local_augmentation: Likewise, one for all local crops; None for
            DINO's.
        seed: Int, the seed of order, crops and colours.
        start_step: Int, the step of the first batch.
        num_hosts: Int; this and the rest as in `reward_batches`.
        host: Int in [0, num_hosts).
        quarantine: A `keras_ab.data.Quarantine`, or None.
        max_pixels: Int.
        sample: Callable that draws the boxes of global crops, in place of
            `global_area`, such as a `keras_ab.data.OverlapSampler`.

    Returns:
        A `tf.data.Dataset` of `{"crops": {"global", "local"}}`: uint8
        `(batch_size, 2, H, W, 3)` and `(batch_size, n, h, w, 3)`.

    Example:

    >>> data = keras_ab.data.dino_batches(
    ...     keras_ab.data.Scenes(size=16), image_size=64, local_size=24,
    ...     batch_size=4, num_locals=2,
    ... )

    Reference:
        Table 7, column DINO: two crops of RRC(0.4, 1), eight of
        RRC(0.05, 0.4).
    """
    global_size = check_size(image_size)
    local_size = check_size(local_size, "local_size")
    check_source(source, "source", batch_size, "batch_size")
    check_area(global_area, "global_area")
    check_area(local_area, "local_area")
    if num_locals < 0:
        raise ValueError(
            f"`num_locals` must not be negative. Received: {num_locals}"
        )

    def read(index, seeds, cut):
        crops = multi_crop(
            source.load(index)["image"],
            seeds[0],
            global_size,
            local_size,
            num_locals,
            global_area,
            local_area,
            global_augmentations,
            local_augmentation,
            cut,
            sample,
        )
        return {"crops": crops}

    return batches(
        source,
        read,
        lane="crops",
        batch_size=batch_size,
        seed=seed,
        start_step=start_step,
        num_hosts=num_hosts,
        host=host,
        quarantine=quarantine,
        max_pixels=max_pixels,
    )


def clip_aug_batches(
    source: Source,
    tokenizer: Callable[[Tensor], Tensor],
    image_size: Size = 224,
    batch_size: int = 256,
    area: tuple[float, float] = (0.08, 1.0),
    augmentation: ImageFunction | None = None,
    seed: int = 0,
    start_step: int = 0,
    num_hosts: int = 1,
    host: int = 0,
    quarantine: Quarantine | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Dataset:
    """Batches of captioned images in one strong view, without end.

    Args:
        source: A `keras_ab.data.Source` whose records have `"text"`.
        tokenizer: Callable from a string tensor to int32 ids
            `(sequence_length,)`.
        image_size: Int or `(height, width)` of the views.
        batch_size: Int, images to a batch.
        area: Pair in (0, 1]: range of the crop's share of the image.
        augmentation: Callable from `(image, seed)` to an image; None for
            `keras_ab.data.augmentations.clip_aug()`.
        seed: Int, the seed of order, crops, colours and captions.
        start_step: Int, the step of the first batch.
        num_hosts: Int; this and the rest as in `reward_batches`.
        host: Int in [0, num_hosts).
        quarantine: A `keras_ab.data.Quarantine`, or None.
        max_pixels: Int.

    Returns:
        A `tf.data.Dataset` of what `reward_batches` gives.

    Reference:
        Fini et al. 2023, the strong view alone.
    """
    return reward_batches(
        source,
        tokenizer,
        image_size=image_size,
        batch_size=batch_size,
        area=area,
        augmentation=augmentation or clip_aug(),
        seed=seed,
        start_step=start_step,
        num_hosts=num_hosts,
        host=host,
        quarantine=quarantine,
        max_pixels=max_pixels,
    )


def slip_batches(
    source: Source,
    tokenizer: Callable[[Tensor], Tensor],
    views: Source | None = None,
    image_size: Size = 224,
    batch_size: int = 256,
    views_batch_size: int = 128,
    seed: int = 0,
    start_step: int = 0,
    augmentation: ImageFunction | None = None,
    num_hosts: int = 1,
    host: int = 0,
    quarantine: Quarantine | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Dataset:
    """Batches of captioned images, and of views in pairs, without end.

    Args:
        source: A `keras_ab.data.Source` whose records have `"text"`.
        tokenizer: Callable from a string tensor to int32 ids
            `(sequence_length,)`.
        views: The `keras_ab.data.Source` of the pairs; None for `source`, in
            an order of its own.
        image_size: Int or `(height, width)` of all views.
        batch_size: Int, captioned images to a batch.
        views_batch_size: Int, images in pairs to a batch. Half of
            `batch_size` makes the halves of the batch equal in views.
        seed: Int, the seed of everything.
        start_step: Int, the step of the first batch.
        augmentation: Callable from `(image, seed)` to an image; None for
            `keras_ab.data.augmentations.slip()`.
        num_hosts: Int; this and the rest as in `reward_batches`.
        host: Int in [0, num_hosts).
        quarantine: A `keras_ab.data.Quarantine`, or None.
        max_pixels: Int.

    Returns:
        A `tf.data.Dataset` of `{"reward": ..., "views": ...}`, as
        `reward_batches` and `simclr_batches` give them.

    Reference:
        Table 7, column SLIP: 4096 captioned images and 2048 pairs.
    """
    check_hosts(batch_size, num_hosts, host, "batch_size")
    check_hosts(views_batch_size, num_hosts, host, "views_batch_size")
    common: dict[str, Any] = {
        "image_size": image_size,
        "seed": seed,
        "start_step": start_step,
        "num_hosts": num_hosts,
        "host": host,
        "quarantine": quarantine or Quarantine(),
        "max_pixels": max_pixels,
    }
    return merge(
        reward_batches(source, tokenizer, batch_size=batch_size, **common),
        simclr_batches(
            source if views is None else views,
            batch_size=views_batch_size,
            augmentation=augmentation or slip(),
            **common,
        ),
    )


def silc_batches(
    source: Source,
    tokenizer: Callable[[Tensor], Tensor],
    crops: Source | None = None,
    image_size: Size = 224,
    local_size: Size = 96,
    batch_size: int = 256,
    crops_batch_size: int = 32,
    num_locals: int = 8,
    seed: int = 0,
    start_step: int = 0,
    num_hosts: int = 1,
    host: int = 0,
    quarantine: Quarantine | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Dataset:
    """Batches of captioned images, and of global and local crops, without end.

    Args:
        source: A `keras_ab.data.Source` whose records have `"text"`.
        tokenizer: Callable from a string tensor to int32 ids
            `(sequence_length,)`.
        crops: The `keras_ab.data.Source` of the crops; None for `source`, in
            an order of its own.
        image_size: Int or `(height, width)` of captioned views and of global
            crops.
        local_size: Int or `(height, width)` of local crops.
        batch_size: Int, captioned images to a batch.
        crops_batch_size: Int, images with global and local crops to a batch.
        num_locals: Int, local crops of each image.
        seed: Int, the seed of everything.
        start_step: Int, the step of the first batch.
        num_hosts: Int; this and the rest as in `reward_batches`.
        host: Int in [0, num_hosts).
        quarantine: A `keras_ab.data.Quarantine`, or None.
        max_pixels: Int.

    Returns:
        A `tf.data.Dataset` of `{"reward": ..., "crops": ...}`, as
        `reward_batches` and `dino_batches` give them.

    Reference:
        Table 7, column SiLC: 4096 captioned images, and 512 with ten crops.
    """
    check_hosts(batch_size, num_hosts, host, "batch_size")
    check_hosts(crops_batch_size, num_hosts, host, "crops_batch_size")
    common: dict[str, Any] = {
        "image_size": image_size,
        "seed": seed,
        "start_step": start_step,
        "num_hosts": num_hosts,
        "host": host,
        "quarantine": quarantine or Quarantine(),
        "max_pixels": max_pixels,
    }
    return merge(
        reward_batches(source, tokenizer, batch_size=batch_size, **common),
        dino_batches(
            source if crops is None else crops,
            local_size=local_size,
            batch_size=crops_batch_size,
            num_locals=num_locals,
            **common,
        ),
    )
