"""Geometry of crop boxes."""

from keras import ops

from keras_ab.typing import Tensor


def relative_boxes(boxes: Tensor) -> Tensor:
    """Expresses every box of a set in the frame of every other one.

    This is the paper's action `bb_{i→j}`: the crop box of view j, seen from
    view i. The frame of box i runs from (0, 0) in its upper left corner to
    (1, 1) in its lower right one, so a box that contains it has a negative
    minimum and a maximum above one.

    The arithmetic is float32 whatever the dtype policy: in bfloat16 the
    coordinates would fall into other action bins.

    Args:
        boxes: Floats of shape `(..., N, 4)`: `(ymin, xmin, ymax, xmax)` with
            `ymin < ymax` and `xmin < xmax`, all in one common frame (usually
            normalised to the image).

    Returns:
        Float32 of shape `(..., N, N, 4)`; `[..., i, j, :]` is box j in the
        frame of box i. For `i == j` that is `(0, 0, 1, 1)`.

    Example:

    >>> boxes = [[0.0, 0.0, 0.5, 0.5], [0.25, 0.0, 0.75, 1.0]]
    >>> keras_ab.ops.relative_boxes(boxes)[0, 1]
    # [0.5, 0.0, 1.5, 2.0]

    Reference:
        Section 3.1 (`bb_{1→2}`) and `relative_bbox` in Algorithm 2.
    """
    boxes = ops.cast(ops.convert_to_tensor(boxes), "float32")
    if len(boxes.shape) < 2 or boxes.shape[-1] != 4:
        raise ValueError(
            "`boxes` must have shape (..., N, 4), each box given as "
            f"(ymin, xmin, ymax, xmax). Received: shape {tuple(boxes.shape)}"
        )
    corner = boxes[..., :2]
    size = boxes[..., 2:] - corner
    origin = ops.concatenate([corner, corner], axis=-1)
    scale = ops.concatenate([size, size], axis=-1)
    offset = ops.expand_dims(boxes, -3) - ops.expand_dims(origin, -2)
    return offset / ops.expand_dims(scale, -2)
