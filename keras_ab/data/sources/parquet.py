"""Hugging Face data sets on disk: parquet files, or what save_to_disk left."""

import bisect
import collections
import json
import pathlib
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.data.records import BadRecord
from keras_ab.data.records import NothingUsable
from keras_ab.data.source import Source
from keras_ab.data.sources import files
from keras_ab.data.sources.captions import MAX_LENGTH
from keras_ab.data.sources.captions import captioned
from keras_ab.data.sources.captions import check_missing
from keras_ab.data.sources.captions import strings
from keras_ab.data.sources.stored import pick
from keras_ab.typing import PathLike

GROUPS_IN_MEMORY = 4


def from_parquet(
    path: PathLike,
    image: str | None = None,
    captions: str | None = None,
    labels: str | None = None,
    missing_captions: str = "skip",
    max_caption_length: int = MAX_LENGTH,
) -> "ParquetSource":
    """A source over a Hugging Face data set on disk.

    Parquet is read a row group at a time, of which the latest few are kept:
    reading in random order costs the more, the larger the groups. A folder of
    `datasets.save_to_disk` is mapped into memory, and costs the same in any
    order: `datasets.load_dataset("parquet", ...).save_to_disk(...)` makes one.

    Args:
        path: A parquet file, a pattern of several, a folder of them, or a
            folder of `save_to_disk`. Local.
        image: Name of the column of images, `{"bytes", "path"}` or binary;
            None takes the only one there is.
        captions: Name of the column of captions, strings or lists of them.
        labels: Name of the column of classes.
        missing_captions: `"skip"`, `"keep"` or `"error"`, what becomes of a
            row without a usable caption.
        max_caption_length: Int, the most characters to a caption.

    Returns:
        A `ParquetSource`; ids are `file/row`, and `class_names` are those of
        the data set's `ClassLabel`.

    Raises:
        ImportError: If pyarrow is not installed.
        ValueError: If there are no such files or columns.

    Example:

    ```python
    source = keras_ab.data.from_parquet("food101/data", labels="label")
    ```
    """
    check_missing(missing_captions)
    groups, rejected = _open(path)
    schema = groups[0].schema
    image = _image_column(schema, image)
    for name, column in (("captions", captions), ("labels", labels)):
        if column is not None and column not in schema.names:
            raise ValueError(
                f"`{name}` must be one of the columns {schema.names}. "
                f"Received: {column!r}"
            )
    ids = [f"{g.name}/{g.first + i}" for g in groups for i in range(g.rows)]
    kept = list(range(len(ids)))
    columns: dict[str, list[Any]] = {"id": ids}
    if captions is not None:
        raw, lost = _read(groups, captions, _as_bytes)
        kept, texts, without = captioned(
            ids, list(map(_strings, raw)), missing_captions, max_caption_length
        )
        columns["text"] = texts
        rejected += [
            (id, "unreadable" if id in lost else reason)
            for id, reason in without
        ]
    if labels is not None:
        values, lost = _read(groups, labels)
        wrong = {i for i in kept if values[i] is None}
        rejected += [
            (ids[i], "unreadable" if ids[i] in lost else "invalid annotation")
            for i in sorted(wrong)
        ]
        keep = [n for n, i in enumerate(kept) if i not in wrong]
        kept = pick(kept, keep)
        if captions is not None:
            columns["text"] = pick(columns["text"], keep)
        columns["label"] = pick(values, kept)
    columns["id"] = pick(ids, kept)
    if not kept:
        raise NothingUsable(
            f"No row of {str(path)!r} can be used. The first reasons: "
            f"{rejected[:3]}",
            rejected,
        )
    source = ParquetSource(groups, image, kept, columns)
    source.rejected = rejected
    source.class_names = _hugging_face(schema).get(labels, {}).get("names")
    return source


