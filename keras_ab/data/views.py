"""Views of one image, as each method wants them.

An image is uint8 `(H, W, 3)`, or an encoded string, of which no more is
decoded than its views need.
"""

import functools
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from keras_ab.data.augmentations import dino_global_1
from keras_ab.data.augmentations import dino_global_2
from keras_ab.data.augmentations import dino_local
from keras_ab.data.augmentations import simclr
from keras_ab.data.crops import cut_groups
from keras_ab.data.sampling import sample_boxes
from keras_ab.data.tf import tensorflow
from keras_ab.typing import ImageFunction
from keras_ab.typing import Tensor
from keras_ab.typing import Tensors


def weak_view(
    image: Tensor,
    seed: Tensor,
    size: tuple[int, int],
    area: tuple[float, float] = (0.5, 1.0),
    cut: Callable[..., Any] = cut_groups,
) -> Tensor:
    """One crop, as it is: CLIP's view.

    Args:
        image: uint8 of shape `(H, W, 3)`, or an encoded string.
        seed: Integer tensor of shape `(2,)`.
        size: `(height, width)` of the view.
        area: Pair in (0, 1]: range of the crop's share of the image.
        cut: `keras_ab.data.crops.cut_groups`, or a part of it.

    Returns:
        uint8 of shape `(height, width, 3)`.

    Example:

    >>> keras_ab.data.views.weak_view(image, seed=(0, 1), size=(48, 48))
    # uint8 (48, 48, 3)

    Reference:
        Table 7, column CLIP: RRC(0.5, 1).
    """
    (views,) = cut(image, [_law(seed, 1, area)], [size])
    return views[0]


def strong_views(
    image: Tensor,
    seed: Tensor,
    size: tuple[int, int],
    num_views: int = 2,
    area: tuple[float, float] = (0.08, 1.0),
    augmentation: ImageFunction | None = None,
    cut: Callable[..., Any] = cut_groups,
) -> Tensor:
    """Crops, each augmented on its own: SimCLR's pair.

    Args:
        image: uint8 of shape `(H, W, 3)`, or an encoded string.
        seed: Integer tensor of shape `(2,)`.
        size: `(height, width)` of the views.
        num_views: Int, N.
        area: Pair in (0, 1]: range of a crop's share of the image.
        augmentation: Callable from `(image, seed)` to an image; None for
            `keras_ab.data.augmentations.simclr()`.
        cut: As in `weak_view`.

    Returns:
        uint8 of shape `(N, height, width, 3)`.

    Example:

    >>> keras_ab.data.views.strong_views(image, seed=(0, 1), size=(48, 48))
    # uint8 (2, 48, 48, 3)

    Reference:
        Table 7, column SimCLR: RRC(0.08, 1), flip, jitter.
    """
    tf = tensorflow()
    seeds = tf.random.split(seed, 2)
    (views,) = cut(image, [_law(seeds[0], num_views, area)], [size])
    return augment(views, seeds[1], [augmentation or simclr()] * num_views)


def multi_crop(
    image: Tensor,
    seed: Tensor,
    global_size: tuple[int, int],
    local_size: tuple[int, int],
    num_locals: int = 8,
    global_area: tuple[float, float] = (0.4, 1.0),
    local_area: tuple[float, float] = (0.05, 0.4),
    global_augmentations: Sequence[ImageFunction] | None = None,
    local_augmentation: ImageFunction | None = None,
    cut: Callable[..., Any] = cut_groups,
    sample: Callable[..., Any] | None = None,
) -> Tensors:
    """Two large and several small crops: DINO's views.

    Args:
        image: uint8 of shape `(H, W, 3)`, or an encoded string.
        seed: Integer tensor of shape `(2,)`.
        global_size: `(height, width)` of the large crops.
        local_size: `(height, width)` of the small ones.
        num_locals: Int, n, small crops; 0 for none.
        global_area: Pair in (0, 1]: range of a large crop's share.
        local_area: Pair in (0, 1]: range of a small crop's share.
        global_augmentations: One callable from `(image, seed)` to an image
            for each large crop; None for DINO's two.
        local_augmentation: Likewise, one for all small crops; None for
            DINO's.
        cut: As in `weak_view`.
        sample: Callable that draws the large crops in place of
            `global_area`, such as a `keras_ab.data.OverlapSampler`.

    Returns:
        A dict: `"global"`, uint8 `(2, height, width, 3)`, and `"local"`,
        uint8 `(n, height, width, 3)`, absent where n is 0.

    Example:

    >>> keras_ab.data.views.multi_crop(
    ...     image, seed=(0, 1), global_size=(64, 64), local_size=(24, 24)
    ... )
    # {"global": uint8 (2, 64, 64, 3), "local": uint8 (8, 24, 24, 3)}

    Reference:
        Caron et al. 2021; Table 7, column DINO.
    """
    tf = tensorflow()
    seeds = tf.random.split(seed, 4)
    large = global_augmentations or (dino_global_1(), dino_global_2())
    draws = [_law(seeds[0], len(large), global_area, sample)]
    if num_locals:
        draws.append(_law(seeds[2], num_locals, local_area))
    crops = cut(image, draws, [global_size, local_size][: len(draws)])
    views = {"global": augment(crops[0], seeds[1], large)}
    if num_locals:
        small = [local_augmentation or dino_local()] * num_locals
        views["local"] = augment(crops[1], seeds[3], small)
    return views


def augment(
    views: Tensor, seed: Tensor, augmentations: Sequence[ImageFunction]
) -> Tensor:
    """Views, each augmented on its own.

    Args:
        views: uint8 of shape `(N, H, W, 3)`.
        seed: Integer tensor of shape `(2,)`.
        augmentations: List of N callables from `(image, seed)` to an image.

    Returns:
        uint8 of the same shape.
    """
    tf = tensorflow()
    seeds = tf.random.split(seed, len(augmentations))
    parts = zip(augmentations, tf.unstack(views), tf.unstack(seeds))
    views = [augmentation(view, own) for augmentation, view, own in parts]
    return tf.stack(views)


def _law(seed, num_views, area, sample=None):
    """Boxes in pixels, of an image's shape alone."""
    sample = sample or functools.partial(sample_boxes, area=area)

    def draw(shape):
        return sample(seed, num_views, shape)[0]

    return draw
