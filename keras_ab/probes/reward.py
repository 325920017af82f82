"""How well the reward tells an image's own caption from others."""

from collections.abc import Sequence

import numpy as np
from keras import ops

from keras_ab.models import Pretrainer
from keras_ab.probes.features import extract_views
from keras_ab.typing import Tensor


def reward_ranks(
    model: Pretrainer,
    images: Tensor,
    captions: Sequence[str],
    group: int = 64,
    network: str | None = None,
) -> np.ndarray:
    """The rank of each image's caption among those of its group.

    Args:
        model: A `keras_ab.models.Pretrainer` whose reward takes captions.
        images: uint8 of shape `(B, H, W, 3)`, resized to the encoder's size.
        captions: List of B strings.
        group: Int, images (and captions) to a group; a rest is left out.
            Chance for rank 0 is `1 / group`.
        network: As in `keras_ab.probes.extract_features`.

    Returns:
        Floats of shape `(B // group * group,)`; 0 is best. A caption that
        occurs several times in a group counts half for each twin.

    Raises:
        ValueError: If `group` is not in [1, B], the model has no reward, or
            images are not uint8 of that shape.

    Example:

    >>> captions = ["w1", "w2", "w3", "w4"]
    >>> keras_ab.probes.reward_ranks(model, images, captions, group=4).shape
    # (4,)
    """
    if not 1 <= group <= len(images):
        raise ValueError(
            f"`group` must lie in [1, {len(images)}], the number of images. "
            f"Received: {group}"
        )
    size = model.encoder.image_shape[:2]
    ranks = []
    for start in range(0, len(images) - group + 1, group):
        views = extract_views(images[start : start + group], size)
        rows = model.reward(views, captions[start : start + group], network)
        rows = ops.convert_to_numpy(rows)
        own = rows.diagonal()[:, None]
        above = (rows > own + 1e-9).sum(1)
        ties = (abs(rows - own) <= 1e-9).sum(1) - 1
        ranks.append(above + ties / 2)
    return np.concatenate(ranks)
