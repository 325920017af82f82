"""Comparing shapes that are known in part."""

from keras_ab.typing import Shape


def shapes_fit(a: Shape, b: Shape) -> bool:
    """Whether two shapes are equal, so far as is known.

    Args:
        a: Tuple of ints, or None for a size that is not known.
        b: The same.

    Returns:
        Bool. Sizes that are None fit anything.
    """
    return len(a) == len(b) and all(
        None in pair or pair[0] == pair[1] for pair in zip(a, b)
    )