class ParquetSource(Source):
    """Images in row groups; see `keras_ab.data.from_parquet`.

    Args:
        groups: List of row groups, each with `rows` and `read(column)`.
        image: Name of the column of images.
        rows: Indices of the rows to use, over all groups.
        columns: Dict of lists, one entry a row: `"id"` and others.
    """

    def __init__(
        self,
        groups: Sequence[Any],
        image: str,
        rows: Sequence[int],
        columns: dict[str, list[Any]],
    ):
        self.groups, self.image = groups, image
        self.rows = np.asarray(rows, "int64")
        self.columns = columns
        self._ends = np.cumsum([group.rows for group in groups]).tolist()
        self._forget()

    def _forget(self):
        self._held, self._lock = collections.OrderedDict(), threading.Lock()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        import pyarrow

        record = self.annotations(index)
        row = int(self.rows[index])
        number = bisect.bisect_right(self._ends, row)
        start = self._ends[number] - self.groups[number].rows
        try:
            value = self._group(number)[row - start].as_py()
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise BadRecord("unreadable", record["id"]) from error
        if isinstance(value, dict):
            # Only what has no bytes lies elsewhere.
            path = value.get("path")
            value = value.get("bytes")
            if value is None and path is not None:
                value = self._beside(number, path, record["id"])
        if value is None:
            raise BadRecord("missing", record["id"])
        if not value:
            raise BadRecord("empty", record["id"])
        return {"image": value, **record}

    def annotations(self, index: int) -> dict[str, Any]:
        return {key: column[index] for key, column in self.columns.items()}

    def column(self, key: str) -> list[Any]:
        """One field of all records, images excepted, as a list."""
        return self.columns[key]

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self.columns) | {"image"}

    def _beside(self, number, path, id):
        folder = pathlib.Path(self.groups[number].path).parent.resolve()
        file = (folder / path).resolve()
        if not file.is_relative_to(folder):
            raise BadRecord("unsafe name", id)
        return file.read_bytes() if file.is_file() else None

    def _group(self, number):
        with self._lock:
            if number not in self._held:
                self._held[number] = self.groups[number].read(self.image)
                if len(self._held) > GROUPS_IN_MEMORY:
                    self._held.popitem(last=False)
            self._held.move_to_end(number)
            return self._held[number]

    def __getstate__(self) -> dict[str, Any]:
        return {
            key: value
            for key, value in self.__dict__.items()
            if key not in ("_held", "_lock")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()


class _ParquetGroup:
    """A row group of a parquet file."""

    def __init__(
        self, path: PathLike, number: int, schema: Any, first: int, rows: int
    ):
        self.path, self.number, self.schema = path, number, schema
        self.name, self.first, self.rows = pathlib.Path(path).stem, first, rows

    def read(self, column: str) -> Any:
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(self.path) as file:
            group = file.read_row_group(self.number, columns=[column])
        return group.column(0).combine_chunks()


class _ArrowBatch:
    """A record batch of an Arrow file, mapped into memory."""

    def __init__(
        self, path: PathLike, number: int, schema: Any, first: int, rows: int
    ):
        self.path, self.number, self.schema = path, number, schema
        self.name, self.first, self.rows = pathlib.Path(path).stem, first, rows

    def read(self, column: str) -> Any:
        return _batches(self.path)[self.number].column(column)


def _batches(path):
    import pyarrow

    with pyarrow.ipc.open_stream(pyarrow.memory_map(str(path))) as reader:
        return list(reader)


def _open(path):
    """The row groups of all files, and the files that cannot be read."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            "from_parquet reads with pyarrow. Install it with `pip install "
            "keras_ab[parquet]`."
        ) from error
    groups, rejected = [], []
    for file in _files(path):
        first = 0
        try:
            if file.endswith(".arrow"):
                batches = _batches(file)
                kind, sizes = _ArrowBatch, [b.num_rows for b in batches]
                schema = batches[0].schema if batches else None
            else:
                with pyarrow.parquet.ParquetFile(file) as opened:
                    schema, about = opened.schema_arrow, opened.metadata
                    kind = _ParquetGroup
                    sizes = [
                        about.row_group(i).num_rows
                        for i in range(about.num_row_groups)
                    ]
        except (pyarrow.ArrowException, OSError):
            rejected.append((file, "unreadable"))
            continue
        for number, rows in enumerate(sizes):
            groups.append(kind(file, number, schema, first, rows))
            first += rows
    if not groups:
        raise NothingUsable(
            f"No row in {str(path)!r}. Files that cannot be read: {rejected}",
            rejected,
        )
    return groups, rejected


def _files(path):
    path = str(path)
    if files.is_remote(path):
        raise ValueError(
            f"Parquet files must be local; copy them first. Received: {path!r}"
        )
    if files.is_folder(path):
        names = sorted(
            name
            for name in files.walk(path)
            if name.endswith((".parquet", ".arrow"))
            and not pathlib.PurePath(name).name.startswith("cache-")
        )
        found = [files.join(path, name) for name in names]
    else:
        found = files.find(path)
    if not found:
        raise ValueError(
            "`path` must be a parquet file, a pattern of some, or a folder "
            f"with .parquet or .arrow files. Received: {path!r}"
        )
    return found


def _image_column(schema, name):
    import pyarrow

    described = _hugging_face(schema)
    images = [
        field.name
        for field in schema
        if described.get(field.name, {}).get("_type") == "Image"
        or (
            pyarrow.types.is_struct(field.type)
            and field.type.get_field_index("bytes") >= 0
        )
    ]
    if name is None and len(images) == 1:
        return images[0]
    if name is None or name not in schema.names:
        raise ValueError(
            f"`image` must be one of the columns {schema.names}, of which "
            f"{images} hold images. Received: {name!r}"
        )
    return name


def _hugging_face(schema):
    """What the data set says about its columns, a dict of dicts."""
    text = (schema.metadata or {}).get(b"huggingface", b"{}")
    features = json.loads(text).get("info", {}).get("features", {})
    return {k: v for k, v in features.items() if isinstance(v, dict)}


def _read(groups, column, convert=None):
    """A column's values, None where a group cannot be read; and ids of those.

    Groups of a damaged page fail one by one.
    """
    import pyarrow

    values, lost = [], set()
    for group in groups:
        try:
            array = group.read(column)
            array = convert(array) if convert else array
            values += array.to_pylist()
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError):
            values += [None] * group.rows
            lost |= {
                f"{group.name}/{group.first + i}" for i in range(group.rows)
            }
    return values, lost


def _as_bytes(array):
    """Strings as bytes, which need not be UTF-8."""
    import pyarrow

    def raw(kind):
        if pyarrow.types.is_string(kind):
            return pyarrow.binary()
        if pyarrow.types.is_large_string(kind):
            return pyarrow.large_binary()
        if pyarrow.types.is_list(kind):
            return pyarrow.list_(raw(kind.value_type))
        if pyarrow.types.is_large_list(kind):
            return pyarrow.large_list(raw(kind.value_type))
        return kind

    return array.cast(raw(array.type))


def _strings(value):
    return strings(value) or []
