"""Batches: what fit gets, in which order."""

import hashlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_ab import actions
from keras_ab import data
from keras_ab.data import augmentations


@pytest.fixture(scope="module")
def scenes():
    return data.Scenes(size=20).cache()


@pytest.fixture(scope="module")
def tokenizer(scenes):
    return data.WordTokenizer.from_texts(
        (t for i in range(20) for t in scenes[i]["text"]), sequence_length=10
    )


def bootstrap(scenes, tokenizer, **kwargs):
    config = {
        "image_size": 24,
        "reward_batch_size": 8,
        "value_batch_size": 4,
        "num_views": 3,
        **kwargs,
    }
    reward = config.pop("reward", scenes)
    value = config.pop("value", scenes)
    return data.bootstrap_batches(reward, value, tokenizer, **config)


def take(dataset, count):
    return list(dataset.take(count).as_numpy_iterator())


def digest(batches):
    parts = [
        batch[part][key].tobytes()
        for batch in batches
        for part in sorted(batch)
        for key in sorted(batch[part])
    ]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_shapes_and_dtypes(scenes, tokenizer):
    (batch,) = take(bootstrap(scenes, tokenizer), 1)
    described = {
        f"{part}/{key}": (value.shape, value.dtype.name)
        for part, values in batch.items()
        for key, value in values.items()
    }
    assert described == {
        "reward/image": ((8, 24, 24, 3), "uint8"),
        "reward/text": ((8, 10), "int32"),
        "value/image": ((4, 3, 24, 24, 3), "uint8"),
        "value/boxes": ((4, 3, 4), "float32"),
    }
    boxes = batch["value"]["boxes"]
    area = (boxes[..., 2:] - boxes[..., :2]).prod(-1)
    assert area.min() > 0.03 and area.max() < 0.55


@pytest.mark.parametrize("encoded", [False, True])
def test_boxes_are_those_of_their_views(encoded, tmp_path):
    """Of an image whose channels say where a pixel is."""
    rows, columns = 48, 64
    y, x = np.mgrid[:rows, :columns]
    image = np.stack([4 * y, 3 * x, 0 * x], -1).astype("uint8")
    if encoded:
        for place in range(8):
            Image.fromarray(image).save(tmp_path / f"{place}.png")
        source = data.from_folder(tmp_path)
    else:
        source = data.MemorySource([{"image": image}] * 8)
    (batch,) = take(
        data.value_batches(source, image_size=16, batch_size=8, num_views=6), 1
    )
    views = batch["value"]["image"].astype("float64")
    boxes = batch["value"]["boxes"].astype("float64")
    middles = (boxes[..., :2] + boxes[..., 2:]) / 2
    # A pixel's middle lies half a pixel behind its place.
    seen = np.stack(
        [
            (views[..., 0].mean((2, 3)) / 4 + 0.5) / rows,
            (views[..., 1].mean((2, 3)) / 3 + 0.5) / columns,
        ],
        -1,
    )
    np.testing.assert_allclose(seen, middles, atol=0.01)
    # All six differ, so that no other order would do.
    assert np.diff(np.sort(middles[..., 1], axis=1), axis=1).max(0).min() > 0.02
    # As wide as what the views span.
    span = views[..., 1].max((2, 3)) - views[..., 1].min((2, 3))
    wide = (boxes[..., 3] - boxes[..., 1]) * columns
    np.testing.assert_allclose(span / 3, wide, rtol=0.2, atol=1.5)


def test_static_shapes(scenes, tokenizer):
    spec = bootstrap(scenes, tokenizer).element_spec
    assert spec["value"]["image"].shape == (4, 3, 24, 24, 3)
    assert spec["value"]["boxes"].shape == (4, 3, 4)
    assert spec["reward"]["text"].shape == (8, 10)


def test_any_step_can_be_asked_for(scenes, tokenizer):
    stream = take(bootstrap(scenes, tokenizer), 6)
    later = take(bootstrap(scenes, tokenizer, start_step=4), 2)
    assert digest(stream[4:]) == digest(later)
    assert digest(stream[:2]) != digest(later)


def test_seeds(scenes, tokenizer):
    first = take(bootstrap(scenes, tokenizer, seed=1), 2)
    assert digest(first) == digest(
        take(bootstrap(scenes, tokenizer, seed=1), 2)
    )
    assert digest(first) != digest(
        take(bootstrap(scenes, tokenizer, seed=2), 2)
    )


CODE = """
from keras_ab import data
from tests.data.test_batches import bootstrap, digest, take
scenes = data.Scenes(size=20).cache()
tokenizer = data.WordTokenizer.from_texts(
    (t for i in range(20) for t in scenes[i]["text"]), sequence_length=10)
print(digest(take(bootstrap(scenes, tokenizer, seed=3), 3)))
"""


