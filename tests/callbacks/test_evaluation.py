"""Probes during a run, which goes on as if there were none."""

import csv
import random

import keras
import numpy as np
import pytest

from keras_ab import callbacks
from keras_ab import data
from keras_ab import probes
from tests.callbacks import training
from tests.models import factory

TRAIN = data.Scenes(size=24, image_size=16).cache()
TEST = data.Scenes(size=12, image_size=16, split="test").cache()


def evaluation(every_steps=3, **kwargs):
    return callbacks.Evaluation(
        TRAIN, TEST, every_steps=every_steps, batch_size=8, **kwargs
    )


class Chance(keras.callbacks.Callback):
    """Draws of the process's own generators, one a step."""

    def __init__(self):
        super().__init__()
        self.drawn = []

    def on_train_batch_end(self, batch, logs=None):
        self.drawn.append((random.random(), np.random.rand()))


class Counted(factory.Batches):
    """Batches that say in which order they were taken."""

    def __init__(self, *args):
        super().__init__(*args)
        self.taken = []

    def __getitem__(self, index):
        self.taken.append(index)
        return super().__getitem__(index)


def run(*given, epochs=2):
    model = training.build(accumulate=2)
    chance = Chance()
    batches = Counted([factory.batch(seed=seed) for seed in range(5)])
    history = model.fit(
        batches,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[*given, chance],
    )
    # Keras' own generator too.
    noise = keras.ops.convert_to_numpy(keras.random.normal((2,)))
    chance.drawn.append(tuple(noise.tolist()))
    return model, history.history, chance.drawn, batches.taken


LINEAR = probes.LinearProbe(rates=(0.03,), strengths=(1.0,), min_steps=10)


@pytest.mark.parametrize(
    "name, probe",
    [
        ("knn", "knn"),
        pytest.param("linear", LINEAR, marks=pytest.mark.slow),
    ],
)
def test_a_run_is_not_disturbed(name, probe):
    plain, log, drawn, taken = run()
    watch = evaluation(probe=probe)
    watched, watched_log, watched_drawn, watched_taken = run(watch)
    training.check_equal(watched, training.state(plain))
    assert watched_drawn == drawn and watched_taken == taken
    assert set(watched_log) - set(log) == {f"{name}_accuracy"}
    for key, values in log.items():
        assert watched_log[key] == values
    assert list(watch.history) == [3, 6, 9]


def test_figures_are_those_of_the_weights_of_their_step():
    class Keep(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if keras.backend.backend() == "jax":
                self.model.jax_state_sync()
            if watch.step == 4:
                # Copies: PyTorch's arrays follow the weights.
                self.kept = [np.array(w) for w in self.model.get_weights()]

    watch, keep = evaluation(every_steps=4, network="online"), Keep()
    model, *_ = run(watch, keep, epochs=1)
    model.set_weights(keep.kept)
    encoder = probes.FrozenEncoder(model, network="online")
    (expected,) = probes.Measurement("classification", "knn", TRAIN, TEST).run(
        encoder, 8
    )
    (found,) = watch.history[4]
    np.testing.assert_array_equal(found.per_example, expected.per_example)
    assert watch.figures == {"knn_accuracy": expected.value}
    # By hand: features, labels, nearest neighbours.
    features = [
        probes.source_features(encoder, source).values
        for source in (TRAIN, TEST)
    ]
    labels, truth = (source.column("label") for source in (TRAIN, TEST))
    said = probes.knn_predict(features[0], labels, features[1])
    np.testing.assert_array_equal(said == truth, expected.per_example)


def test_logs_reach_other_callbacks(tmp_path):
    watch = evaluation(every_steps=2, task="count")
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    run(watch, log)
    with open(tmp_path / "log.csv") as stream:
        rows = list(csv.DictReader(stream))
    last = watch.history[10][0].value
    assert float(rows[-1]["knn_accuracy"]) == pytest.approx(last)
    assert len(rows) == 2


def test_a_run_that_goes_on_is_evaluated_at_the_same_steps():
    model, *_ = run(evaluation(), epochs=1)
    watch = evaluation()
    # Five batches are two updates of two, and one that waits.
    model.fit(factory.batches(3), verbose=0, callbacks=[watch])
    assert list(watch.history) == [6]
    assert watch.step == 7


def test_wrong_use():
    with pytest.raises(ValueError, match="at least 1.*0"):
        evaluation(every_steps=0)
    with pytest.raises(ValueError, match="one label.*'detection'"):
        evaluation(task="detection")
    with pytest.raises(ValueError, match="one label.*'decoder'"):
        evaluation(probe="decoder")
    with pytest.raises(ValueError, match="`test`"):
        callbacks.Evaluation(TRAIN)
    with pytest.raises(ValueError, match="'tree'"):
        evaluation(probe="tree")
    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    plain.compile(loss="mse")
    with pytest.raises(ValueError, match="Pretrainer.*Sequential"):
        plain.fit(
            np.zeros((2, 2)), np.zeros(2), verbose=0, callbacks=[evaluation()]
        )
