"""Weight files from somebody else: plain arrays, whole, of a known size."""

import itertools
import math
import os
import pathlib
import zlib

from keras_ab.models.preset_files import describe
from keras_ab.presets.errors import PresetError

FAULTS = (OSError, RuntimeError, ValueError, KeyError, zlib.error)
# Beyond what Keras writes: groups nest with layers.
DEEPEST = 100
MOST = 1_000_000


def check_weights(path: pathlib.Path, max_bytes: int) -> int:
    """Looks at every array of a weights file before anything is built.

    Args:
        path: Path of an h5 file.
        max_bytes: Int, the most that its arrays may take.

    Returns:
        Int, the numbers that it holds.

    Raises:
        PresetError: If it is damaged; holds links, references, compressed,
            virtual or external arrays, or one whose shape is not what is
            stored; or is larger than `max_bytes`.
    """
    # Imported here: Keras brings it along, and few need it.
    import h5py

    size = os.path.getsize(path)
    if size > max_bytes:
        raise PresetError(
            f"{path.name} has {size:,} bytes, more than the {max_bytes:,} "
            "that are allowed (`max_bytes`)."
        )
    try:
        with h5py.File(path, "r") as file:
            arrays = _arrays(file, "", 0)
            # Hard links may lead around in circles.
            found = list(itertools.islice(arrays, MOST + 1))
    except PresetError:
        raise
    except FAULTS as fault:
        raise PresetError(
            f"{path.name} is damaged or cut short: {fault}"
        ) from fault
    if len(found) > MOST:
        raise PresetError(f"{path.name} holds more than {MOST:,} arrays.")
    total = sum(count * width for count, width in found)
    if total > min(size, max_bytes):
        raise PresetError(
            f"{path.name} declares arrays of {total:,} bytes and has {size:,}."
        )
    return sum(count for count, _ in found)


def _arrays(group, place, depth):
    """Numbers and bytes to a number, of every array below a group."""
    import h5py

    if depth > DEEPEST:
        raise PresetError(f"{place} is nested more than {DEEPEST} deep.")
    for name in group:
        here = f"{place}/{name}"
        if name in (".", ".."):
            raise PresetError(f"{here} is no name of an array.")
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise PresetError(
                f"{here} is a {type(link).__name__}: it points elsewhere."
            )
        part = group[name]
        if isinstance(part, h5py.Group):
            yield from _arrays(part, here, depth + 1)
        elif isinstance(part, h5py.Dataset):
            yield _check_array(part, here)
        else:
            raise PresetError(f"{here} is a {type(part).__name__}.")


def _check_array(array, place):
    if array.is_virtual or array.external:
        raise PresetError(f"{place} keeps its numbers in other files.")
    # Keras keeps bfloat16 as two bytes without a name.
    plain = array.dtype.kind in "biufV" and not (
        array.dtype.names or array.dtype.hasobject
    )
    if array.shape is None or not plain:
        raise PresetError(
            f"{place} holds no numbers: dtype {array.dtype}, shape "
            f"{array.shape}."
        )
    count, width = math.prod(array.shape), array.dtype.itemsize
    stored = array.id.get_storage_size()
    if array.chunks is not None or stored != count * width:
        raise PresetError(
            f"{place} declares shape {array.shape}, {count * width:,} bytes, "
            f"and stores {stored:,}: a weights file holds plain arrays."
        )
    return count, width


def check_file(path: pathlib.Path, expected: dict, source: str) -> None:
    """Compares a file with the size and hash that are known of it.

    Args:
        path: Path of the file.
        expected: Dict of `"bytes"` and `"sha256"`.
        source: String, who says so.

    Raises:
        PresetError: If it is another file.
    """
    found = describe(path)
    for key in ("bytes", "sha256"):
        if expected.get(key) != found[key]:
            raise PresetError(
                f"{path.name} is not the file that {source} describes: "
                f"{key} is {found[key]}, and should be {expected.get(key)}. "
                "It was damaged or changed on its way."
            )
