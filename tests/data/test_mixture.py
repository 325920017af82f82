"""Mixtures: shares, epochs, records."""

import numpy as np
import pytest

from keras_ab import data
from keras_ab.data.mixture import take_turns
from keras_ab.data.mixture import whole_numbers
from tests.data.test_batches import digest
from tests.data.test_batches import take
from tests.data.test_quarantine import Encoded
from tests.data.test_quarantine import flat


def coloured(start, count, text=True):
    records = [
        {"image": np.full((8, 8, 3), start + i, "uint8"), "id": f"n{i}"}
        for i in range(count)
    ]
    if text:
        records = [{**r, "text": [f"{r['id']}"]} for r in records]
    return data.MemorySource(records)


def order(source, steps, batch=8, seed=0, start=0):
    parts = [
        data.sample_indices(source, seed, step, batch)
        for step in range(start, start + steps)
    ]
    return np.concatenate(parts)


@pytest.mark.parametrize(
    "counts", [[1], [1, 3], [3, 7], [1, 1, 1], [2, 3, 5], [1, 6, 14, 79]]
)
def test_no_one_gets_ahead_by_one(counts):
    turns = take_turns(np.array(counts))
    np.testing.assert_array_equal(np.bincount(turns), counts)
    total = sum(counts)
    taken = np.cumsum(turns[:, None] == np.arange(len(counts)), axis=0)
    due = np.outer(np.arange(1, total + 1), counts) / total
    assert abs(taken - due).max() < 1


@pytest.mark.parametrize(
    "weights, expected",
    [
        ([1, 3], [1, 3]),
        ([0.25, 0.75], [1, 3]),
        ([0.1, 0.2, 0.7], [1, 2, 7]),
        ([1 / 3, 2 / 3], [1, 2]),
        ([2, 4, 6], [1, 2, 3]),
        ([5], [1]),
    ],
)
def test_weights_become_whole_numbers(weights, expected):
    np.testing.assert_array_equal(whole_numbers(weights), expected)


def test_odd_weights_are_met_nearly():
    weights = [np.pi, np.e, 1.0]
    counts = whole_numbers(weights)
    np.testing.assert_allclose(
        counts / counts.sum(), np.array(weights) / sum(weights), atol=1e-4
    )


def test_every_window_has_its_shares():
    few, many = coloured(0, 5), coloured(100, 40)
    mixed = data.mix({few: 1, many: 3})
    assert len(mixed) == 45 and mixed.period == 4
    stream = order(mixed, 25)
    from_few = stream < 5
    windows = np.lib.stride_tricks.sliding_window_view(from_few, 4)
    assert (windows.sum(1) == 1).all()
    # Each goes through epochs of its own: 50 draws of 5, 150 of 40.
    np.testing.assert_array_equal(np.bincount(stream[from_few]), [10] * 5)
    first = stream[~from_few][:40]
    assert sorted(first) == list(range(5, 45))
    assert list(first) != sorted(first)


def test_sources_of_one_size_do_not_go_in_step():
    one, other = coloured(0, 30), coloured(30, 30)
    stream = order(data.mix({one: 1, other: 1}), 6, batch=10)
    first = stream[stream < 30]
    second = stream[stream >= 30] - 30
    assert list(first) != list(second)


def test_any_step_and_any_host():
    mixed = data.mix({coloured(0, 7): 2, coloured(50, 11): 3})
    np.testing.assert_array_equal(
        order(mixed, 6)[24:], order(mixed, 3, start=3)
    )
    options = {"image_size": 4, "batch_size": 8, "num_views": 2}
    whole = take(data.value_batches(mixed, **options), 4)
    later = take(data.value_batches(mixed, start_step=2, **options), 2)
    assert digest(whole[2:]) == digest(later)
    halves = [
        take(data.value_batches(mixed, num_hosts=2, host=h, **options), 4)
        for h in (0, 1)
    ]
    for batch, *parts in zip(whole, *halves):
        np.testing.assert_array_equal(
            batch["value"]["image"],
            np.concatenate([p["value"]["image"] for p in parts]),
        )


def test_records_name_their_source():
    one, other = coloured(0, 3), coloured(50, 2, text=False)
    mixed = data.mix({one: 1, other: 1}, names=["coco", "objects"])
    assert [r["id"] for r in mixed] == [
        *(f"coco/n{i}" for i in range(3)),
        *(f"objects/n{i}" for i in range(2)),
    ]
    assert mixed.fields == {"image", "id"} and "text" not in mixed[0]
    assert mixed[3]["image"][0, 0, 0] == 50
    with pytest.raises(IndexError):
        mixed[5]


def test_a_weight_of_nothing_leaves_a_source_out():
    one, other = coloured(0, 4), coloured(50, 4, text=False)
    mixed = data.mix({one: 1.0, other: 0.0})
    assert len(mixed) == 4 and "text" in mixed.fields
    assert mixed[0]["id"] == "0/n0"


def test_captions_encoded_images_and_mixtures_of_mixtures():
    decoded = coloured(10, 4)
    encoded = Encoded(
        [flat(100 + 10 * i) for i in range(4)],
        texts=[[f"n{i}", f"n{i}"] for i in range(4)],
    )
    inner = data.mix({decoded: 1, encoded: 1})
    mixed = data.mix({inner: 1, coloured(200, 4): 1})
    tokenizer = data.WordTokenizer.from_texts(f"n{i}" for i in range(4))
    (batch,) = take(data.reward_batches(mixed, tokenizer, 4, batch_size=8), 1)
    values = batch["reward"]["image"][:, 0, 0, 0].astype(int)
    assert sorted(values // 100) == [0, 0, 1, 1, 2, 2, 2, 2]
    for value, ids in zip(values, batch["reward"]["text"]):
        step = 10 if value // 100 == 1 else 1
        number = round(value % (100 if value >= 100 else 10) / step)
        assert tokenizer.detokenize(ids) == f"n{number}"


def test_a_bad_record_is_replaced_by_one_of_its_source():
    images = [flat(10 * i) for i in range(4)]
    images[1] = b""
    mixed = data.mix({Encoded(images): 1, coloured(200, 12): 3})
    quarantine = data.Quarantine(budget=1.0)
    options = {"image_size": 4, "batch_size": 8, "num_views": 2}
    stream = data.value_batches(mixed, quarantine=quarantine, **options)
    for batch in take(stream, 4):
        values = batch["value"]["image"][:, 0, 0, 0, 0]
        assert (values < 100).sum() == 2
        assert 10 not in np.round(values, -1)
    assert [r["id"] for r in quarantine.records] == ["0/r1"]


WRONG = {
    "no source": ({"photos/": 1}, "keras_ab.data.Source.*'photos/'"),
    "negative": ({coloured(0, 2): -1}, "not negative.*-1"),
    "nothing": ({coloured(0, 2): 0}, "positive weight.*0"),
    "infinite": ({coloured(0, 2): float("inf")}, "finite.*inf"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_weights(name):
    weights, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        data.mix(weights)


def test_wrong_names():
    sources = {coloured(0, 2): 1, coloured(5, 2): 1}
    with pytest.raises(ValueError, match="2 different strings"):
        data.mix(sources, names=["a", "a"])