def test_another_process_gets_the_same_bytes(scenes, tokenizer):
    run = subprocess.run(
        [sys.executable, "-c", CODE], check=True, capture_output=True, text=True
    )
    expected = digest(take(bootstrap(scenes, tokenizer, seed=3), 3))
    assert run.stdout.split()[-1] == expected


def numbered(count):
    """Images that tell their own index."""
    return data.MemorySource(
        [
            {
                "image": np.full((8, 8, 3), i, "uint8"),
                "text": [f"number {i}"],
            }
            for i in range(count)
        ]
    )


def test_an_epoch_has_each_sample_once():
    source = numbered(20)
    tokenizer = data.WordTokenizer.from_texts(f"number {i}" for i in range(20))
    stream = data.reward_batches(source, tokenizer, image_size=8, batch_size=4)
    seen = [
        int(image[0, 0, 0])
        for batch in take(stream, 15)
        for image in batch["reward"]["image"]
    ]
    epochs = [seen[i : i + 20] for i in (0, 20, 40)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(20))
    assert epochs[0] != epochs[1] and epochs[1] != epochs[2]
    # Image and caption belong together.
    for batch in take(stream, 2):
        for image, ids in zip(
            batch["reward"]["image"], batch["reward"]["text"]
        ):
            assert tokenizer.detokenize(ids) == f"number {image[0, 0, 0]}"


def test_reward_and_value_have_orders_of_their_own():
    source = numbered(20)
    tokenizer = data.WordTokenizer.from_texts(f"number {i}" for i in range(20))
    (batch,) = take(
        data.bootstrap_batches(
            source,
            source,
            tokenizer,
            image_size=8,
            reward_batch_size=20,
            value_batch_size=20,
            num_views=2,
        ),
        1,
    )
    reward = batch["reward"]["image"][:, 0, 0, 0]
    value = batch["value"]["image"][:, 0, 0, 0, 0]
    assert (reward != value).any()


def test_value_needs_no_captions(scenes, tokenizer):
    unlabelled = data.Scenes(size=20, captions=False)
    (batch,) = take(bootstrap(scenes, tokenizer, value=unlabelled), 1)
    assert batch["value"]["image"].shape == (4, 3, 24, 24, 3)


def test_an_action_space_samples(scenes, tokenizer):
    space = actions.RelativeCrops(area=(0.9, 1.0))
    (batch,) = take(bootstrap(scenes, tokenizer, actions=space), 1)
    boxes = batch["value"]["boxes"]
    assert (boxes[..., 2:] - boxes[..., :2]).prod(-1).min() > 0.85


def test_views_of_values_augmented():
    source = data.MemorySource([{"image": np.full((16, 16, 3), 9, "uint8")}])

    def noise(image, seed):
        draw = tf.random.stateless_uniform((), seed, 0, 256, dtype="int32")
        return tf.zeros_like(image) + tf.cast(draw, "uint8")

    options = {"image_size": 8, "batch_size": 1, "num_views": 4}
    for layer in (
        noise,
        augmentations.from_layer(keras.layers.RandomBrightness((0.1, 0.9))),
    ):
        stream = data.value_batches(source, augmentation=layer, **options)
        first, second = take(stream, 2)
        values = first["value"]["image"][0, :, 0, 0, 0]
        assert len(set(values)) > 2 and (values != 9).any()
        assert digest([first]) == digest(take(stream, 1))
        assert digest([first]) != digest([second])
        plain = take(data.value_batches(source, **options), 1)[0]["value"]
        np.testing.assert_array_equal(plain["boxes"], first["value"]["boxes"])


def test_colours_on_values_in_a_whole_batch(scenes, tokenizer):
    (batch,) = take(
        bootstrap(scenes, tokenizer, value_augmentation=lambda i, s: 255 - i), 1
    )
    (plain,) = take(bootstrap(scenes, tokenizer), 1)
    np.testing.assert_array_equal(
        batch["value"]["image"], 255 - plain["value"]["image"]
    )
    assert digest([{"r": batch["reward"]}]) == digest([{"r": plain["reward"]}])


def write_folder(path, captions=True):
    rng = np.random.default_rng(0)
    for name in ("cats/a.jpg", "cats/b.PNG", "dogs/c.jpeg"):
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (40, 50, 3)).astype("uint8")
        Image.fromarray(pixels).save(file)
        if captions:
            file.with_suffix(".txt").write_text(f"a  {name[:3]}\n\nanimal\n")


