"""MAE's fixed positions, one number at a time."""

import math

import numpy as np


def position(row, column, hidden_dim):
    """The four stretches of one patch's position.

    MAE's `get_2d_sincos_pos_embed` makes `meshgrid(grid_w, grid_h)`, whose
    first array counts columns, and encodes that one into the first half.
    """
    half, quarter = hidden_dim // 2, hidden_dim // 4
    result = np.zeros(hidden_dim)
    for start, coordinate in ((0, column), (half, row)):
        for i in range(quarter):
            angle = coordinate / 10000 ** (i / quarter)
            result[start + i] = math.sin(angle)
            result[start + quarter + i] = math.cos(angle)
    return result


def table(rows, columns, hidden_dim):
    """`(rows * columns, hidden_dim)`, in raster order."""
    return np.array(
        [
            position(row, column, hidden_dim)
            for row in range(rows)
            for column in range(columns)
        ]
    )
