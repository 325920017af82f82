"""An encoder that knows the answers, and one that knows nothing."""

import keras
import numpy as np
import pytest

from keras_ab.probes import DecoderProbe
from keras_ab.probes import FrozenEncoder
from keras_ab.probes import tasks
from tests.probes.decoder import pictures

SMALL = {
    "num_layers": 2,
    "hidden_dim": 32,
    "num_heads": 2,
    "batch_size": 64,
    "learning_rate": 5e-3,
    "dropout": 0.0,
    "label_smoothing": 0.0,
}
LARGER = {**SMALL, "hidden_dim": 64, "num_heads": 4, "learning_rate": 3e-3}


def kinds():
    return [
        tasks.Classification(),
        tasks.Counting(),
        tasks.NearestDepth(edges=(1.0, 1.25, 1.5, 1.75, 2.0)),
        tasks.Action(),
    ]


def ask(record):
    """Questions with the answers that pictures tell."""
    return [
        ("class", "what class is it", f"class {record['label']}"),
        ("count", "how many are there", str(record["count"])),
        ("verb", "what is done", f"verb {record['verb']}"),
    ]


def painted(records):
    """Pictures whose pixels are the answers."""
    codes = np.stack([pictures.told(record) for record in records])
    images = np.zeros((len(records), 16, 16, 3), "uint8")
    images[:, :6, :8] = (255 * codes)[..., None].astype("uint8")
    return images


def read(images):
    """The encoder: rows of pixels as tokens."""
    return np.asarray(images)[:, :6, :8, 0]


# Some 20 seconds: one backend by default, the others in `make test-slow`.
ONE = keras.backend.backend() == "torch"
pytestmark = [] if ONE else [pytest.mark.slow]


def measure(fitted, asked, train, test, train_tokens, test_tokens):
    ready = [task.prepare(train) for task in asked]
    names = [task.name for task in ready]
    probe = DecoderProbe(**{**SMALL, **fitted}).fit(
        ready, dict.fromkeys(names, train_tokens), dict.fromkeys(names, train)
    )
    return {
        (task.name, outcome.name): outcome
        for task in ready
        for outcome in task.evaluate(
            probe.predict(task, test_tokens, test), test
        )
    }


def test_an_oracle_is_always_right():
    train, test = pictures.records(200), pictures.records(60, seed=1)
    encoder = FrozenEncoder(read, image_size=16, name="oracle")
    outcomes = measure(
        {"updates": 200},
        [*kinds(), tasks.VisualQuestions(ask)],
        train,
        test,
        encoder.tokens(painted(train)),
        encoder.tokens(painted(test)),
    )
    assert {name for name, _ in outcomes} == {
        "classification",
        "counting",
        "depth",
        "action",
        "visual-questions",
    }
    for (task, name), outcome in outcomes.items():
        assert outcome.value == 1.0, (task, name)
        assert outcome.chance < 0.5


def test_noise_gets_chance():
    train, test = pictures.records(200), pictures.records(300, seed=1)
    outcomes = measure(
        {"updates": 30},
        kinds(),
        train,
        test,
        pictures.noise(200),
        pictures.noise(300, seed=1),
    )
    for (task, name), outcome in outcomes.items():
        low, high = outcome.interval
        # Blind guesses differ, by how far they are right by luck too.
        assert low - 0.08 < outcome.chance < high + 0.08, (task, name)


@pytest.mark.slow
def test_an_oracle_finds_all_things():
    train, test = pictures.records(4000), pictures.records(100, seed=1)
    ready = [tasks.Detection().prepare(train)]
    probe = DecoderProbe(**{**LARGER, "batch_size": 32, "updates": 1500})
    probe.fit(
        ready, {"detection": pictures.oracle(train)}, {"detection": train}
    )
    predictions = probe.predict(ready[0], pictures.oracle(test), test)
    outcomes = {o.name: o for o in ready[0].evaluate(predictions, test)}
    assert outcomes["AP50"].value >= 0.9
    assert outcomes["AP50"].chance < 0.05


@pytest.mark.slow
def test_an_oracle_names_what_is_in_a_box():
    train, test = pictures.records(4000), pictures.records(100, seed=1)
    task = tasks.BoxClassification().prepare(train)
    probe = DecoderProbe(**LARGER, updates=1000)
    probe = probe.fit(
        [task], {task.name: pictures.oracle(train)}, {task.name: train}
    )
    predictions = probe.predict(task, pictures.oracle(test), test)
    assert task.evaluate(predictions, test)[0].value == 1.0


@pytest.mark.slow
def test_noise_finds_nothing():
    train, test = pictures.records(200), pictures.records(100, seed=1)
    task = tasks.Detection().prepare(train)
    probe = DecoderProbe(**{**SMALL, "updates": 200})
    probe = probe.fit(
        [task], {task.name: pictures.noise(200)}, {task.name: train}
    )
    predictions = probe.predict(task, pictures.noise(100, seed=1), test)
    for outcome in task.evaluate(predictions, test)[:3]:
        assert outcome.value < 0.05
