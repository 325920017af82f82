"""Features of many images into a file.

    python -m keras_ab.embed MODEL SOURCE --output features.npz

writes what a frozen encoder makes of every record of a source, with its id.
Cut off, the same command goes on where it was.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import sys
import zipfile
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.data import Source
from keras_ab.data.records import BadRecord
from keras_ab.data.records import NothingUsable
from keras_ab.data.specs import open_source
from keras_ab.probes import FrozenEncoder
from keras_ab.probes import command_line
from keras_ab.probes import source_features
from keras_ab.probes import source_fingerprint
from keras_ab.probes.feature_files import writer
from keras_ab.typing import PathLike

PART = 1024
"""Records to a part, which is what a kill can cost."""

SAMPLE = 1000
"""Records that tell sources apart, evenly spread."""

MANIFEST = "embedding.json"


def embed(
    encoder: Any,
    source: Source,
    output: PathLike,
    features: str = "pooled",
    crop: str = "center",
    batch_size: int = 64,
    part_size: int = PART,
    progress: Callable[[int, int], Any] | None = None,
) -> dict[str, Any]:
    """Writes the features of every record of a source into a file.

    Parts are written beside the file first, `OUTPUT.parts`, and put together
    at the end, one after the other, so that memory holds no more than one. A
    call that was cut off is gone on with by the same call.

    An `.npz` file holds `"features"`, float32 `(N, D)` or `(N, T, D)`,
    `"ids"`, strings `(N,)`, `"indices"`, int64 `(N,)`, the places of the
    records in the source, and `"about"`, a string, JSON. A `.parquet` file
    has columns `id`, `index` and `features`, a list of fixed size, tokens one
    after the other; its schema's metadata has `about`, and with it the shape.

    Args:
        encoder: What `keras_ab.probes.FrozenEncoder` takes.
        source: A `keras_ab.data.Source`. Records that cannot be read are left
            out, counted and named.
        output: Path ending in `.npz` or `.parquet`.
        features: `"pooled"` or `"tokens"`.
        crop: `"center"` or `"whole"`, as in `keras_ab.probes.source_features`.
        batch_size: Int, images to a call of the encoder.
        part_size: Int, records to a part.
        progress: Callable that is told the number of records done, and that
            of all.

    Returns:
        A dict, what `"about"` says: the encoder, the fingerprint of (1,000
        records of) the source, the crop, the kind and shape of features, and
        the number and ids of skipped records.

    Raises:
        ValueError: If an argument is not accepted, or no record can be read.

    Example:

    >>> from keras_ab.embed import embed
    >>> scenes = keras_ab.data.Scenes(size=4)
    >>> about = embed(model, scenes, "scenes.npz", crop="whole")
    >>> np.load("scenes.npz")["features"].shape
    # (4, 32)
    """
    output = pathlib.Path(output)
    write = writer(output)
    if features not in ("pooled", "tokens"):
        raise ValueError(
            f"`features` must be 'pooled' or 'tokens'. Received: {features!r}"
        )
    if part_size < 1:
        raise ValueError(f"`part_size` must be positive. Received: {part_size}")
    if not len(source):
        raise NothingUsable("The source has no record. Received: none", [])
    encoder = FrozenEncoder(encoder)
    about = {
        "encoder": encoder.describe(),
        "source": source_fingerprint(_Sample(source)),
        "features": features,
        "crop": crop,
        "records": len(source),
        "part_size": part_size,
    }
    folder = output.with_name(f"{output.name}.parts")
    _prepare(folder, about)
    written, skipped = [], []
    for start in range(0, len(source), part_size):
        stop = min(start + part_size, len(source))
        path = folder / f"{start:012d}.npz"
        if not _intact(path):
            indices = range(start, stop)
            _embed_part(
                encoder, source, indices, features, crop, batch_size, path
            )
        with np.load(path) as part:
            written.append((path, len(part["indices"])))
            missing = np.setdiff1d(np.arange(start, stop), part["indices"])
        skipped += [_id(source, index) for index in missing.tolist()]
        if progress is not None:
            progress(stop, len(source))
    parts = [path for path, count in written if count]
    if not parts:
        raise NothingUsable(
            f"None of the {len(source)} records can be read. The first: "
            f"{skipped[:3]}",
            [(id, "unreadable") for id in skipped],
        )
    with np.load(parts[0]) as part:
        shape = part["features"].shape[1:]
    about["shape"] = list(shape)
    about["skipped"] = {"count": len(skipped), "ids": skipped[:1000]}
    aside = output.with_name(f".{output.name}.unfinished")
    write(aside, parts, shape, about)
    os.replace(aside, output)
    shutil.rmtree(folder)
    return about


def _embed_part(encoder, source, indices, features, crop, batch_size, path):
    """Writes the features of some records, aside and then renamed."""
    try:
        found = source_features(
            encoder, source.subset(indices), features, crop, batch_size
        )
        values, ids = found.values, found.ids
        places: Sequence[int] | np.ndarray = found.indices
    except NothingUsable:
        # A part of bad records alone.
        values, ids, places = np.zeros((0,), "float32"), [], []
    aside = path.with_suffix(".unfinished")
    with open(aside, "wb") as stream:
        np.savez(
            stream,
            features=np.asarray(values, "float32"),
            ids=np.asarray(ids, "str"),
            indices=np.asarray(places, "int64") + indices.start,
        )
    os.replace(aside, path)


class _Sample:
    """Some records, evenly spread: all would have to be read twice."""

    never_fails = False

    def __init__(self, source: Source):
        self.source, self.class_names = source, source.class_names

    def __len__(self) -> int:
        return min(len(self.source), SAMPLE)

    def annotations(self, index: int) -> dict[str, Any]:
        """A record's, which may be bad."""
        place = index * len(self.source) // len(self)
        try:
            return self.source.annotations(place)
        except BadRecord as error:
            return {"id": error.id, "reason": error.reason}


