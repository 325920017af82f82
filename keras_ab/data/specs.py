"""Opening a source by a path, or by the name of a data set."""

import collections
import dataclasses
import inspect
import itertools
import posixpath
import re
import tarfile
from collections.abc import Callable
from typing import Any

from keras_ab.data.by_name import FORM
from keras_ab.data.by_name import by_name
from keras_ab.data.objects import Objects
from keras_ab.data.records import NothingUsable
from keras_ab.data.scenes import Scenes
from keras_ab.data.source import Source
from keras_ab.data.sources import files
from keras_ab.data.sources.coco import from_coco
from keras_ab.data.sources.folder import from_folder
from keras_ab.data.sources.folder import is_image
from keras_ab.data.sources.frames import from_frames
from keras_ab.data.sources.parquet import from_parquet
from keras_ab.data.sources.tfds import from_tfds
from keras_ab.data.sources.webdataset import from_webdataset
from keras_ab.data.video import Video
from keras_ab.typing import PathLike

BUILT_IN = {"scenes": Scenes, "objects": Objects, "video": Video}
STORED: dict[str, Callable[..., Source]] = {
    "folder": from_folder,
    "coco": from_coco,
    "webdataset": from_webdataset,
    "parquet": from_parquet,
    "frames": from_frames,
    "tfds": from_tfds,
}
MADE = "python"
KINDS = (*STORED, *BUILT_IN, MADE)
ACCEPTED = (
    "a folder of images, frames, tars or parquet files; a .json, .tar or "
    ".parquet file; the name of a prepared TFDS data set; "
    f"{', '.join(BUILT_IN)}; 'kind:place', with a kind of {list(STORED)}; or "
    "'MODULE:NAME', a Python function that returns a source"
)
TABLES = re.compile(r"(captions|metadata)\.(csv|jsonl)")
FRAME = re.compile(r"frame_?\d+\.\w+$")
PEEKED = 20
"""Members of a tar that are looked at to see what it holds."""


@dataclasses.dataclass
class Spec:
    """What a path or name was taken for.

    Args:
        kind: One of `KINDS`.
        place: String, a path, pattern or name; None for built-in sets.
        options: Dict, arguments of the function that opens it.
        source: The `keras_ab.data.Source`, once it is open.
    """

    kind: str
    place: str | None = None
    options: dict = dataclasses.field(default_factory=dict)
    source: Any = None

    def __str__(self) -> str:
        said = " ".join(f"{k}={v}" for k, v in self.options.items())
        where = f" at {self.place}" if self.place else ""
        return f"{self.kind}{where}{f', with {said}' if said else ''}"


