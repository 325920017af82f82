"""What tasks are measured on: built-in sets, the papers' sets, and yours."""

import dataclasses
import os
import pathlib
from inspect import signature
from typing import Any

import numpy as np

from keras_ab.data import Source
from keras_ab.data import from_coco
from keras_ab.data import split_by
from keras_ab.data.by_name import by_name
from keras_ab.data.specs import BUILT_IN
from keras_ab.data.specs import is_maker
from keras_ab.data.specs import open_source
from keras_ab.typing import PathLike

TRAIN, TEST = 4000, 1000
"""Records of the built-in sets, where nothing else is said."""

SEED = 1_000_003
"""Of built-in sets: another than their default, so that probes do not learn on
pictures, or captions, that an encoder was trained on."""

TFDS = {
    "imagenet": ("imagenet2012", "train", "validation"),
    "food101": ("food101", "train", "validation"),
    "pets": ("oxford_iiit_pet", "train", "test"),
    "resisc45": ("resisc45", "train[:60%]", "train[80%:]"),
    "sun397": ("sun397", "train", "test"),
    "clevr": ("clevr", "train", "validation"),
}
"""By name: the data set of TensorFlow Datasets and its two splits."""

FOLDERS = ("coco", "visor", "epic")
NAMED = (*TFDS, *(f"{name}:FOLDER" for name in FOLDERS))


@dataclasses.dataclass
class Splits:
    """What a task is trained and tested on.

    Args:
        train: A `keras_ab.data.Source`.
        test: A `keras_ab.data.Source`, which shares no record with it.
        name: String, for results.
    """

    train: Source
    test: Source
    name: str


def open_splits(
    data: PathLike,
    train_size: int | None = None,
    test_size: int | None = None,
    seed: int = 0,
    test: PathLike | None = None,
    **options: Any,
) -> Splits:
    """Opens the two splits of a set.

    Accepted are

    - `"scenes"`, `"objects"`, `"video"`: the built-in sets, of `video` the
      middle frame of each clip; of a seed of their own (`SEED`), so that they
      share no record with the sets of the default seed, of either split;
    - `"MODULE:NAME"`, a function in Python with the arguments `size` and
      `split` of `keras_ab.data.Scenes`, which returns a source; if it has its
      `seed` too, that is `SEED`;
    - `"imagenet"`, `"food101"`, `"pets"`, `"resisc45"`, `"sun397"`,
      `"clevr"`: prepared data sets of TensorFlow Datasets, split as in the
      paper (`resisc45` as in VTAB);
    - `"coco:FOLDER"` with `annotations/instances_train2017.json`,
      `train2017` and so on, as COCO is published;
    - `"visor:FOLDER"` with VISOR's `annotations/train` and `val`, and frames
      in `rgb_frames/train` and `val`;
    - `"epic:FOLDER"` with `EPIC_100_train.csv`, `EPIC_100_validation.csv` and
      the frames of EPIC-Kitchens-100; tables of classes, where they are in
      the folders of the last two, give the classes names;
    - whatever `keras_ab.data.specs.open_source` opens; a fifth is held out,
      by clips where records have them, unless `test` says what to test on.

    Args:
        data: String or path.
        train_size: Int, records to train on at most, evenly spread; of
            built-in sets, and of functions, the number that is made. None for
            all, and for 4,000 of those.
        test_size: Int, likewise, 1,000 of what is made.
        seed: Int, of what is held out.
        test: String or path, what to test on where `data` is neither built in
            nor one of the names above.
        **options: Arguments of the function that opens it.

    Returns:
        A `Splits`.

    Raises:
        FileNotFoundError: If there is no such path, and no such data set.
        ValueError: If it is empty, or of no known kind.

    Example:

    >>> splits = keras_ab.probes.open_splits("scenes", 20, 10)
    >>> len(splits.train), len(splits.test), splits.name
    # (20, 10, 'scenes')
    """
    data = os.fspath(data)
    kind, _, place = data.partition(":")
    for name, size in (("train_size", train_size), ("test_size", test_size)):
        if size is not None and size < 1:
            raise ValueError(f"`{name}` must be positive. Received: {size}")
    sizes = (train_size or TRAIN, test_size or TEST)
    if data in BUILT_IN:
        train, test = _built_in(data, sizes, options)
        return Splits(train, test, data)
    if kind not in FOLDERS and is_maker(data):
        train, test = _made(data, sizes, options)
        return Splits(train, test, place)
    if data in TFDS:
        name, *parts = TFDS[data]
        sources = [_open(f"tfds:{name}", split=p, **options) for p in parts]
        name = data
    elif kind in FOLDERS and pathlib.Path(place).is_dir():
        opener = {"coco": _coco, "visor": _visor, "epic": _epic}[kind]
        sources, name = opener(pathlib.Path(place), options), kind
    else:
        source = _open(data, **options)
        if test is not None:
            sources = [source, _open(test, **options)]
        elif "clip" in source.fields:
            sources = split_by(source, "clip", 0.2, seed)
        else:
            sources = _held_out(source, seed)
        name = pathlib.PurePath(place or data).name or data
    train, test = (
        _at_most(s, n) for s, n in zip(sources, (train_size, test_size))
    )
    return Splits(train, test, name)


