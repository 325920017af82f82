"""A small part of a batch, to measure on over and over."""

import keras
import numpy as np

from keras_ab.typing import Batch


def cut(batch: Batch, views: int) -> Batch:
    """The first examples of every part of a batch.

    Args:
        batch: Nested dict of arrays, a part to each kind of input, every leaf
            batched on its first axis.
        views: Int, how many views a part keeps at most, but 2 examples at
            least. An example of rank-5 images, `(B, N, H, W, 3)`, is N views.

    Returns:
        A nested dict of copies.
    """
    return {key: _cut_part(part, views) for key, part in batch.items()}


def _cut_part(part, views):
    shapes = [np.shape(leaf) for leaf in keras.tree.flatten(part)]
    # Global crops, where there are local ones too.
    each = min([shape[1] for shape in shapes if len(shape) == 5], default=1)
    keep = max(2, views // each)
    # Copies: a view would keep the whole batch alive.
    return keras.tree.map_structure(lambda leaf: leaf[:keep].copy(), part)


def images_of(
    batch: Batch, image_shape: tuple[int, int, int]
) -> np.ndarray | None:
    """One view of each image of the first part that holds some.

    Args:
        batch: Nested dict of arrays.
        image_shape: `(height, width, 3)` of the encoder; parts with such
            images come before others (local crops).

    Returns:
        Images of shape `(B, H, W, 3)`, or None if there are none.
    """
    found = [
        leaf if leaf.ndim == 4 else leaf[:, 0]
        for leaf in keras.tree.flatten(batch)
        if leaf.ndim in (4, 5) and leaf.shape[-1] == 3
    ]
    right = [x for x in found if x.shape[1:] == tuple(image_shape)]
    return next(iter(right or found), None)
