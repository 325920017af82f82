"""Figures of a run, which they do not disturb."""

import csv
import random

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab import callbacks
from keras_ab.callbacks import figures
from keras_ab.callbacks import sample
from tests.callbacks import rewards
from tests.callbacks import training
from tests.models import factory


def array(x):
    return np.array(ops.convert_to_numpy(x), "float64")


def fit(model, batches, *given, **kwargs):
    return model.fit(
        factory.Batches(batches),
        shuffle=False,
        verbose=0,
        callbacks=list(given),
        **kwargs,
    )


# The figures.


def test_spread():
    rng = np.random.default_rng(0)
    alike = np.repeat(rng.normal(size=(1, 8)), 5, axis=0)
    # Lengths do not count.
    alike *= np.arange(1, 6)[:, None]
    np.testing.assert_allclose(figures.feature_spread(alike), 0, atol=1e-7)
    # Unit vectors and their opposites: mean 0, variance 1/D in each of D.
    corners = np.concatenate([np.eye(8), -np.eye(8)])
    np.testing.assert_allclose(figures.feature_spread(3 * corners), 1.0)
    wide = rng.normal(size=(500, 64))
    assert 0.98 < figures.feature_spread(wide) < 1.02
    assert figures.feature_spread(wide + 10) < 0.2


@pytest.mark.parametrize("rank", [1, 2, 5])
def test_rank(rank):
    # Equal variance in each of some directions, at an offset.
    directions = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0]
    corners = np.concatenate([directions[:rank], -directions[:rank]])
    found = figures.effective_rank(corners + 7.0)
    np.testing.assert_allclose(found, rank, rtol=1e-5)


def test_rank_of_nothing():
    alike = np.full((4, 8), 0.3, "float32")
    assert figures.effective_rank(alike) == 0.0
    assert figures.effective_rank(np.zeros((4, 8))) == 0.0


def test_entropy():
    np.testing.assert_allclose(
        figures.entropy([[0.25] * 4, [1, 0, 0, 0]]), [np.log(4), 0], atol=1e-9
    )


# The sample.


def test_parts_are_cut_by_their_views():
    batch = factory.batch(images=9, values=6, views=4)
    batch["crops"] = {
        "global": np.zeros((9, 2, 16, 16, 3)),
        "local": np.zeros((9, 8, 8, 8, 3)),
    }
    cut = sample.cut(batch, 8)
    sizes = keras.tree.map_structure(len, cut)
    assert sizes == {
        "reward": {"image": 8, "text": 8},
        "value": {"image": 2, "boxes": 2},
        "crops": {"global": 4, "local": 4},
    }
    np.testing.assert_array_equal(
        cut["value"]["boxes"], batch["value"]["boxes"][:2]
    )
    assert not np.shares_memory(cut["reward"]["text"], batch["reward"]["text"])


def test_images_are_those_that_the_encoder_takes():
    crops = {"a": np.zeros((2, 5, 8, 8, 3)), "b": np.ones((2, 2, 16, 16, 3))}
    found = sample.images_of({"crops": crops}, (16, 16, 3))
    np.testing.assert_array_equal(found, np.ones((2, 16, 16, 3)))
    assert (
        sample.images_of({"x": {"text": np.zeros((2, 3))}}, (4, 4, 3)) is None
    )


# The callback.


