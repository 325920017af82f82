"""The table of presets that have a name."""

import builtins
from typing import Any

from keras_ab.presets import catalogue
from keras_ab.presets import shipped


def list() -> builtins.list[dict[str, Any]]:
    """The presets that have a name.

    Returns:
        List of dicts: `"name"`, `"method"`, `"description"`, `"size"`,
        `"image_size"`, `"data"` and `"views"` it was (or is to be) trained
        on, `"weights"` (whether there are any, or a configuration alone) and
        `"results"` (a dict of figures, shares of 1, or None).

    Example:

    >>> names = [row["name"] for row in keras_ab.presets.list()]
    >>> "abclip_s16" in names
    # True
    """
    return shipped.rows() + [catalogue.row(n) for n in catalogue.names()]
