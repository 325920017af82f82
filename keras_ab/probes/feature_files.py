"""Features in files, written part by part."""

import json
import pathlib
import zipfile
from collections.abc import Callable
from collections.abc import Iterator

import numpy as np


def _members(parts, key) -> Iterator[np.ndarray]:
    for path in parts:
        with np.load(path) as part:
            yield part[key]


def _write_npz(path, parts, shape, about):
    """Members one after the other, each a part at a time."""
    ids = np.concatenate(list(_members(parts, "ids")))
    indices = np.concatenate(list(_members(parts, "indices")))
    header = {
        "descr": np.lib.format.dtype_to_descr(np.dtype("<f4")),
        "fortran_order": False,
        "shape": (len(ids), *shape),
    }
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        with archive.open("features.npy", "w", force_zip64=True) as stream:
            np.lib.format.write_array_header_2_0(stream, header)
            for values in _members(parts, "features"):
                stream.write(np.ascontiguousarray(values, "<f4").tobytes())
        text = json.dumps(about, ensure_ascii=False)
        for name, values in (
            ("ids", ids),
            ("indices", indices),
            ("about", np.array(text)),
        ):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, values, allow_pickle=False)


def _write_parquet(path, parts, shape, about):
    """A row group a part."""
    # Imported here: pyarrow comes with the extra `parquet`.
    import pyarrow as pa
    import pyarrow.parquet as pq

    size = int(np.prod(shape))
    fields = [
        ("id", pa.string()),
        ("index", pa.int64()),
        ("features", pa.list_(pa.float32(), size)),
    ]
    said = {"about": json.dumps(about, ensure_ascii=False)}
    schema = pa.schema(fields, metadata=said)
    with pq.ParquetWriter(path, schema) as writer:
        for part in parts:
            with np.load(part) as found:
                columns = [
                    pa.array(found["ids"].tolist(), pa.string()),
                    pa.array(found["indices"]),
                    pa.FixedSizeListArray.from_arrays(
                        pa.array(found["features"].ravel()), size
                    ),
                ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def writer(output: pathlib.Path) -> Callable[..., None]:
    """What writes the kind of file that a path ends in.

    Args:
        output: A path.

    Returns:
        Callable from a path, a list of `.npz` parts, the shape of one
        record's features, and a dict of what is to be said of them.

    Raises:
        ValueError: If it ends in something else.
    """
    writers = {".npz": _write_npz, ".parquet": _write_parquet}
    if output.suffix not in writers:
        raise ValueError(
            f"`output` must end in {' or '.join(writers)}. Received: {output}"
        )
    return writers[output.suffix]
