"""Looks at a model in training, which they do not disturb."""

import csv
import functools

import keras
import numpy as np
import pytest

from keras_ab import analysis
from tests.callbacks import training
from tests.models import factory


def measure(model):
    image = factory.batch()["reward"]["image"][0]
    return analysis.predictions(model, image, ["w1", "w2 w3"])


def norm(model):
    total = sum(np.sum(np.square(w)) for w in model.encoder.get_weights())
    return {"norm": total}


def fit(model, batches, *given, **kwargs):
    return model.fit(
        factory.Batches(batches),
        shuffle=False,
        verbose=0,
        callbacks=list(given),
        **kwargs,
    )


def test_a_run_is_not_disturbed():
    states, logs = [], []
    for watched in (False, True):
        model = training.build(accumulate=2)
        given = []
        if watched:
            alignment = analysis.GradientAlignment(factory.batch(seed=9))
            curriculum = analysis.Curriculum(factory.batch(seed=9))
            given = [
                analysis.Collector(
                    {"p": measure, "a": alignment, "c": curriculum}, 2
                )
            ]
        batches = [factory.batch(seed=seed) for seed in range(2)]
        logs.append(fit(model, batches, *given, epochs=2).history)
        states.append(training.state(model))
    collected = given[0].collected
    assert collected.steps.tolist() == [0, 2, 4]
    assert collected["c/norms"].shape == (3, 3)
    assert logs[1]["a_cosine"] == collected["a/cosine"][1:].tolist()
    assert {k: v for k, v in logs[1].items() if k in logs[0]} == logs[0]
    for (path, value), (_, other) in zip(*states):
        np.testing.assert_array_equal(other, value, err_msg=path)


def test_what_is_collected_is_the_model_of_the_step(tmp_path):
    batches = [factory.batch(seed=seed) for seed in range(4)]
    model = factory.abclip()
    factory.compile(model, keras.optimizers.Adam(1e-2))
    before = {**measure(model), **norm(model)}
    collector = analysis.Collector({"p": measure, "w": norm}, every_steps=3)
    table = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    fit(model, batches, collector, table)
    collected = collector.collected
    assert collected.steps.tolist() == [0, 3]
    (line,) = csv.DictReader((tmp_path / "log.csv").read_text().splitlines())
    assert float(line["w_norm"]) == collected["w/norm"][1]

    keras.utils.set_random_seed(0)
    again = factory.abclip()
    factory.compile(again, keras.optimizers.Adam(1e-2))
    fit(again, batches[:3])
    after = {**measure(again), **norm(again)}
    for name in ("p/reward", "p/value", "w/norm"):
        for place, wanted in enumerate((before, after)):
            np.testing.assert_allclose(
                collected[name][place], wanted[name.split("/")[1]], rtol=1e-4
            )
    assert collected["w/norm"][0] != collected["w/norm"][1]


def test_a_run_that_goes_on_adds_to_its_file(tmp_path):
    path = tmp_path / "run/collected.npz"
    model = factory.clip()
    factory.compile(model)
    first = analysis.Collector({"w": norm}, 1, path)
    fit(model, [factory.batch()] * 2, first)
    # A look beyond the checkpoint that the run goes on from.
    first.collected.with_row(3, {"w/norm": 7.0}).save(path)
    second = analysis.Collector({"w": norm}, 1, path)
    fit(model, [factory.batch()] * 2, second)
    kept = analysis.Collected.load(path)
    assert kept.steps.tolist() == [0, 1, 2, 3, 4]
    assert 7.0 not in kept["w/norm"]
    np.testing.assert_array_equal(
        kept.until(2)["w/norm"], first.collected["w/norm"]
    )
    assert [p.name for p in path.parent.iterdir()] == ["collected.npz"]


def test_a_new_run_begins_anew(tmp_path):
    path = tmp_path / "collected.npz"
    old = analysis.Collected.nothing().with_row(0, {"of/another": 7.0})
    old.with_row(1, {"of/another": 8.0}).save(path)
    collector = analysis.Collector({"w": norm}, 1, path)
    for seed in range(2):
        keras.utils.set_random_seed(seed)
        model = factory.clip()
        factory.compile(model)
        wanted = norm(model)["norm"]
        fit(model, [factory.batch()], collector)
        kept = analysis.Collected.load(path)
        assert kept.steps.tolist() == [0, 1]
        assert kept["w/norm"][0] == wanted


