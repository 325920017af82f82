"""TensorFlow Datasets."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_ab.data.records import BadRecord
from keras_ab.data.source import Source
from keras_ab.data.sources import files
from keras_ab.data.sources.captions import clean_captions
from keras_ab.data.sources.tfrecords import TFRecords
from keras_ab.typing import PathLike

COCO = {
    "id": ("image/filename",),
    "image_id": ("image/id",),
    "boxes": ("objects", "bbox"),
    "classes": ("objects", "label"),
    "crowd": ("objects", "is_crowd"),
}
CLEVR = ("color", "material", "shape", "size", "3d_coords", "pixel_coords")
FIELDS: dict[str, dict[str, Any]] = {
    "coco": COCO,
    "coco_captions": {**COCO, "text": ("captions", "text")},
    "clevr": {
        "id": ("file_name",),
        **{key: ("objects", key) for key in CLEVR},
    },
    "food101": {"label": ("label",)},
    "imagenet2012": {"id": ("file_name",), "label": ("label",)},
    "imagenette": {"label": ("label",)},
    "oxford_iiit_pet": {"id": ("file_name",), "label": ("label",)},
    "resisc45": {"id": ("filename",), "label": ("label",)},
    "sun397": {"id": ("file_name",), "label": ("label",)},
}
"""By data set, which feature each key of a record comes from."""

COMMON: dict[str, Sequence[Any]] = {
    "id": [("file_name",), ("filename",), ("id",)],
    "text": [("captions", "text"), ("captions",), ("caption",), ("text",)],
    "label": [("label",)],
    "boxes": [("objects", "bbox")],
    "classes": [("objects", "label")],
}
"""Where to look in a data set that is not in `FIELDS`; the first counts."""

DTYPES = {"boxes": "float32", "classes": "int64", "crowd": "bool"}


def from_tfds(
    name: str,
    split: str = "train",
    data_dir: PathLike | None = None,
    fields: dict[str, Any] | None = None,
    index_folder: PathLike | None = None,
) -> "TfdsSource":
    """A source over a data set of TensorFlow Datasets that is prepared.

    Access is random: to ArrayRecord files by themselves, to TFRecord files
    through an index that is made at the first opening. Images stay encoded.
    Nothing is downloaded.

    Args:
        name: Name of a data set, `"coco/2017"`, `"imagenet2012:5.1.0"`; or
            the folder of a prepared one, which has a `dataset_info.json`.
        split: String, such as `"train"`, `"validation"` or `"train[:10%]"`.
        data_dir: Folder in which data sets are; None for
            tensorflow-datasets' own choice, `~/tensorflow_datasets`.
        fields: Dict from keys of the records to features, where they are not
            found by themselves: `{"text": "title", "boxes": ("objects",
            "bbox")}`.
        index_folder: Folder for the indices of TFRecord files; None puts each
            beside its file.

    Returns:
        A `TfdsSource`.

    Raises:
        ImportError: If tensorflow-datasets is not installed.
        ValueError: If the data set or split is unknown or not prepared; the
            message says which files to get and what to run.

    Example:

    ```python
    source = keras_ab.data.from_tfds("imagenet2012", "train")
    ```
    """
    builder = _builder(name, data_dir)
    splits = sorted(builder.info.splits)
    try:
        info = builder.info.splits[split]
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"`split` must be of {splits}, or a part of one. Received: "
            f"{split!r}"
        ) from error
    return TfdsSource(builder, split, info, fields, index_folder)


class TfdsSource(Source):
    """A split of a data set; see `keras_ab.data.from_tfds`.

    Args:
        builder: A `tfds.core.DatasetBuilder` whose data is prepared.
        split: String.
        info: The `tfds.core.SplitInfo` of it.
        fields: Dict from keys of the records to features, or None.
        index_folder: Folder for indices, or None.
    """

    def __init__(
        self,
        builder: Any,
        split: str,
        info: Any,
        fields: dict[str, Any] | None = None,
        index_folder: PathLike | None = None,
    ):
        import tensorflow_datasets as tfds

        self.name, self.split = builder.info.full_name, split
        features = builder.info.features
        images = [
            key
            for key, feature in features.items()
            if isinstance(feature, tfds.features.Image)
        ]
        if not images:
            raise ValueError(
                f"{self.name} has no image. Its features: {sorted(features)}"
            )
        self._image = "image" if "image" in images else images[0]
        decoders = {key: tfds.decode.SkipDecoding() for key in images}
        self._places = _places(builder.info.name, features, fields)
        for key in ("label", "classes"):
            place = self._places.get(key)
            names = getattr(_feature(features, place), "names", None)
            if names and self.class_names is None:
                self.class_names = list(names)
        if builder.info.file_format == _format(tfds, "tfrecord"):
            self._records = TFRecords(
                [(i.filename, i.skip, i.take) for i in info.file_instructions],
                index_folder,
            )
            self._decode = lambda record: features.deserialize_example_np(
                record, decoders=decoders
            )
        else:
            self._records = builder.as_data_source(split, decoders=decoders)
            self._decode = lambda record: record

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"{index} of {len(self)} records")
        example = self._decode(self._records[index])
        record = {"id": f"{self.split}/{index % len(self)}"}
        for key, place in self._places.items():
            record[key] = _convert(key, _value(example, place))
        if "text" in record and not record["text"]:
            raise BadRecord("no caption", record["id"])
        if not example[self._image]:
            raise BadRecord("empty", record["id"])
        return {"image": example[self._image], **record}

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self._places) | {"image", "id"}


def _builder(name, data_dir):
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError(
            "from_tfds reads with tensorflow-datasets. Install it with `pip "
            "install keras_ab[tfds]`."
        ) from error
    if files.find(files.join(name, "dataset_info.json")):
        return tfds.builder_from_directory(name)
    try:
        builder = tfds.builder(str(name), data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        raise ValueError(
            "`name` must be a data set of tensorflow-datasets, one prepared "
            f"in `data_dir` ({data_dir!r}), or a folder with a "
            f"dataset_info.json. Received: {str(name)!r}"
        ) from error
    if not builder.is_prepared():
        raise ValueError(_how_to_prepare(builder, name))
    return builder


def _how_to_prepare(builder, name):
    text = f"{name} is not prepared: there is nothing in {builder.data_path}."
    root = builder.data_dir_root
    manual = builder.MANUAL_DOWNLOAD_INSTRUCTIONS
    if manual:
        text += (
            f"\nFirst get by hand, into {root / 'downloads/manual'}:\n"
            + "\n".join(f"  {line.strip()}" for line in manual.splitlines())
        )
    return (
        f"{text}\nThen run: tfds build {name} --data_dir={root} "
        "--file_format=array_record"
    )


def _format(tfds, name):
    return tfds.core.FileFormat.from_value(name)


def _places(name, features, fields):
    """Dict from keys of a record to paths of features that are there."""
    if fields is not None:
        places = {
            key: (place,) if isinstance(place, str) else tuple(place)
            for key, place in fields.items()
        }
        for key, place in places.items():
            if _feature(features, place) is None:
                raise ValueError(
                    f"`fields`: {name} has no feature {place} for {key!r}. "
                    f"Its features: {sorted(features)}"
                )
        return places
    if name in FIELDS:
        places = FIELDS[name].items()
        return {k: p for k, p in places if _feature(features, p) is not None}
    found = {}
    for key, candidates in COMMON.items():
        there = [p for p in candidates if _feature(features, p) is not None]
        if there:
            found[key] = there[0]
    return found


def _feature(features, place):
    """The feature at a path, or None."""
    for key in place or ():
        features = getattr(features, "feature", features)
        try:
            features = features[key]
        except (KeyError, TypeError):
            return None
    return features if place else None


def _value(example, place):
    for key in place:
        example = example[key]
    return example


def _convert(key, value):
    """A value of tensorflow-datasets as a record has it."""
    if key == "text":
        return clean_captions(list(np.atleast_1d(value)))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if key == "id":
        return str(value)
    if key in DTYPES:
        array = np.asarray(value, DTYPES[key])
        # Of no boxes tensorflow-datasets forgets the shape.
        return array.reshape(-1, 4) if key == "boxes" else array
    return int(value) if np.ndim(value) == 0 else np.asarray(value)
