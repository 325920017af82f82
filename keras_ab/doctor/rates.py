"""How fast this machine multiplies, reads and trains, and what fits."""

import time
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab import data
from keras_ab import presets
from keras_ab.data.specs import open_source
from keras_ab.doctor.devices import Device
from keras_ab.doctor.devices import memory_of
from keras_ab.doctor.finding import Finding
from keras_ab.models.inference import no_gradients

SIDE = 1024
# Kept activations of a block, in numbers to a number of a token: inputs of
# products, norms and of the GELU; the MLP's are four times as wide.
KEPT = 20
SECONDS = 1.0


def check_products(dtypes: tuple[str, ...]) -> Iterator[Finding]:
    """Measures matrix products.

    Args:
        dtypes: Dtypes to measure.

    Yields:
        A `Finding` for each.
    """
    for dtype in dtypes:
        rate = product_rate(dtype)
        yield Finding(
            "products",
            "fine",
            f"{rate / 1e9:,.0f} GFLOP/s in {dtype} ({SIDE} x {SIDE})",
            figures={"dtype": dtype, "flops_per_second": rate},
        )


def product_rate(dtype: str) -> float:
    """Floating-point operations a second, of square matrix products.

    Args:
        dtype: String.

    Returns:
        Float.
    """
    matrix = ops.cast(np.full((SIDE, SIDE), 1 / SIDE, "float32"), dtype)

    def run():
        result = ops.matmul(matrix, matrix)
        # Devices answer before they are done: only a value makes them wait.
        return float(ops.convert_to_numpy(ops.cast(result[0, 0], "float32")))

    with no_gradients():
        run()
        return 2 * SIDE**3 * per_second(run)


def per_second(run: Callable[[], Any], seconds: float = SECONDS) -> float:
    """How often something can be done in a second.

    Args:
        run: Callable.
        seconds: Float, how long to try.

    Returns:
        Float.
    """
    count, start = 0, time.perf_counter()
    while count == 0 or time.perf_counter() - start < seconds:
        run()
        count += 1
    return count / (time.perf_counter() - start)


def data_rate(source: Any, image_size: int) -> float:
    """Views a second that a source gives, two crops an image.

    Args:
        source: A `keras_ab.data.Source`.
        image_size: Int, side of a view.

    Returns:
        Float.
    """
    size = min(32, len(source))
    batches = iter(
        data.value_batches(
            source, image_size=image_size, batch_size=size, num_views=2
        )
    )
    next(batches)
    return 2 * size * per_second(lambda: next(batches), 3 * SECONDS)


def step_rate(encoder: keras.layers.Layer, batch_size: int) -> float:
    """Views a second that forward passes take, times three for a step's.

    Args:
        encoder: An image encoder.
        batch_size: Int, views to a pass.

    Returns:
        Float, an estimate: a backward pass takes twice its forward pass.
    """
    images = np.zeros((batch_size, *encoder.image_shape), "float32")
    model = keras.Sequential([keras.Input(encoder.image_shape), encoder])

    def run():
        return model.predict_on_batch(images)

    run()
    return batch_size * per_second(run) / 3


def check_source(spec: str, preset: str | None) -> Iterator[Finding]:
    """Compares how fast a source gives with how fast a preset takes.

    Args:
        spec: What `keras_ab.data.specs.open_source` opens.
        preset: The name of a preset, or None for the source alone.

    Yields:
        A `Finding`.
    """
    side = 224
    model = None
    if preset is not None:
        model = presets.load(preset, load_weights=False)
        side = model.encoder.image_shape[0]
    given = data_rate(open_source(spec).source, side)
    figures = {"views_per_second": given, "image_size": side}
    said = f"{spec} gives {given:,.0f} views of {side} pixels a second"
    if model is None:
        yield Finding("data", "fine", said, figures=figures)
        return
    taken = step_rate(model.encoder, 8)
    figures["taken_per_second"] = taken
    said += f"; {preset} takes some {taken:,.0f}"
    if given >= taken:
        yield Finding("data", "fine", said, figures=figures)
    else:
        yield Finding(
            "data",
            "note",
            said,
            "the data will be what training waits for: more CPU cores, "
            "smaller image files, or more crops of each image",
            figures,
        )


def check_memory(
    preset: str, batch_size: int, found: list[Device]
) -> Iterator[Finding]:
    """Estimates whether training a preset fits into a device's memory.

    Args:
        preset: The name of a preset.
        batch_size: Int, views to a device in a step.
        found: What `keras_ab.doctor.devices.devices` returned.

    Yields:
        A `Finding`.
    """
    model = presets.load(preset, load_weights=False)
    fixed = training_bytes(model)
    view = activation_bytes(model.encoder)
    needed = fixed + batch_size * view
    has = min(memory_of(device) for device in found)
    figures = {
        "fixed_bytes": fixed,
        "bytes_per_view": view,
        "batch_size": batch_size,
        "device_bytes": has,
    }
    said = (
        f"{preset} needs some {needed / 2**30:.1f} GB at {batch_size} views "
        f"to a device in float32 ({fixed / 2**30:.1f} GB fixed, "
        f"{view / 2**20:.0f} MB a view)"
    )
    if not has:
        yield Finding(
            "memory", "note", f"{said}; the device does not say what it has"
        )
    elif needed < 0.9 * has:
        yield Finding(
            "memory", "fine", f"{said}, of {has / 2**30:.1f}", figures=figures
        )
    else:
        fits = max(int((0.9 * has - fixed) // view), 0)
        yield Finding(
            "memory",
            "wrong",
            f"{said}, and there are {has / 2**30:.1f}",
            f"at most {fits} views to a device: a smaller batch with gradient "
            "accumulation, a mixed dtype policy, or a smaller size",
            figures,
        )


def training_bytes(model: keras.Model) -> int:
    """Bytes of weights, gradients, Adam's moments and the target network."""
    trained = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    return 4 * (model.count_params() + 3 * trained)


def activation_bytes(encoder: Any) -> int:
    """Bytes that one view's forward pass keeps for the backward pass.

    Args:
        encoder: An image encoder.

    Returns:
        Int, an estimate, of a ViT. For other encoders 20 times what comes
        out.
    """
    tokens = getattr(encoder, "grid_shape", (1, 64))
    tokens = tokens[0] * tokens[1]
    depth = getattr(encoder, "num_layers", 1)
    heads = getattr(encoder, "num_heads", 0)
    return 4 * depth * tokens * (KEPT * encoder.hidden_dim + 2 * heads * tokens)
