"""A limit on what a model may allocate while it is built."""

import contextlib
import math
import threading
from collections.abc import Iterator

import keras

from keras_ab.presets.errors import PresetError

LOCK = threading.RLock()


@contextlib.contextmanager
def weight_budget(numbers: int) -> Iterator[None]:
    """A context in which layers make no more weights than a number.

    A configuration is a few bytes, and says how large a model is. The weight
    that goes beyond the budget is refused before memory is asked for.

    Args:
        numbers: Int, how many numbers all new weights may hold together.

    Raises:
        PresetError: At the weight that is too much.
    """
    # A method of Keras' public base class, through which every layer makes
    # its weights, the built-in ones too.
    add_weight = keras.layers.Layer.add_weight
    owner, spent = threading.get_ident(), 0

    def counted(self, shape=None, *args, **kwargs):
        nonlocal spent
        if threading.get_ident() == owner:
            sides = (shape,) if isinstance(shape, int) else shape or ()
            spent += math.prod(sides)
            if spent > numbers:
                raise PresetError(
                    f"The configuration declares more than the {numbers:,} "
                    f"numbers that are allowed for: {type(self).__name__} "
                    f"{self.name!r} asks for a weight of shape "
                    f"{tuple(sides)}."
                )
        return add_weight(self, shape, *args, **kwargs)

    with LOCK:
        keras.layers.Layer.add_weight = counted
        try:
            yield
        finally:
            keras.layers.Layer.add_weight = add_weight
