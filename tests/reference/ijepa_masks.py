"""I-JEPA's multi-block masks one image at a time, in NumPy."""

import math

import numpy as np


def block_size(u, grid, area, aspect):
    rows, columns = grid
    patches = int(rows * columns * (area[0] + u * (area[1] - area[0])))
    ratio = aspect[0] + u * (aspect[1] - aspect[0])
    height = round(math.sqrt(patches * ratio))
    width = round(math.sqrt(patches / ratio))
    return min(height, rows - 1), min(width, columns - 1)


def block(rng, size, grid):
    mask = np.zeros(grid, bool)
    top = rng.integers(0, grid[0] - size[0])
    left = rng.integers(0, grid[1] - size[1])
    mask[top : top + size[0], left : left + size[1]] = True
    return mask


def sample(rng, batch_size, grid, num_targets=4, min_patches=10, tries=20):
    """Ids of contexts, a list, and of targets, `(B, M, P)`."""
    target = block_size(rng.uniform(), grid, (0.15, 0.2), (0.75, 1.5))
    context = block_size(rng.uniform(), grid, (0.85, 1.0), (1.0, 1.0))
    contexts, all_targets = [], []
    for _ in range(batch_size):
        targets = [block(rng, target, grid) for _ in range(num_targets)]
        kept_out, left = num_targets, tries
        while True:
            region = block(rng, context, grid)
            for mask in targets[:kept_out]:
                region &= ~mask
            if region.sum() > min_patches:
                break
            left -= 1
            if left == 0:
                kept_out, left = kept_out - 1, tries
        contexts.append(np.flatnonzero(region))
        all_targets.append([np.flatnonzero(mask) for mask in targets])
    shortest = min(map(len, contexts))
    return [ids[:shortest] for ids in contexts], np.array(all_targets)
