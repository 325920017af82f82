"""Stateless functions of arrays that are not losses."""

from keras_ab.ops.bellman import bellman_target
from keras_ab.ops.boxes import relative_boxes
from keras_ab.ops.chunked_bellman import chunked_bellman_target
from keras_ab.ops.images import scale_images
from keras_ab.ops.similarity import cosine_similarity
from keras_ab.ops.similarity import l2_normalize

__all__ = [
    "bellman_target",
    "chunked_bellman_target",
    "cosine_similarity",
    "l2_normalize",
    "relative_boxes",
    "scale_images",
]