def open_source(
    spec: PathLike,
    index_folder: PathLike | None = None,
    without_captions: str | None = None,
    **options: Any,
) -> Spec:
    """Opens what a path or a name stands for.

    Accepted are

    - `"scenes"`, `"objects"`, `"video"`: the built-in sets;
    - a folder of images; with captions in `.txt` files beside them or in a
      table `captions.csv`, `captions.jsonl`, `metadata.csv` or
      `metadata.jsonl`, these are taken, and otherwise the names of folders,
      where each image is in one, as labels;
    - a `.json` file in COCO's format, whose images are below its folder or
      the one above;
    - a `.tar`, a pattern of several such as `"{00000..00331}.tar"`, or a
      folder of them, as webdataset writes them, with the captions in `.txt`
      or `.json` members if there are some;
    - a folder of frames (`frame_0000000012.jpg`), in folders or tars;
    - a `.parquet` file, a pattern or folder of them, or what `save_to_disk`
      wrote;
    - a prepared data set of TensorFlow Datasets: its folder, or its name,
      `"imagenette"`, `"coco/2017"`;
    - `"kind:place"` for any of these where it is not found out rightly,
      `"frames:videos"`, `"tfds:clevr"`, `"webdataset:s3://bucket/0.tar"`. The
      kinds are `"folder"`, `"coco"`, `"webdataset"`, `"parquet"`, `"frames"`
      and `"tfds"`, and their functions `keras_ab.data.from_folder` and so on;
    - `"MODULE:NAME"`, a function in Python that returns a source, which is
      called with `options`; a path of that name goes first. One with the
      arguments `size`, `seed` and `split` of `keras_ab.data.Scenes` can stand
      wherever the built-in scenes do.

    Args:
        spec: String or path.
        index_folder: Folder for index files; None puts each beside what it
            is of.
        without_captions: What becomes of images without a caption, as
            `missing_captions` of the opener, where it has that and `options`
            do not say; None for its own default.
        **options: Arguments of the function that opens it, in place of what
            would be found out.

    Returns:
        A `Spec` with its `source`.

    Raises:
        FileNotFoundError: If there is no such path, and no such data set.
        ValueError: If it is empty, or of no known kind. Where there are
            records but all are bad, it is a `NothingUsable`.

    Example:

    >>> from keras_ab.data.specs import open_source
    >>> open_source("scenes", size=20).kind, len(open_source("photos").source)
    # ('scenes', 1)
    """
    found = _find(str(spec), options)
    found.options.update(options)
    if found.kind in BUILT_IN:
        found.source = BUILT_IN[found.kind](**_accepted(found))
        return found
    if found.kind == MADE:
        found.source = _made(found)
        return found
    opener = STORED[found.kind]
    indices, parameters = {}, inspect.signature(opener).parameters
    if "index_folder" in parameters:
        indices["index_folder"] = index_folder
    if without_captions and "missing_captions" in parameters:
        found.options.setdefault("missing_captions", without_captions)
    place = found.place
    found.source = opener(place, **_accepted(found), **indices)
    return found


def is_maker(spec: PathLike) -> bool:
    """Whether a spec names a Python function, and nothing else.

    Args:
        spec: String or path, as for `open_source`.
    """
    spec = str(spec)
    return (
        FORM.fullmatch(spec) is not None
        and spec.partition(":")[0] not in STORED
        and not files.is_folder(spec)
        and not _there(spec)
    )


def _made(spec):
    """What the function returns that a spec names."""
    maker = by_name(spec.place, "a source", ACCEPTED)
    if not callable(maker):
        raise ValueError(
            f"{spec.place} must be a function that returns a source. "
            f"Received: a {type(maker).__name__}"
        )
    signature = inspect.signature(maker)
    try:
        signature.bind(**spec.options)
    except TypeError as error:
        raise ValueError(
            f"{spec.place} takes {signature}. Received: {spec.options}, that "
            f"is {error}"
        ) from error
    source = maker(**spec.options)
    if not isinstance(source, Source) or not len(source):
        raise ValueError(
            f"{spec.place} must return a `keras_ab.data.Source` with records. "
            f"Received: a {type(source).__name__}"
        )
    return source


def _accepted(spec):
    """The options, which must be the opener's."""
    opener: Any = {**BUILT_IN, **STORED}[spec.kind]
    names = list(inspect.signature(opener).parameters)
    names = names if spec.kind in BUILT_IN else names[1:]
    wrong = sorted(set(spec.options) - set(names))
    if wrong:
        raise ValueError(
            f"A source of kind {spec.kind!r} takes the options {names}. "
            f"Received: {wrong}"
        )
    return spec.options


def _find(spec, options):
    kind, colon, place = spec.partition(":")
    if colon and kind in STORED and not place.startswith("//"):
        return Spec(kind, place, _guess(kind, place, options))
    if files.is_folder(spec):
        kind = _folder_kind(spec)
    elif spec in BUILT_IN:
        return Spec(spec)
    elif is_maker(spec):
        return Spec(MADE, spec)
    elif not (_there(spec) or _tfds_there(spec, options)):
        raise FileNotFoundError(
            f"There is no path {spec!r}, and no data set of that name. "
            f"Accepted: {ACCEPTED}."
        )
    else:
        endings = {
            ".json": "coco",
            ".tar": "webdataset",
            ".parquet": "parquet",
        }
        ending = posixpath.splitext(spec.lower())[1]
        if _there(spec) and ending not in endings:
            raise ValueError(
                f"Files that are accepted end in {list(endings)}. Received: "
                f"{spec!r}; give a folder of images by the folder"
            )
        kind = endings.get(ending, "tfds")
    return Spec(kind, spec, _guess(kind, spec, options))