def test_numbers_of_short_vectors_are_logged():
    def some(model):
        return {"short": np.arange(3), "long": np.arange(17), "one": 2.0}

    model = factory.clip()
    factory.compile(model)
    collector = analysis.Collector({"w": some}, 1)
    logs = fit(model, [factory.batch()], collector).history
    of_ours = {k: v for k, v in logs.items() if k.startswith("w_")}
    assert of_ours == {
        "w_short_0": [0.0],
        "w_short_1": [1.0],
        "w_short_2": [2.0],
        "w_one": [2.0],
    }


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="what reads TensorBoard's files is TensorFlow's",
)
def test_tensorboard_gets_them(tmp_path):
    from tensorflow import make_ndarray
    from tensorflow.compat.v1.train import summary_iterator

    model = factory.clip()
    factory.compile(model)
    collector = analysis.Collector({"w": norm}, 1)
    board = keras.callbacks.TensorBoard(str(tmp_path), update_freq=1)
    fit(model, [factory.batch()] * 2, collector, board)
    found = {}
    for file in tmp_path.rglob("events.*"):
        for event in summary_iterator(str(file)):
            for value in event.summary.value:
                if "w_norm" in value.tag:
                    number = make_ndarray(value.tensor)
                    found.setdefault(value.tag, []).append(float(number))
    wanted = collector.collected["w/norm"][1:]
    assert "batch_w_norm" in found and "epoch_w_norm" in found
    np.testing.assert_allclose(found["batch_w_norm"], wanted, rtol=1e-6)


def test_wrong_use(tmp_path):
    with pytest.raises(ValueError, match="`every_steps`.*Received: 0"):
        analysis.Collector({"w": norm}, 0)
    with pytest.raises(ValueError, match="without '/'.*a/b"):
        analysis.Collector({"a/b": norm})
    with pytest.raises(ValueError, match=r"Received: \{\}"):
        analysis.Collector({})
    collected = analysis.Collected.nothing().with_row(0, {"a/b": 1.0})
    with pytest.raises(KeyError, match="There are: .'a/b'"):
        collected["b"]
    with pytest.raises(KeyError, match="There are: .'a'"):
        collected.measure("b")
    with pytest.raises(ValueError, match="the same names at every step"):
        collected.with_row(1, {"a/c": 1.0})
    np.testing.assert_array_equal(collected.measure("a")["b"], [1.0])
    np.savez(tmp_path / "other.npz", features=np.zeros(3))
    with pytest.raises(ValueError, match=r"other.npz must hold.*features"):
        analysis.Collected.load(tmp_path / "other.npz")
    dense = keras.Sequential([keras.layers.Dense(1)])
    dense.compile("sgd", loss="mse")
    with pytest.raises(ValueError, match="Pretrainer.*Sequential"):
        dense.fit(
            np.zeros((2, 2)),
            np.zeros((2, 1)),
            verbose=0,
            callbacks=[analysis.Collector({"w": norm})],
        )


def test_predictions_are_the_models():
    model = factory.abclip()
    image = factory.batch()["reward"]["image"][0]
    found = analysis.predictions(model, image, ["w1", "w2"], network="online")
    wanted = model.reward(image[None], ["w1", "w2"], "online")
    np.testing.assert_allclose(
        found["reward"], keras.ops.convert_to_numpy(wanted)[0], atol=1e-6
    )
    out = np.array([[[-0.5, -0.5, 1.5, 1.5]]])
    wanted = model.value(image[None], out, ["w1", "w2"], "online")
    np.testing.assert_allclose(
        found["value"], keras.ops.convert_to_numpy(wanted)[0, 0], atol=1e-6
    )
    clip = functools.partial(analysis.predictions, factory.clip(), image)
    assert set(clip(["w1"])) == {"reward"}