def test_folders(tmp_path):
    write_folder(tmp_path)
    source = data.from_folder(tmp_path, captions="txt", labels="folders")
    assert len(source) == 3
    assert source.class_names == ["cats", "dogs"]
    record = source[2]
    assert record["id"] == "dogs/c.jpeg" and record["label"] == 1
    assert record["text"] == ["a dog", "animal"]
    tokenizer = data.WordTokenizer.from_texts(["a cat dog animal"])
    stream = data.bootstrap_batches(
        source,
        data.from_folder(tmp_path),
        tokenizer,
        image_size=(16, 24),
        reward_batch_size=2,
        value_batch_size=3,
    )
    (batch,) = take(stream, 1)
    assert batch["value"]["image"].shape == (3, 4, 16, 24, 3)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_captions_from_a_table(tmp_path, kind):
    write_folder(tmp_path, captions=False)
    file = tmp_path / f"captions.{kind}"
    if kind == "csv":
        file.write_text('file_name,text\ncats/a.jpg,"a cat, here"\n')
    else:
        file.write_text('{"file_name": "cats/a.jpg", "text": "a cat, here"}\n')
    source = data.from_folder(tmp_path, captions=file)
    assert [source[i]["text"] for i in range(len(source))] == [["a cat, here"]]


WRONG = {
    "one view": ({"num_views": 1}, r"at least 2.*Received: 1"),
    "no batch": ({"reward_batch_size": 0}, r"reward_batch_size.*\[1, 20\]"),
    "a large batch": ({"value_batch_size": 21}, r"value_batch_size.*\[1, 20\]"),
    "areas": ({"value_area": (0.5, 0.1)}, "value_area.*Received"),
    "no area": ({"reward_area": (0.0, 0.5)}, "reward_area.*Received"),
    "size": ({"image_size": 0}, "image_size.*Received: 0"),
    "no captions": (
        {"reward": data.Scenes(size=20, captions=False)},
        "`reward`.*captioned.*Received",
    ),
    "no source": ({"value": "photos/"}, "`value` must be.*Source.*str"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(scenes, tokenizer, name):
    config, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        bootstrap(scenes, tokenizer, **config)


def test_wrong_folders(tmp_path, scenes):
    with pytest.raises(ValueError, match="No images below.*Accepted"):
        data.from_folder(tmp_path)
    with pytest.raises(ValueError, match="no folder"):
        data.from_folder(tmp_path / "missing")
    write_folder(tmp_path, captions=False)
    with pytest.raises(ValueError, match="has a caption"):
        data.from_folder(tmp_path, captions="txt")
    with pytest.raises(ValueError, match="'txt' or the path"):
        data.from_folder(tmp_path, captions="captions.xml")
    with pytest.raises(ValueError, match=r"callable.*None"):
        data.reward_batches(scenes, None, batch_size=2)
    with pytest.raises(ValueError, match=r"Indices.*\[0, 20\)"):
        scenes.subset([0, 20])
    with pytest.raises(ValueError, match="one record or more"):
        data.MemorySource([])


class OneImage(data.Source):
    """A source of one record, written by a user."""

    fields = frozenset({"image", "id", "text"})

    def __init__(self, image, text):
        self.image, self.text = image, text

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return {"image": self.image, "id": f"r{index}", "text": self.text}


@pytest.mark.parametrize("kind", ["custom", "memory"])
def test_a_string_is_one_caption(kind):
    image = np.zeros((16, 16, 3), "uint8")
    source = OneImage(image, "a red cup")
    if kind == "memory":
        source = data.MemorySource([source[i] for i in range(4)])
    tokenizer = data.WordTokenizer(["a", "red", "cup"], sequence_length=5)
    batches = data.reward_batches(source, tokenizer, 8, batch_size=2)
    ids = next(iter(batches))["reward"]["text"].numpy()
    assert tokenizer.detokenize(ids) == ["a red cup"] * 2


@pytest.mark.parametrize(
    "image, text, message",
    [
        (np.zeros((16, 16, 1), "uint8"), ["a"], r"\(16, 16, 1\) in record 'r"),
        (np.zeros((16, 16, 3)), ["a"], "float64.*'r"),
        (np.zeros((16, 16, 3), "uint8"), [], "no caption.*such as 'r"),
    ],
)
def test_wrong_records_are_named(image, text, message):
    tokenizer = data.WordTokenizer(["a"], sequence_length=5)
    source = OneImage(image, text)
    batches = data.reward_batches(source, tokenizer, 8, batch_size=2)
    with pytest.raises(tf.errors.OpError, match=message):
        next(iter(batches))


def test_states_of_another_space():
    def sample(seed, num_views, image_shape):
        pixels = tf.tile([[0, 0, 8, 8]], [num_views, 1])
        return pixels, tf.ones((num_views, 2))

    source = OneImage(np.zeros((16, 16, 3), "uint8"), ["a"])
    batches = data.value_batches(
        source,
        image_size=8,
        batch_size=2,
        sample=sample,
        state_key="centres",
        state_size=2,
    )
    assert next(iter(batches))["value"]["centres"].shape == (2, 4, 2)
