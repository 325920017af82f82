"""Bad records are replaced, named once, and not too many."""

import json

import numpy as np
import pytest
import tensorflow as tf

from keras_ab import data
from tests.data.test_batches import digest
from tests.data.test_batches import take
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
    # One of them was seen to be bad when the source was opened.
    assert source.rejected == [("empty.jpg", "empty")]
    assert len(lines) == len(bad) == len(source) + 1 - len(good)
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
    assert "records read are bad" in message and "such as" in message
    quarantine = data.Quarantine(budget=0.39)
    with pytest.raises(tf.errors.OpError, match="8 of 20") as error:
        seen(source, 100, quarantine=quarantine)
    message = str(error.value)
    for reason in ("empty (3", "not an image (2", "no sense (2"):
        assert reason in message
    assert "truncated" not in message.split("Commonest")[1].split("Mend")[0]
    quarantine = data.Quarantine(budget=0.4)
    assert len(seen(source, 10, quarantine=quarantine)) == 10


class Opened(Encoded):
    """One that has left some records out."""

    rejected = (("r7", "duplicate key"), ("gone.jpg", "missing"))


@pytest.mark.parametrize("builder", ["value", "mixture"])
def test_what_was_left_out_at_the_opening_is_listed(tmp_path, builder):
    source = Opened([flat(10 * i) for i in range(8)])
    names = ["r7", "gone.jpg"]
    if builder == "mixture":
        source = data.mix({source: 1}, names=["photos"])
        names = [f"photos/{name}" for name in names]
    with pytest.raises(data.BudgetError, match="2 of 10.*left out.*key.*miss"):
        seen(source, 1)
    quarantine = data.Quarantine(tmp_path, budget=0.2)
    for _ in range(2):
        assert len(seen(source, 1, quarantine=quarantine)) == 1
    assert [r["id"] for r in quarantine.records] == names
    lines = (tmp_path / "quarantine.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == names


def test_images_without_a_caption_are_no_fault():
    source = Opened([flat(10 * i) for i in range(4)])
    source.rejected = [(f"{i}.jpg", "no caption") for i in range(20)]
    quarantine = data.Quarantine()
    assert len(seen(source, 4, quarantine=quarantine)) == 4
    assert quarantine.counts == {"no caption": 20}
    source.rejected.append(("gone.jpg", "missing"))
    with pytest.raises(data.BudgetError, match="1 of 5.*missing"):
        seen(source, 1)


def test_both_shares_count_towards_the_budget():
    images = [flat(10 * i) for i in range(8)]
    # Of its own kind: the record itself is bad too, under the same id.
    images[7] = b""
    source = Opened(images)
    quarantine = data.Quarantine(budget=0.31)
    seen(source, 3, quarantine=quarantine)
    assert [(r["id"], r["reason"]) for r in quarantine.records] == [
        ("r7", "duplicate key"),
        ("gone.jpg", "missing"),
        ("r7", "empty"),
    ]
    with pytest.raises(tf.errors.OpError, match="2 of 10.*and 1 of .* read"):
        seen(source, 3, quarantine=data.Quarantine(budget=0.21))


def test_a_part_of_a_source_answers_for_its_own_alone():
    source = Opened([flat(10 * i) for i in range(8)])
    assert source.subset(slice(4)).rejected == []
    assert source.subset(slice(None)).rejected == list(source.rejected)
    rest, part = data.split_by(source, "id", 0.3)
    assert rest.rejected == list(source.rejected) and part.rejected == []


BLOCKS = data.masks.BlockMasks((8, 8), min_patches=5)


def builders(source, tokenizer):
    """Builders of batches with every part that there is."""
    common = {"image_size": 32, "batch_size": 4}
    views = {"views_batch_size": 2, "augmentation": unchanged}
    return {
        "bootstrap": lambda **k: data.bootstrap_batches(
            source,
            source,
            tokenizer,
            image_size=32,
            reward_batch_size=4,
            value_batch_size=4,
            **k,
        ),
        "dino": lambda **k: data.dino_batches(
            source,
            **common,
            local_size=8,
            num_locals=1,
            global_augmentations=[unchanged, unchanged],
            local_augmentation=unchanged,
            **k,
        ),
        "slip": lambda **k: data.slip_batches(
            source, tokenizer, **common, **views, **k
        ),
        "mae": lambda **k: data.mae_batches(
            source, patch_size=8, **common, **k
        ),
        "ijepa": lambda **k: data.ijepa_batches(
            source, patch_size=4, **common, masks=BLOCKS, **k
        ),
    }


def unchanged(image, seed):
    return image


@pytest.mark.parametrize("name", list(builders(None, None)))
def test_every_builder_names_bad_records_and_shares_its_batches(name):
    images = [flat(10 * i) for i in range(8)]
    images[2], images[5] = b"", b"<html>"
    source = Encoded(images, texts=[["a"]] * 8)
    tokenizer = data.WordTokenizer.from_texts(["a"])
    build = builders(source, tokenizer)[name]
    quarantine = data.Quarantine(budget=1.0)
    whole = take(build(quarantine=quarantine), 4)
    named = {(r["id"], r["reason"]) for r in quarantine.records}
    assert named == {("r2", "empty"), ("r5", "not an image")}
    halves = [
        take(build(quarantine=quarantine, num_hosts=2, host=host), 4)
        for host in (0, 1)
    ]
    for batch, *parts in zip(whole, *halves):
        joined = {
            part: {
                key: np.concatenate([p[part][key] for p in parts])
                for key in leaves
            }
            for part, leaves in batch.items()
        }
        assert digest([batch]) == digest([joined])


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