def _prepare(folder, about):
    """Makes the folder of parts, or keeps one of the same call."""
    text = json.dumps(about, sort_keys=True)
    manifest = folder / MANIFEST
    if folder.is_dir():
        if manifest.is_file() and manifest.read_text("utf-8") == text:
            return
        others = [p for p in folder.iterdir() if p.suffix != ".unfinished"]
        if others and not manifest.is_file():
            raise ValueError(
                f"{folder} is in the way: it holds no parts of an embedding"
            )
        # Parts of another model or source.
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    aside = folder / f"{MANIFEST}.unfinished"
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, manifest)


def _intact(path):
    """Whether a part is there and whole: members have checksums."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def _id(source, index):
    """A record's id, or its index where even this cannot be read."""
    with contextlib.suppress(Exception):
        return str(source.annotations(index)["id"])
    return f"record {index}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Its arguments; None for those of the process.

    Returns:
        Int, the exit status: 0, or 1 where something was not accepted.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    chosen = command_line.chosen(parser, options)
    try:
        encoder = command_line.encoder(options)
        spec = open_source(
            options.source, options.index_folder, "keep", **chosen
        )
        with command_line.bar("records") as progress:
            about = embed(
                encoder,
                spec.source,
                options.output,
                options.features,
                options.crop,
                options.batch_size,
                progress=progress,
            )
    except (OSError, ValueError, ImportError) as error:
        parser.exit(1, f"error: {error}\n")
    count = about["records"] - about["skipped"]["count"]
    print(
        f"{count:,} x {' x '.join(map(str, about['shape']))} in "
        f"{options.output}"
    )
    if about["skipped"]["count"]:
        names = ", ".join(about["skipped"]["ids"][:3])
        print(f"skipped {about['skipped']['count']:,}, such as {names}")
    if options.json:
        file = pathlib.Path(options.json)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m keras_ab.embed",
        description="Writes what a frozen encoder makes of every image.",
        epilog="Cut off, the same command goes on where it was.",
    )
    command_line.add_encoder(parser)
    parser.add_argument(
        "source", metavar="SOURCE", help="a path or the name of a data set"
    )
    parser.add_argument(
        "--output", required=True, help="a file, .npz or .parquet"
    )
    parser.add_argument(
        "--features", choices=("pooled", "tokens"), default="pooled"
    )
    parser.add_argument("--crop", choices=("center", "whole"), default="center")
    command_line.add_data(parser)
    parser.add_argument("--json", help="file for what was done")
    return parser


if __name__ == "__main__":
    sys.exit(main())
