"""Huge pages: on CPUs, whether large buffers are had cheaply."""

import os
import pathlib
from collections.abc import Iterator

import keras

from keras_ab.doctor.devices import Device
from keras_ab.doctor.finding import Finding

MODE = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
SETTING = "glibc.malloc.hugetlb=1"


def check_huge_pages(found: list[Device]) -> Iterator[Finding]:
    """Whether JAX's buffers on a CPU lie on huge pages.

    JAX makes its buffers anew at each step. Where Linux leaves huge pages to
    programs that ask (`madvise`), glibc asks for them only when it is told
    to, before the process starts; without, page faults take much of the time
    of a large step.

    Args:
        found: What `keras_ab.doctor.devices.devices` returned.

    Yields:
        A `Finding`, on CPUs under JAX, where the system says.
    """
    on_cpu = all(device.kind == "cpu" for device in found)
    if keras.backend.backend() != "jax" or not on_cpu or not MODE.is_file():
        return
    mode = MODE.read_text()
    tuned = "glibc.malloc.hugetlb" in os.environ.get("GLIBC_TUNABLES", "")
    if "[always]" in mode or ("[madvise]" in mode and tuned):
        yield Finding("huge pages", "fine", "large buffers lie on them")
    elif "[madvise]" in mode:
        yield Finding(
            "huge pages",
            "note",
            "the system leaves them to programs, and this one has not asked",
            f"set GLIBC_TUNABLES={SETTING} before Python starts: large "
            "models train faster on this CPU",
        )
    else:
        yield Finding("huge pages", "note", "the system has none to give")