def _there(spec):
    names = re.sub(r"\{[^{}]*\}", "*", spec)
    return bool(files.find(spec) or files.find(names))


def _tfds_there(name, options):
    """Whether TFDS has this data set, as its name says it."""
    if not re.fullmatch(r"\w+(/[\w.]+)?(:[\d.]+)?", name):
        return False
    try:
        import tensorflow_datasets as tfds
    except ImportError:
        return False
    root = options.get("data_dir") or tfds.core.constants.DATA_DIR
    if files.is_folder(files.join(root, name.partition(":")[0])):
        return True
    return name.partition("/")[0].partition(":")[0] in tfds.list_builders()


def _folder_kind(path):
    if files.find(files.join(path, "dataset_info.json")) and not files.find(
        files.join(path, "state.json")
    ):
        return "tfds"
    if files.find(files.join(path, "state.json")):
        return "parquet"
    names = list(files.walk(path))
    endings = collections.Counter(
        posixpath.splitext(name.lower())[1] for name in names
    )
    images = list(filter(is_image, names))
    if images:
        frames = sum(bool(FRAME.search(name)) for name in images)
        return "frames" if 2 * frames > len(images) else "folder"
    if endings[".tar"]:
        inside = _peek(files.tars_below(path)[0])
        return "frames" if any(map(FRAME.search, inside)) else "webdataset"
    if endings[".parquet"]:
        return "parquet"
    if not names:
        raise NothingUsable(f"The folder {path!r} is empty", [])
    raise NothingUsable(
        f"Nothing in the folder {path!r} is known as images, tars or parquet. "
        f"Its files end in: {dict(endings.most_common(5))}",
        [],
    )


def _guess(kind, place, options):
    """Options that can be seen in what is there."""
    if kind == "folder" and not {"captions", "labels"} & set(options):
        return _folder_options(place)
    if kind == "coco" and "images" not in options:
        return {"images": _images_of(place)}
    if kind == "webdataset" and "captions" not in options:
        return _tar_options(place)
    return {}


def _folder_options(path):
    if not files.is_folder(path):
        return {}
    names = files.walk(path)
    stems = {
        name.rpartition(".")[0]
        for name in names
        if name.lower().endswith(".txt")
    }
    images = list(filter(is_image, names))
    if any(name.rpartition(".")[0] in stems for name in images):
        return {"captions": "txt"}
    for name in sorted(filter(TABLES.fullmatch, names)):
        return {"captions": files.join(path, name)}
    folders = {posixpath.dirname(name) for name in images}
    if len(folders) > 1 and "" not in folders:
        return {"labels": "folders"}
    return {}


def _images_of(file):
    """The annotation file's folder, or the one above if that has none."""
    here = posixpath.dirname(file) or "."
    if any(map(is_image, files.walk(here))):
        return here
    return posixpath.dirname(here) if posixpath.dirname(here) else ".."


def _tar_options(place):
    if files.is_folder(place):
        first = files.tars_below(place)[:1]
    else:
        first = files.find(re.sub(r"\{[^{}]*\}", "*", place))[:1]
    endings = [
        posixpath.splitext(name.lower())[1]
        for path in first
        for name in _peek(path)
    ]
    for kind in ("txt", "json"):
        if f".{kind}" in endings:
            return {"captions": kind}
    return {}


def _peek(path):
    """Names of the first members of a tar."""
    names = []
    try:
        with (
            files.open_file(path) as stream,
            tarfile.open(fileobj=stream, mode="r:") as tar,
        ):
            for member in itertools.islice(tar, PEEKED):
                names.append(member.name)
    except (tarfile.TarError, EOFError, OSError):
        pass
    return names
