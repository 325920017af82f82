"""The order of records: any step, any number of hosts."""

import numpy as np
import pytest

from keras_ab import data
from tests.data.test_batches import digest
from tests.data.test_batches import numbered
from tests.data.test_batches import take


def value_stream(source, **options):
    options = {"image_size": 4, "batch_size": 4, "num_views": 2, **options}
    return data.value_batches(source, **options)


def indices(batch):
    return batch["value"]["image"][:, 0, 0, 0, 0]


@pytest.mark.parametrize("lane", ["reward", "value"])
def test_indices_are_those_of_the_batches(lane):
    source = numbered(20)
    options = {"image_size": 4, "batch_size": 8, "seed": 5, "start_step": 3}
    if lane == "value":
        stream = data.value_batches(source, **options)
    else:
        tokenizer = data.WordTokenizer.from_texts(["number"])
        stream = data.reward_batches(source, tokenizer, **options)
    for step, batch in zip((3, 4), take(stream, 2)):
        image = batch[lane]["image"].reshape(8, -1)[:, 0]
        expected = data.sample_indices(source, 5, step, 8, lane)
        np.testing.assert_array_equal(image, expected)
        np.testing.assert_array_equal(
            expected, data.sample_indices(20, 5, step, 8, lane)
        )


@pytest.mark.parametrize("lane", ["reward", "value", "masked"])
def test_epochs_do_not_come_back(lane):
    orders = {
        tuple(data.sample_indices(16, 0, epoch, 16, lane))
        for epoch in (0, 1, 255, 256, 257, 512, 1024)
    }
    assert len(orders) == 7


@pytest.mark.parametrize("num_hosts", [1, 2, 4])
def test_hosts_together_read_an_epoch_once(num_hosts):
    parts = [
        [
            data.sample_indices(48, 1, step, 8, "value", num_hosts, host)
            for step in range(12)
        ]
        for host in range(num_hosts)
    ]
    for epoch in (slice(0, 6), slice(6, 12)):
        union = np.concatenate([np.concatenate(p[epoch]) for p in parts])
        assert sorted(union) == list(range(48))
    whole = np.concatenate(parts, axis=1)
    expected = [data.sample_indices(48, 1, s, 8, "value") for s in range(12)]
    np.testing.assert_array_equal(whole, expected)


def test_the_global_batch_does_not_depend_on_the_hosts():
    source = data.Scenes(size=12, image_size=32).cache()
    whole = take(value_stream(source, start_step=2), 3)
    parts = [
        take(value_stream(source, start_step=2, num_hosts=2, host=h), 3)
        for h in (0, 1)
    ]
    for batch, first, second in zip(whole, *parts):
        assert first["value"]["image"].shape[0] == 2
        for key, value in batch["value"].items():
            both = np.concatenate([first["value"][key], second["value"][key]])
            np.testing.assert_array_equal(value, both)


def test_any_step_of_an_encoded_source(tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    for i in range(9):
        pixels = rng.integers(0, 256, (30, 40, 3), "uint8")
        Image.fromarray(pixels).save(tmp_path / f"{i}.jpg")
    source = data.from_folder(tmp_path)
    stream = take(value_stream(source), 5)
    later = take(value_stream(source, start_step=3), 2)
    assert digest(stream[3:]) == digest(later)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_attempts_meet_every_record(size):
    source = numbered(size)
    for number in (0, 3, 10):
        first = int(source.order(np.int64(number), np.int64(2)))
        others = [
            int(source.order(np.int64(number), np.int64(2), np.int64(k)))
            for k in range(size + 1)
        ]
        assert others[0] == first
        assert set(others) == set(range(size))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"start_step": -1}, "`start_step`.*Received: -1"),
        ({"start_step": 1.5}, "`start_step`.*Received: 1.5"),
        ({"seed": "a"}, "`seed`.*Received: 'a'"),
        ({"batch_size": 2.5}, "`batch_size`.*Received: 2.5"),
    ],
)
def test_wrong_places(change, message):
    with pytest.raises(ValueError, match=message):
        value_stream(numbered(8), **change)


def test_wrong_hosts():
    source = numbered(8)
    with pytest.raises(ValueError, match="`batch_size`.*num_hosts=3.*4"):
        value_stream(source, num_hosts=3)
    with pytest.raises(ValueError, match=r"`host`.*host=2, num_hosts=2"):
        value_stream(source, num_hosts=2, host=2)
    with pytest.raises(ValueError, match="`reward_batch_size`.*num_hosts=2"):
        data.bootstrap_batches(
            source,
            source,
            str,
            reward_batch_size=3,
            value_batch_size=2,
            num_hosts=2,
        )
    with pytest.raises(ValueError, match="`lane`.*'reward', 'value'.*'both'"):
        data.sample_indices(8, 0, 0, 4, "both")