def _built_in(name, sizes, options):
    """Records drawn for training, and for testing."""
    key = "clips" if name == "video" else "size"
    sources = [
        _open(name, **{key: size, "split": split, "seed": SEED, **options})
        for size, split in zip(sizes, ("train", "test"))
    ]
    if name == "video":
        return [source.middle_frames() for source in sources]
    return sources


def _made(maker, sizes, options):
    """What a function makes for training, and for testing."""
    if _takes_a_seed(maker):
        options = {"seed": SEED, **options}
    train, test = (
        _at_most(
            _open(maker, **{"size": size, "split": split, **options}), size
        )
        for size, split in zip(sizes, ("train", "test"))
    )
    if _begin_alike(train, test):
        raise ValueError(
            f"{maker} must make other records for `split='test'` than for "
            "`split='train'`. Received: the same first images for both"
        )
    return train, test


def _takes_a_seed(maker):
    function = by_name(maker, "a source", "MODULE:NAME")
    return callable(function) and "seed" in signature(function).parameters


def _begin_alike(one, other, count=3):
    """Whether two sources' first images are the same."""
    for index in range(min(count, len(one), len(other))):
        try:
            first, second = one[index]["image"], other[index]["image"]
        except Exception:
            # Counted later.
            return False
        if not np.array_equal(np.asarray(first), np.asarray(second)):
            return False
    return True


def _open(spec, **options):
    return open_source(spec, **options).source


def _coco(folder, options):
    def split(name):
        files = [
            folder / "annotations" / f"{kind}_{name}.json"
            for kind in ("instances", "captions")
        ]
        found = [str(file) for file in files if file.is_file()]
        if not found:
            raise FileNotFoundError(
                f"COCO's annotations must be in {folder / 'annotations'}. "
                f"Received: no {files[0].name} and no {files[1].name} there"
            )
        return from_coco(found, folder / name, **options)

    return [split(name) for name in ("train2017", "val2017")]


def _visor(folder, options):
    return [
        _open(
            f"frames:{folder / 'rgb_frames' / name}",
            annotations=str(folder / "annotations" / name),
            **_tables(folder, "noun"),
            **options,
        )
        for name in ("train", "val")
    ]


def _epic(folder, options):
    return [
        _open(
            f"frames:{folder}",
            annotations=str(folder / f"EPIC_100_{name}.csv"),
            **_tables(folder, "verb", "noun"),
            **options,
        )
        for name in ("train", "validation")
    ]


def _tables(folder, *kinds):
    """The tables of classes that are there, as options."""
    names = {
        "verb": "EPIC_100_verb_classes.csv",
        "noun": "EPIC_100_noun_classes_v2.csv",
    }
    return {
        f"{kind}_classes": str(folder / names[kind])
        for kind in kinds
        if (folder / names[kind]).is_file()
    }


def _held_out(source, seed):
    """All but a fifth of the records, and this fifth."""
    if len(source) < 2:
        raise ValueError(
            "A fifth of the records is held out, so two or more are needed. "
            f"Received: {len(source)}"
        )
    order = np.random.default_rng(seed).permutation(len(source))
    held = max(1, len(source) // 5)
    parts = (order[held:], order[:held])
    return [source.subset(np.sort(part)) for part in parts]


def _at_most(source, size):
    """A source, or as many of its records, evenly spread."""
    if size is None or size >= len(source):
        return source
    return source.subset([i * len(source) // size for i in range(size)])