def test_against_numpy():
    batch = factory.batch(images=6, values=3, views=2)
    model = factory.abclip(value_bias=-2.0, value_scale=1.0)
    factory.compile(model, keras.optimizers.Adam(1e-2))
    monitor = callbacks.Monitor(every_steps=3, views=8)
    history = fit(model, [batch] * 3, monitor).history
    found = {k: v[0] for k, v in history.items()}
    images = batch["reward"]["image"]
    ids = batch["reward"]["text"]

    x = array(model.pool(images, "online"))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    spread = np.sqrt(((unit - unit.mean(0)) ** 2).mean(0)).mean()
    spread *= np.sqrt(x.shape[1])
    s = np.linalg.svd(x - x.mean(0), compute_uv=False)
    s = s[s > 0] / s.sum()
    p = array(model.reward(images, ids, "target"))
    entropy = -(p * np.log(p)).sum(1).mean()
    whole = -(p.mean(0) * np.log(p.mean(0))).sum()

    # y, from what users can ask of a model.
    views = batch["value"]["image"]
    boxes = batch["value"]["boxes"]
    flat = views.reshape(-1, *views.shape[2:])
    r = array(model.reward(flat, ids, "target")).reshape(3, 2, 6)
    low, size = boxes[..., :2], boxes[..., 2:] - boxes[..., :2]
    corners = boxes.reshape(3, 1, 2, 2, 2) - low[:, :, None, None]
    actions = (corners / size[:, :, None, None]).reshape(6, 2, 4)
    q = array(model.value(flat, actions, ids, "target")).reshape(3, 2, 2, 6)
    y = 0.5 * r + 0.5 * q.max(axis=2)

    difference = sum(
        np.sum((array(a) - array(b)) ** 2)
        for a, b in zip(model.online.weights, model.target.weights)
    )
    norm = sum(np.sum(array(a) ** 2) for a in model.online.weights)
    expected = {
        "feature_spread": spread,
        "feature_rank": np.exp(-(s * np.log(s)).sum()),
        "reward_entropy": entropy,
        "reward_information": whole - entropy,
        "value_targets_above_chance": (y > 1 / 6).mean(),
        "target_distance": np.sqrt(difference / norm),
        "reward_loss_to_chance": found["reward_loss"] / np.log(6),
    }
    assert set(monitor.figures) == set(expected)
    assert found.items() >= monitor.figures.items()
    assert expected["target_distance"] > 0
    assert 0 < (y > 1 / 6).mean() < 1
    for name, value in expected.items():
        np.testing.assert_allclose(
            found[name], value, rtol=1e-3, atol=1e-6, err_msg=name
        )
    targets = model.target.objective("value").bellman_targets(
        batch, model.target
    )
    np.testing.assert_allclose(array(targets), y, rtol=1e-4, atol=1e-6)


def test_a_run_is_not_disturbed():
    """Drop path draws, schedules and the process' random states go on."""
    states, draws, logs = [], [], []
    for every in (None, 1):
        model = training.build(accumulate=2)
        given = []
        if every:
            monitor = callbacks.Monitor(every, views=4, alarm=None)
            given.append(monitor)
        batches = [factory.batch(seed=seed) for seed in range(2)]
        history = fit(model, batches, *given, epochs=2).history
        states.append(training.state(model))
        draws.append(
            (
                random.random(),
                np.random.rand(),
                array(keras.random.normal((2,))).tolist(),
            )
        )
        logs.append(history)
    assert len(monitor.figures) == 7
    training_logs = {k: v for k, v in logs[1].items() if k in logs[0]}
    assert training_logs == logs[0]
    assert draws[0] == draws[1]
    for (path, value), (_, other) in zip(*states):
        np.testing.assert_array_equal(other, value, err_msg=path)
    assert len(states[0]) == len(states[1])


