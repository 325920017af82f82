"""Loops over boxes, in float64."""

import numpy as np


def relative_boxes(boxes):
    boxes = np.asarray(boxes, "float64")
    count = boxes.shape[-2]
    result = np.zeros((*boxes.shape[:-2], count, count, 4))
    for index in np.ndindex(*boxes.shape[:-2]):
        for i in range(count):
            y0, x0, y1, x1 = boxes[(*index, i)]
            for j in range(count):
                top, left, bottom, right = boxes[(*index, j)]
                result[(*index, i, j)] = (
                    (top - y0) / (y1 - y0),
                    (left - x0) / (x1 - x0),
                    (bottom - y0) / (y1 - y0),
                    (right - x0) / (x1 - x0),
                )
    return result
