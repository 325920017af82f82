"""How kernels start where they do not start Xavier-uniform."""

import keras


def start_kernels(layer: keras.layers.Layer, stddev: float) -> None:
    """Draws all kernels of a built layer anew, from a normal distribution.

    Args:
        layer: A built layer.
        stddev: Float, the spread. 0.02 is I-JEPA's: its code cuts the normal
            off at ±2, a hundred spreads away.
    """
    for variable in layer.weights:
        if variable.name == "kernel":
            # A new one for each: an initializer repeats itself.
            start = keras.initializers.RandomNormal(stddev=stddev)
            variable.assign(start(variable.shape, dtype=variable.dtype))
