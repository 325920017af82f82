"""Devices: which there are, what they can do, and whether they can talk."""

import dataclasses
import os
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_ab.data.tf import tensorflow
from keras_ab.doctor.finding import Finding

# From here on GPUs compute bfloat16; older ones only say so.
AMPERE = 8.0


@dataclasses.dataclass
class Device:
    """One device of the backend.

    Args:
        kind: `"cpu"`, `"gpu"` or `"tpu"`.
        name: String.
        capability: Float, a GPU's compute capability, or None.
        memory: Int, bytes, or None where it does not say.
    """

    kind: str
    name: str
    capability: float | None = None
    memory: int | None = None


def devices() -> list[Device]:
    """The devices of Keras' backend."""
    backend = keras.backend.backend()
    finders = {"jax": _of_jax, "tensorflow": _of_tensorflow, "torch": _of_torch}
    return finders[backend]()


def _of_jax():
    import jax

    found = []
    for device in jax.local_devices():
        kind = {"cuda": "gpu", "rocm": "gpu"}.get(
            device.platform, device.platform
        )
        capability = getattr(device, "compute_capability", None)
        stats = (device.memory_stats() if kind != "cpu" else None) or {}
        found.append(
            Device(
                kind,
                device.device_kind,
                None if capability is None else float(capability),
                stats.get("bytes_limit"),
            )
        )
    return found


def _of_tensorflow():
    config = tensorflow().config
    found = []
    for device in config.list_physical_devices():
        kind = device.device_type.lower()
        if kind == "gpu":
            details = config.experimental.get_device_details(device)
            major, minor = details.get("compute_capability", (0, 0))
            name = details.get("device_name", device.name)
            found.append(Device(kind, name, major + minor / 10))
        elif kind in ("cpu", "tpu"):
            found.append(Device(kind, device.name))
    others = [device for device in found if device.kind != "cpu"]
    return others or found


def _of_torch():
    import torch

    if not torch.cuda.is_available():
        return [Device("cpu", "cpu")]
    found = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        found.append(
            Device(
                "gpu",
                properties.name,
                properties.major + properties.minor / 10,
                properties.total_memory,
            )
        )
    return found


def memory_of(device: Device) -> int:
    """Bytes that a device has; of a CPU the machine's."""
    if device.memory is None and device.kind == "cpu":
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return device.memory or 0


def check_devices(found: list[Device]) -> Iterator[Finding]:
    """Says which devices there are, and which dtype suits them.

    Args:
        found: What `devices` returned.

    Yields:
        `Finding`s.
    """
    backend = keras.backend.backend()
    names = ", ".join(
        device.name
        + (f" (compute {device.capability})" if device.capability else "")
        for device in found
    )
    on_cpu = all(device.kind == "cpu" for device in found)
    yield Finding(
        "devices",
        "note" if on_cpu else "fine",
        f"{backend} has {len(found)}: {names}",
        "no accelerator: the small recipes train on a CPU, the paper's do "
        "not. On a machine with a GPU, install the backend's build for it"
        if on_cpu
        else "",
        {"devices": [dataclasses.asdict(device) for device in found]},
    )
    policy = dtype_policy(found)
    said = {
        "float32": "float32, as CPUs have nothing faster for sure",
        "mixed_float16": "mixed_float16: these GPUs only emulate bfloat16",
        "mixed_bfloat16": "mixed_bfloat16",
    }[policy]
    if policy == keras.config.dtype_policy().name or policy == "float32":
        yield Finding("dtype", "fine", said, figures={"policy": policy})
    else:
        yield Finding(
            "dtype",
            "note",
            said,
            f"pass dtype={policy!r} to the model",
            {"policy": policy},
        )


def dtype_policy(found: list[Device]) -> str:
    """The dtype policy that suits devices.

    Args:
        found: What `devices` returned.

    Returns:
        `"mixed_bfloat16"`, `"mixed_float16"` or `"float32"`. By compute
        capability: a T4 says that it supports bfloat16, and emulates it.
    """
    if any(device.kind == "tpu" for device in found):
        return "mixed_bfloat16"
    capabilities = [d.capability for d in found if d.kind == "gpu"]
    if not capabilities:
        return "float32"
    slow = any(c is None or c < AMPERE for c in capabilities)
    return "mixed_float16" if slow else "mixed_bfloat16"


def check_tensorflow() -> Iterator[Finding]:
    """Whether TensorFlow, which feeds, keeps away from GPUs.

    Yields:
        A `Finding`, where another library is the backend.
    """
    if keras.backend.backend() == "tensorflow":
        return
    config = tensorflow().config
    held = config.get_visible_devices("GPU")
    if not held:
        yield Finding("TensorFlow", "fine", "feeds, and takes no GPU")
        return
    yield Finding(
        "TensorFlow",
        "wrong",
        f"feeds, and holds {len(held)} GPUs, as something used it first",
        "call tensorflow.config.set_visible_devices([], 'GPU') before "
        "anything else uses TensorFlow, or install tensorflow-cpu",
    )


def check_collective(found: list[Device]) -> Iterator[Finding]:
    """Whether devices can add up what each of them has.

    Args:
        found: What `devices` returned.

    Yields:
        A `Finding`.
    """
    count = len(found)
    if count < 2:
        yield Finding("collective", "fine", "one device: nothing to add up")
        return
    backend = keras.backend.backend()
    adders = {"jax": _sum_of_jax, "tensorflow": _sum_of_tensorflow}
    if backend not in adders:
        yield Finding(
            "collective",
            "note",
            "PyTorch has a process a device: not tested from one process",
            "torchrun starts them; see keras.io's guide on PyTorch",
        )
        return
    expected = float(count * (count - 1) // 2)
    try:
        result = adders[backend](count)
    except Exception as error:
        result, said = None, f"{type(error).__name__}: {error}"
    else:
        said = f"0 + ... + {count - 1} gave {result}, not {expected}"
    if result == expected:
        yield Finding("collective", "fine", f"{count} devices added up")
    else:
        yield Finding(
            "collective",
            "wrong",
            said,
            "train on one device (CUDA_VISIBLE_DEVICES=0), or set "
            "NCCL_P2P_DISABLE=1 and try again",
        )


def _sum_of_jax(count):
    import jax

    each = np.arange(count, dtype="float32")
    return float(
        jax.pmap(lambda x: jax.lax.psum(x, "d"), axis_name="d")(each)[0]
    )


def _sum_of_tensorflow(count: int) -> Any:
    distribute = tensorflow().distribute
    strategy = distribute.MirroredStrategy()

    def step():
        context = distribute.get_replica_context()
        own = ops.cast(context.replica_id_in_sync_group, "float32")
        return context.all_reduce(distribute.ReduceOp.SUM, own)

    results = strategy.experimental_local_results(strategy.run(step))
    return float(results[0])