def test_it_reads_the_weights_of_its_step(tmp_path):
    """Within an epoch too, where JAX's variables are stale."""
    file = tmp_path / "log.csv"
    batches = [factory.batch(seed=seed) for seed in range(4)]
    seen = []

    class Logs(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(dict(logs))

    model = factory.abclip(target_rate=0.1)
    factory.compile(model, keras.optimizers.Adam(1e-2))
    monitor = callbacks.Monitor(2, batch=batches[0], alarm=None)
    fit(model, batches, monitor, Logs(), keras.callbacks.CSVLogger(file))
    assert ["feature_rank" in logs for logs in seen] == [
        False,
        True,
        False,
        True,
    ]
    (line,) = csv.DictReader(file.read_text().splitlines())
    assert float(line["feature_rank"]) == seen[3]["feature_rank"]

    keras.utils.set_random_seed(0)
    again = factory.abclip(target_rate=0.1)
    factory.compile(again, keras.optimizers.Adam(1e-2))
    fit(again, batches[:2], late := callbacks.Monitor(2, batch=batches[0]))
    for name, value in late.figures.items():
        np.testing.assert_allclose(
            seen[1][name], value, rtol=1e-4, atol=1e-6, err_msg=name
        )
    assert seen[1]["feature_spread"] != seen[3]["feature_spread"]


def test_what_others_hold_stays():
    # Keras' own predict_on_batch gives up the weights' buffers on JAX.
    model = factory.abclip()
    factory.compile(model)
    monitor = callbacks.Monitor(every_steps=50)
    fit(model, [factory.batch()], monitor)
    held = [v.value for v in model.variables]
    before = [array(value) for value in held]
    first, second = monitor.measure(), monitor.measure()
    assert first == second
    for value, was in zip(held, before):
        np.testing.assert_array_equal(array(value), was)


def test_steps_count_from_the_beginning_of_a_run():
    model = factory.clip()
    factory.compile(
        model, keras.optimizers.SGD(0.1, gradient_accumulation_steps=2)
    )
    fit(model, [factory.batch()] * 4)
    monitor = callbacks.Monitor(3)
    steps = []
    monitor.measure = lambda: steps.append(monitor.step) or {}
    monitor.alarm = None
    fit(model, [factory.batch()] * 4, monitor, epochs=2)
    assert steps == [6, 9, 12]


def test_a_part_of_the_annotations_has_a_chance_of_its_own():
    """Half the captions double p(l|x), and leave the value as it is."""
    batch = factory.batch(images=16, values=8)
    shares = []
    for views in (16, 8):
        keras.utils.set_random_seed(0)
        model = factory.abclip(value_bias=None, value_scale=1.0)
        factory.compile(model)
        monitor = callbacks.Monitor(1, views=views)
        fit(model, [batch], monitor)
        shares.append(monitor.figures["value_targets_above_chance"])
    assert 0.1 < shares[0] < 0.9
    assert abs(shares[1] - shares[0]) < 0.25


def test_without_a_target_network_or_a_reward():
    model = factory.clip()
    factory.compile(model)
    images = np.zeros((4, 16, 16, 3), "uint8")
    monitor = callbacks.Monitor(1, images=images, alarm=None)
    fit(model, [factory.batch()], monitor)
    assert "target_distance" not in monitor.figures
    # The images are all the same.
    assert monitor.figures["feature_rank"] == 0.0
    assert monitor.figures["reward_information"] < 1e-6


def test_a_given_batch_is_what_is_read():
    """Whatever the first batch of `fit` is, as when a run goes on."""
    read = []
    for first in (1, 2):
        keras.utils.set_random_seed(0)
        model = factory.abclip()
        factory.compile(model, keras.optimizers.SGD(0.0))
        monitor = callbacks.Monitor(1, batch=factory.batch(), alarm=None)
        for seed in (first, first + 1):
            fit(model, [factory.batch(seed=seed)], monitor)
            read.append(monitor.measure())
    assert all(figures == read[0] for figures in read)


def test_wrong_use():
    with pytest.raises(ValueError, match="`every_steps`.*Received: 0"):
        callbacks.Monitor(0)
    with pytest.raises(ValueError, match="`views`.*Received: 2"):
        callbacks.Monitor(views=2)
    with pytest.raises(ValueError, match="`action`.*'shout'"):
        callbacks.Monitor(alarm="shout")
    with pytest.raises(ValueError, match="`patience`.*0"):
        callbacks.CollapseAlarm(patience=0)
    dense = keras.Sequential([keras.layers.Dense(1)])
    dense.compile("sgd", loss="mse")
    with pytest.raises(ValueError, match="Pretrainer.*Sequential"):
        dense.fit(
            np.zeros((2, 2)),
            np.zeros((2, 1)),
            verbose=0,
            callbacks=[callbacks.Monitor()],
        )


# The alarm.


class Reading:
    """What an alarm looks at, as given."""

    def __init__(self, **changes):
        self.model = keras.Model()
        self.model.stop_training = False
        self.step = 100
        self.images = 32
        self.annotations = {"reward": 64}
        self.figures = {
            "feature_spread": 0.7,
            "feature_rank": 9.0,
            "reward_entropy": 3.9,
            "reward_information": 0.2,
            "value_targets_above_chance": 0.3,
            **changes,
        }


def judge(alarm, reading, losses=None):
    """Terms that are newly reported."""
    before = set(alarm.raised)
    alarm.judge(reading, {"reward": 0.9} if losses is None else losses)
    return set(alarm.raised) - before


CHANCE = np.log(64)


@pytest.mark.parametrize(
    "changes, loss, term, words",
    [
        ({"feature_spread": 0.005}, 0.9, "features", "spread 0.0050"),
        ({"feature_rank": 1.05}, 0.9, "features", "rank 1.05"),
        (
            {"reward_information": 1e-5},
            1.001,
            "reward loss",
            "1.0010 of chance.*temperature",
        ),
        (
            {"reward_information": 1e-5, "reward_entropy": CHANCE - 1e-3},
            0.9,
            "reward targets",
            "entropy 4.158, ln 64 is 4.159.*temperature",
        ),
        (
            {"reward_information": 1e-5, "reward_entropy": 1e-3},
            0.9,
            "reward targets",
            "entropy 0.001.*on one annotation.*Centring",
        ),
        (
            {"value_targets_above_chance": 0.0},
            0.9,
            "value targets",
            "none above 1/L.*-ln L",
        ),
    ],
)
def test_each_term(changes, loss, term, words):
    alarm = callbacks.CollapseAlarm()
    reading = Reading(**changes)
    assert not judge(alarm, reading, {"reward": loss})
    with pytest.warns(callbacks.CollapseWarning, match=f"{term}.*(?s:{words})"):
        assert judge(alarm, reading, {"reward": loss}) == {term}
    assert not reading.model.stop_training
    # Once.
    assert not judge(alarm, reading, {"reward": loss})


@pytest.mark.parametrize(
    "changes, loss",
    [
        ({}, 0.5),
        # In warm-up the loss passes chance while images differ.
        ({"reward_information": 0.008, "reward_entropy": CHANCE - 0.01}, 1.0),
        # Sure, of something else for each image.
        ({"reward_information": 3.0, "reward_entropy": 0.01}, 0.1),
    ],
)
def test_healthy_readings(changes, loss):
    alarm = callbacks.CollapseAlarm(patience=1)
    assert not judge(alarm, Reading(**changes), {"reward": loss})


def test_patience():
    alarm = callbacks.CollapseAlarm("stop", patience=2, start_step=100)
    bad, good = Reading(feature_rank=1.0), Reading()
    early = Reading(feature_rank=1.0)
    early.step = 99
    for reading in (early, early, early, bad, good, bad):
        assert not judge(alarm, reading)
        assert not reading.model.stop_training
    with pytest.warns(callbacks.CollapseWarning):
        assert judge(alarm, bad) == {"features"}
    assert bad.model.stop_training


def run(reward, steps=40, action="warn", **kwargs):
    model = rewards.build(reward, **kwargs)
    alarm = callbacks.CollapseAlarm(action, start_step=20)
    monitor = callbacks.Monitor(10, alarm=alarm)
    history = model.fit(
        rewards.Batches(steps), verbose=0, shuffle=False, callbacks=[monitor]
    )
    return alarm, monitor, history


@pytest.mark.filterwarnings("ignore::keras_ab.callbacks.CollapseWarning")
def test_a_contrast_without_contrast():
    alarm, monitor, _ = run(rewards.Twins(100.0), action="stop")
    assert set(alarm.raised) == {"reward loss", "reward targets"}
    assert "lower temperature" in alarm.raised["reward loss"]
    # Readings of steps 20 and 30.
    assert monitor.step == 30
    assert monitor.model.stop_training


@pytest.mark.filterwarnings("error::keras_ab.callbacks.CollapseWarning")
@pytest.mark.parametrize("make", [rewards.Twins, rewards.Clusters])
def test_healthy_runs(make):
    alarm, monitor, history = run(make(), target_rate=0.05)
    assert not alarm.raised and monitor.step == 40
    assert history.history["reward_loss_to_chance"][0] < 0.9


@pytest.mark.filterwarnings("ignore::keras_ab.callbacks.CollapseWarning")
def test_clusters_that_become_one():
    reward = rewards.Clusters(centred=False)
    alarm, monitor, _ = run(reward, pull=True, target_rate=0.05)
    assert set(alarm.raised) == {"reward targets"}
    assert "on one annotation" in alarm.raised["reward targets"]
    assert monitor.figures["reward_entropy"] < 0.1
