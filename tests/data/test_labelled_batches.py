"""Batches of images with their classes."""

import numpy as np
import pytest
import tensorflow as tf

from keras_ab import data
from keras_ab.data import stream


def source(count=10):
    """Images that tell their label."""
    return data.MemorySource(
        [
            {
                "image": np.full((16, 16, 3), 20 * i, "uint8"),
                "label": i % 4,
            }
            for i in range(count)
        ]
    )


def take(dataset, count):
    return list(dataset.take(count).as_numpy_iterator())


def images_tell(batch):
    image = batch["reward"]["image"]
    return image[:, 0, 0, 0] // 20 % 4


@pytest.mark.parametrize(
    "make",
    [
        source,
        lambda: source().subset([9, 3, 4, 1, 6]),
        pytest.param(lambda: source().subset(slice(2, 8)), id="slice"),
    ],
)
def test_each_image_has_its_label(make):
    dataset = data.labelled_batches(make(), image_size=8, batch_size=5)
    for batch in take(dataset, 4):
        assert batch["reward"]["image"].shape == (5, 8, 8, 3)
        assert batch["reward"]["image"].dtype == np.uint8
        assert batch["reward"]["label"].dtype == np.int32
        np.testing.assert_array_equal(
            batch["reward"]["label"], images_tell(batch)
        )


def test_shapes_are_static():
    dataset = data.labelled_batches(
        source().subset([1, 2, 3]), image_size=(8, 12), batch_size=3
    )
    spec = dataset.element_spec["reward"]
    assert spec["image"].shape == (3, 8, 12, 3)
    assert spec["label"].shape == (3,)


def test_a_function_of_seed_and_step():
    def run(**kwargs):
        return take(
            data.labelled_batches(
                data.Scenes(size=8), image_size=16, batch_size=4, **kwargs
            ),
            3,
        )

    whole, late, other = run(), run(start_step=2), run(seed=1)
    for key in ("image", "label"):
        np.testing.assert_array_equal(
            whole[2]["reward"][key], late[0]["reward"][key]
        )
    assert (whole[0]["reward"]["image"] != other[0]["reward"]["image"]).any()


def test_augmentation():
    dataset = data.labelled_batches(
        source(),
        image_size=8,
        batch_size=5,
        augmentation=lambda image, seed: tf.zeros_like(image),
    )
    assert not take(dataset, 1)[0]["reward"]["image"].any()


def test_beside_views_for_the_value():
    dataset = stream.merge(
        data.labelled_batches(source(), image_size=8, batch_size=5),
        data.value_batches(source(), image_size=8, batch_size=2, num_views=2),
    )
    (batch,) = take(dataset, 1)
    assert set(batch) == {"reward", "value"}


def test_streams_of_the_same_key():
    batches = data.labelled_batches(source(), image_size=8, batch_size=5)
    with pytest.raises(ValueError, match=r"different keys.*\['reward'\]"):
        stream.merge(batches, batches)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"batch_size": 11}, r"\[1, 10\].*Received: 11"),
        ({"area": (0.5, 0.1)}, "Received"),
        ({"image_size": 0}, "image_size.*Received: 0"),
    ],
)
def test_wrong_arguments(change, message):
    with pytest.raises(ValueError, match=message):
        data.labelled_batches(source(), **{"batch_size": 2, **change})


def test_a_source_without_labels():
    unlabelled = data.MemorySource([{"image": np.zeros((8, 8, 3), "uint8")}])
    with pytest.raises(ValueError, match="'label'.*Received"):
        data.labelled_batches(unlabelled, batch_size=1)
