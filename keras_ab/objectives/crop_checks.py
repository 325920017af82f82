"""Checks of batches of global and local crops."""

import numpy as np

from keras_ab.objectives import checks
from keras_ab.typing import Batch


def check_crops(
    batch: Batch, patch_size: tuple[int, int] | None = None
) -> None:
    """Raises `ValueError` for anything but global and local crops.

    Args:
        batch: The nested dict that `fit` consumes, as NumPy arrays.
        patch_size: `(height, width)` of the encoder's patches, or None.
    """
    where = 'batch["crops"]["{}"]'.format
    globals_ = checks.take(batch, "crops", "global")
    _check_views(globals_, where("global"), patch_size)
    locals_ = batch["crops"].get("local")
    if locals_ is None:
        if np.shape(globals_)[1] < 2:
            raise ValueError(
                f"{where('global')} must hold at least 2 crops of each image "
                f"where there is no {where('local')}: a crop is to agree "
                f"with others. Received: shape {np.shape(globals_)}"
            )
        return
    _check_views(locals_, where("local"), patch_size)
    if len(locals_) != len(globals_):
        raise ValueError(
            f"{where('global')} and {where('local')} must be crops of the "
            f"same images. Received: {len(globals_)} and {len(locals_)} images"
        )
    large, small = np.shape(globals_)[2:4], np.shape(locals_)[2:4]
    if small[0] > large[0] or small[1] > large[1]:
        raise ValueError(
            f"{where('local')} must not be larger than {where('global')}. "
            f"Received: {small[0]} x {small[1]} and {large[0]} x {large[1]} "
            "pixels"
        )


def _check_views(views, where, patch_size):
    checks.check_images(views, where, rank=5)
    shape = np.shape(views)
    if 0 in shape:
        raise ValueError(
            f"{where} must hold one image and one crop of it or more (leave "
            f'"local" out where there are none). Received: shape {shape}'
        )
    if patch_size and (shape[2] % patch_size[0] or shape[3] % patch_size[1]):
        raise ValueError(
            f"The sides of {where} must be multiples of the encoder's patch "
            f"size {tuple(patch_size)}. Received: {shape[2]} x {shape[3]} "
            "pixels"
        )
