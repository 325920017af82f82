"""The built-in sets are served by TensorFlow Datasets, record by record."""

import numpy as np
import pytest

from keras_ab import data

tfds = pytest.importorskip("tensorflow_datasets")
pytest.importorskip("array_record")

import keras_ab.data.tfds_builder  # noqa: F401

SETS = {
    "keras_ab_scenes": data.Scenes,
    "keras_ab_objects": data.Objects,
    "keras_ab_video": data.Video,
}


def same(served, record):
    assert set(served) == set(record)
    for key, value in record.items():
        if key in ("text", "id"):
            texts = np.asarray(served[key]).tolist()
            expected = np.asarray(value, dtype="S").tolist()
            assert texts == expected, key
        else:
            np.testing.assert_allclose(served[key], value, rtol=1e-6)


def test_configurations():
    for name in SETS:
        builder = tfds.builder_cls(name)
        assert list(builder.builder_configs) == ["default", "small"]


@pytest.mark.parametrize("name", SETS)
def test_load(name, tmp_path):
    sets, info = tfds.load(f"{name}/small", data_dir=tmp_path, with_info=True)
    size = info.splits["test"].num_examples
    cls = SETS[name]
    source = cls(2 if cls is data.Video else 16, split="test")
    assert size == len(source)
    served = list(tfds.as_numpy(sets["test"]))
    for index in (0, 7, size - 1):
        same(served[index], source[index])
    assert info.features["label"].names == list(source.class_names)


def test_data_source(tmp_path):
    served = tfds.data_source(
        "keras_ab_video/small",
        split="train",
        data_dir=tmp_path,
        builder_kwargs={"file_format": "array_record"},
    )
    source = data.Video(4)
    assert len(served) == len(source)
    for index in (60, 5):
        same(served[index], source[index])
