"""TensorFlow Datasets, from tiny ones built here."""

import io

import numpy as np
import pytest

tfds = pytest.importorskip(
    "tensorflow_datasets", reason="tensorflow-datasets is not installed"
)

from keras_ab import data
from tests.data.sources import fixtures

COUNT = 6


def builder(called, features, example):
    """A class of builders whose train split has `COUNT` examples."""

    class Tiny(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        name = called
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self, features=tfds.features.FeaturesDict(features)
            )

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for i in range(COUNT):
                image = {"image": io.BytesIO(fixtures.jpeg(i))}
                yield i, {**image, **example(i)}

    return Tiny


def coco(i):
    box = tfds.features.BBox(0.0, 0.25, 0.5, 1.0)
    thing = {"bbox": box, "label": 1, "is_crowd": i % 2 == 0}
    return {
        "image/filename": f"{i}.jpg",
        "image/id": i,
        "objects": [thing] * i,
        "captions": [{"text": f" image  {i}", "id": i}, {"text": "x", "id": 0}],
    }


COCO = {
    "image": tfds.features.Image(encoding_format="jpeg"),
    "image/filename": tfds.features.Text(),
    "image/id": np.int64,
    "objects": tfds.features.Sequence(
        {
            "bbox": tfds.features.BBoxFeature(),
            "label": tfds.features.ClassLabel(names=["cup", "dog"]),
            "is_crowd": np.bool_,
        }
    ),
    "captions": tfds.features.Sequence({"text": np.str_, "id": np.int64}),
}
LABELLED = {
    "image": tfds.features.Image(),
    "label": tfds.features.ClassLabel(names=["a", "b"]),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("tfds")


@pytest.fixture(scope="module", params=["array_record", "tfrecord"])
def coco_folder(request, root):
    made = builder("coco_captions", COCO, coco)(
        data_dir=root / request.param, file_format=request.param
    )
    made.download_and_prepare()
    return made.data_dir


def test_coco_captions(coco_folder):
    source = data.from_tfds(coco_folder)
    assert len(source) == COUNT and source.class_names == ["cup", "dog"]
    records = {source[i]["id"]: source[i] for i in range(COUNT)}
    assert set(records) == {f"{i}.jpg" for i in range(COUNT)}
    record = records["3.jpg"]
    assert record["image"] == fixtures.jpeg(3) and record["image_id"] == 3
    assert record["text"] == ["image 3", "x"]
    assert record["boxes"].tolist() == [[0.0, 0.25, 0.5, 1.0]] * 3
    assert record["boxes"].dtype == "float32"
    assert record["classes"].tolist() == [1, 1, 1]
    assert record["crowd"].tolist() == [False] * 3
    assert records["0.jpg"]["boxes"].shape == (0, 4)
    fixtures.check_load(source)


def test_a_part_of_a_split(coco_folder):
    whole = [
        r["id"]
        for r in map(data.from_tfds(coco_folder).__getitem__, range(COUNT))
    ]
    part = data.from_tfds(coco_folder, "train[2:5]")
    assert [part[i]["id"] for i in range(len(part))] == whole[2:5]
    with pytest.raises(ValueError, match=r"\['train'\].*Received: 'test'"):
        data.from_tfds(coco_folder, "test")


def test_fields_that_are_named_or_found(root):
    made = builder("own_set", LABELLED, lambda i: {"label": i % 2})(
        data_dir=root / "own", file_format="array_record"
    )
    made.download_and_prepare()
    source = data.from_tfds("own_set", data_dir=str(root / "own"))
    assert source.fields == {"image", "id", "label"}
    assert source.class_names == ["a", "b"]
    ids = [source[i]["id"] for i in range(COUNT)]
    assert ids == [f"train/{i}" for i in range(COUNT)]
    kind = data.from_tfds(made.data_dir, fields={"kind": "label"})
    assert kind.fields == {"image", "id", "kind"}
    with pytest.raises(ValueError, match=r"no feature \('title',\).*'label'"):
        data.from_tfds(made.data_dir, fields={"text": "title"})


def test_what_is_not_prepared_says_how(tmp_path):
    folder = str(tmp_path)
    with pytest.raises(ValueError) as error:
        data.from_tfds("imagenet2012", data_dir=folder)
    for part in (
        folder,
        "ILSVRC2012_img_train.tar",
        "downloads/manual",
        "tfds build imagenet2012",
    ):
        assert part in str(error.value)
    with pytest.raises(ValueError, match="no_such_set_at_all"):
        data.from_tfds("no_such_set_at_all", data_dir=folder)


def test_a_tfrecord_that_is_cut(root, tmp_path):
    made = builder("cut_set", LABELLED, lambda i: {"label": 0})(
        data_dir=tmp_path, file_format="tfrecord"
    )
    made.download_and_prepare()
    (shard,) = tmp_path.rglob("*.tfrecord-*")
    shard.write_bytes(shard.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"hold 6 records.*cut after 5"):
        data.from_tfds(made.data_dir)


@pytest.mark.parametrize("name", sorted(data.sources.tfds.FIELDS))
def test_the_features_of_known_sets(name, tmp_path):
    """The features that the mapping names are those of the library."""
    known = tfds.builder(name, data_dir=tmp_path)
    for key, place in data.sources.tfds.FIELDS[name].items():
        feature = data.sources.tfds._feature(known.info.features, place)
        assert feature is not None, (key, place)


def test_what_a_name_or_a_folder_is_taken_for(coco_folder, root, tmp_path):
    from keras_ab.data.inspect_command import main
    from keras_ab.data.specs import open_source

    spec = open_source(coco_folder, tmp_path)
    assert spec.kind == "tfds" and len(spec.source) == COUNT
    builder("named", LABELLED, lambda i: {"label": i % 2})(
        data_dir=str(root)
    ).download_and_prepare()
    for name in ("named", "named:1.0.0", "tfds:named"):
        spec = open_source(name, tmp_path, data_dir=str(root))
        assert spec.kind == "tfds" and spec.source.class_names == ["a", "b"]
    place = ["named", "--option", f"data_dir={root}", "--seconds", "0"]
    assert main(["inspect", *place]) == 0
