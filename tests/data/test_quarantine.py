"""Bad records are replaced, named once, and not too many."""

import json

import numpy as np
import pytest
import tensorflow as tf

from keras_ab import data
from tests.reference import odd_images


class Encoded(data.Source):
    """Encoded images, some of them bad."""

    def __init__(self, images, names=None, texts=None):
        self.images, self.texts = images, texts
        self.names = names or [f"r{i}" for i in range(len(images))]

    def __len__(self):
        return len(self.images)

    @property
    def fields(self):
        return {"image", "id"} | ({"text"} if self.texts else set())

    def __getitem__(self, index):
        if isinstance(self.images[index], Exception):
            raise self.images[index]
        record = {"image": self.images[index], "id": self.names[index]}
        return {**record, "text": self.texts[index]} if self.texts else record


def flat(value):
    """A picture of one colour."""
    return odd_images.jpeg(np.full((16, 16, 3), value, "uint8"))


def numbered(count, bad=()):
    """Pictures that tell their index; those of `bad` are cut short."""
    images = [flat(10 * i) for i in range(count)]
    return Encoded(
        [d[: len(d) // 2] if i in bad else d for i, d in enumerate(images)]
    )


def seen(source, steps, start=0, **options):
    """Indices in the batches."""
    options = {"batch_size": 4, "num_views": 2, "image_size": 4, **options}
    stream = data.value_batches(source, start_step=start, **options)
    return [
        np.round(batch["value"]["image"][:, 0, 0, 0, 0] / 10).astype(int)
        for batch in stream.take(steps).as_numpy_iterator()
    ]


def test_clean_data_need_no_replacement():
    quarantine = data.Quarantine()
    found = seen(numbered(12), 3, quarantine=quarantine)
    assert sorted(np.concatenate(found)) == list(range(12))
    assert not quarantine.records


def test_bad_records_are_replaced_and_good_ones_keep_their_places():
    bad = {2, 7}
    quarantine = data.Quarantine(budget=0.5)
    clean = np.concatenate(seen(numbered(12), 6))
    dirty = np.concatenate(seen(numbered(12, bad), 6, quarantine=quarantine))
    kept = ~np.isin(clean, list(bad))
    np.testing.assert_array_equal(dirty[kept], clean[kept])
    assert not set(dirty) & bad
    # Met twice, in two epochs, and named once.
    assert sorted(r["id"] for r in quarantine.records) == ["r2", "r7"]
    assert quarantine.counts == {"truncated": 2}


def test_a_dirty_stream_depends_on_seed_and_step_alone():
    source = numbered(12, bad={0, 3, 4})
    options = {"quarantine": data.Quarantine(budget=1.0)}
    stream = seen(source, 5, **options)
    np.testing.assert_array_equal(
        np.stack(stream[3:]), np.stack(seen(source, 2, start=3, **options))
    )
    parts = [
        seen(source, 5, num_hosts=2, host=host, **options) for host in (0, 1)
    ]
    np.testing.assert_array_equal(stream, np.concatenate(parts, axis=1))


def test_every_kind_in_one_folder(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    extensions = (".jpg", ".png", ".gif", ".bmp")
    for name, content in odd_images.usable().items():
        if name.endswith(extensions):
            (images / name).write_bytes(content)
    good = {file.name for file in images.iterdir()}
    bad = odd_images.unusable()
    for name, (content, _) in bad.items():
        (images / name).write_bytes(content)
    source = data.from_folder(images)
    quarantine = data.Quarantine(tmp_path / "list", budget=1.0)
    stream = data.value_batches(
        source, 8, batch_size=len(source), quarantine=quarantine
    )
    (batch,) = stream.take(1)
    assert batch["value"]["image"].shape == (len(source), 4, 8, 8, 3)
    lines = (tmp_path / "list/quarantine.jsonl").read_text().splitlines()
    listed = {r["id"]: r["reason"] for r in map(json.loads, lines)}
    assert listed == {name: reason for name, (_, reason) in bad.items()}
    assert len(lines) == len(source) - len(good)
    # Another run, after a line was cut short, adds nothing but that one.
    file = tmp_path / "list/quarantine.jsonl"
    file.write_text("\n".join([*lines[:-1], lines[-1][:10]]) + "\n")
    again = data.Quarantine(tmp_path / "list", budget=1.0)
    for line in map(json.loads, lines):
        again.add(**line)
    assert len(file.read_text().splitlines()) == len(lines) + 1


def test_over_budget_stops_with_the_three_commonest_reasons():
    images = [flat(10 * i) for i in range(20)]
    images[3] = images[5] = images[6] = b""
    images[8] = images[9] = b"words"
    images[11] = images[11][:-20]
    images[12] = data.BadRecord("no sense", id="twelve")
    images[13] = data.BadRecord("no sense", id="thirteen")
    source = Encoded(images)
    with pytest.raises(tf.errors.OpError) as error:
        seen(source, 100)
    message = str(error.value)
    assert "BudgetError" in message and "over the budget of 0.05" in message
    assert "records are bad" in message and "such as" in message
    quarantine = data.Quarantine(budget=0.39)
    with pytest.raises(tf.errors.OpError, match="8 of 20") as error:
        seen(source, 100, quarantine=quarantine)
    message = str(error.value)
    for reason in ("empty (3", "not an image (2", "no sense (2"):
        assert reason in message
    assert "truncated" not in message.split("Commonest")[1].split("Mend")[0]
    quarantine = data.Quarantine(budget=0.4)
    assert len(seen(source, 10, quarantine=quarantine)) == 10


def test_the_budget_waits_for_the_minimum():
    source = numbered(24, bad={1})
    place = list(data.sample_indices(source, 0, 0, 24, "value")).index(1)
    quarantine = data.Quarantine(budget=0.0, minimum=place + 2)
    assert len(seen(source, 1, quarantine=quarantine)) == 1


def test_nothing_usable_ends_with_an_error():
    source = Encoded([b""] * 8)
    quarantine = data.Quarantine(budget=1.0)
    with pytest.raises(tf.errors.OpError, match="None of 64 records.*empty"):
        seen(source, 1, quarantine=quarantine)


def test_errors_that_are_not_the_datas_come_through():
    def sample(seed, num_views, shape):
        raise_it = tf.numpy_function(wrong, [shape], tf.int32)
        return tf.reshape(raise_it, (num_views, 4)), tf.zeros((num_views, 4))

    def wrong(shape):
        raise KeyError("a mistake of the user's")

    with pytest.raises(tf.errors.OpError, match="a mistake of the user's"):
        seen(numbered(8), 1, sample=sample)


def test_failing_sources_are_named():
    images = [flat(10 * i) for i in range(6)]
    images[1] = FileNotFoundError(2, "No such file", "lost.jpg")
    images[2] = KeyError("shard 7")
    quarantine = data.Quarantine(budget=1.0)
    seen(Encoded(images), 3, quarantine=quarantine)
    found = {(r["id"], r["reason"]) for r in quarantine.records}
    assert found == {("lost.jpg", "missing"), ("record 2", "unreadable")}


def test_captions_go_with_their_images():
    texts = [[f"n{i}"] for i in range(8)]
    texts[5] = []
    source = Encoded([flat(10 * i) for i in range(8)], texts=texts)
    tokenizer = data.WordTokenizer.from_texts(f"n{i}" for i in range(8))
    quarantine = data.Quarantine(budget=0.5)
    stream = data.reward_batches(
        source, tokenizer, 4, batch_size=4, quarantine=quarantine
    )
    for batch in stream.take(4).as_numpy_iterator():
        for view, ids in zip(*batch["reward"].values()):
            assert tokenizer.detokenize(ids) == f"n{round(view[0, 0, 0] / 10)}"
    assert quarantine.counts == {"no caption": 1}


def test_reward_and_value_share_a_list():
    source = Encoded(
        [flat(10 * i) if i != 2 else b"" for i in range(8)], texts=[["a"]] * 8
    )
    quarantine = data.Quarantine(budget=0.5)
    stream = data.bootstrap_batches(
        source,
        source,
        data.WordTokenizer.from_texts(["a"]),
        image_size=4,
        reward_batch_size=8,
        value_batch_size=8,
        quarantine=quarantine,
    )
    for _ in stream.take(2):
        pass
    assert [r["id"] for r in quarantine.records] == ["r2"]


def test_large_and_small_images():
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (40, 60, 3), "uint8")
    large = odd_images.jpeg(small.repeat(100, 0).repeat(100, 1))
    strip = odd_images.jpeg(odd_images.picture(3, 2000))
    dot = odd_images.jpeg(small[:1, :1])
    stream = data.value_batches(
        Encoded([large, strip, dot]), 8, batch_size=3, num_views=2
    )
    (batch,) = stream.take(1).as_numpy_iterator()
    assert batch["value"]["image"].shape == (3, 2, 8, 8, 3)
    dots = batch["value"]["image"][
        (batch["value"]["boxes"] == [0, 0, 1, 1]).all((1, 2))
    ]
    pixel = odd_images.Image.open(odd_images.io.BytesIO(dot)).getpixel((0, 0))
    assert (dots == pixel).all() and len(dots) >= 1


def test_wrong_budget():
    with pytest.raises(ValueError, match=r"share in \[0, 1\]. Received: 5"):
        data.Quarantine(budget=5)
