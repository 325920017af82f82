"""A run whose steps all come to nothing ends, and says what is left of it."""

import keras
import numpy as np
import pytest

from keras_ab import callbacks
from tests.models import factory


def batch(bad):
    made = factory.batch()
    for part in made.values():
        part["image"] = part["image"].astype("float32") / 127.5 - 1
    if bad:
        made["reward"]["image"][0, 1, 2] = np.nan
    return made


def data(kinds):
    """Batches, of which `x` stands for a bad one."""
    return factory.Batches([batch(kind == "x") for kind in kinds])


@pytest.fixture
def model():
    made = factory.abclip(target_rate=None)
    factory.compile(made, keras.optimizers.SGD(1e-2))
    return made


def run(model, kinds, found, **kwargs):
    model.fit(data(kinds), callbacks=found, verbose=0, shuffle=False, **kwargs)


def test_the_run_stops_and_names_the_last_good_checkpoint(model, tmp_path):
    checkpoint = callbacks.Checkpoint(tmp_path, every_steps=1, keep=9)
    limit = callbacks.SkipLimit(4, checkpoint, every_steps=1)
    # Three in a row, and three more: never four, though six in all.
    run(model, ".xxx.xxx", [limit, checkpoint])
    assert int(keras.ops.convert_to_numpy(model.skipped_in_a_row)) == 3
    path = tmp_path / "step-000000009.keras"
    path.write_bytes(b"damaged")
    # The fourth is the first of the next epoch; a metric would begin anew.
    with pytest.raises(
        callbacks.NotFinite, match=r"^4 steps in a row.*step-000000008.keras"
    ):
        model._prepare = lambda batch: None
        run(model, "xx", [limit])
    weights = model.get_weights()
    assert all(np.isfinite(w).all() for w in weights)


def test_without_a_checkpoint(model):
    limit = callbacks.SkipLimit(2, every_steps=2)
    with pytest.raises(callbacks.NotFinite, match="There is no checkpoint"):
        run(model, ".xxxx", [limit])


def test_what_it_watches():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((2, 1))
    with pytest.raises(ValueError, match=r"watches a .*Pretrainer"):
        model.fit(x, x, verbose=0, callbacks=[callbacks.SkipLimit()])


@pytest.mark.parametrize("name", ["limit", "every_steps"])
def test_arguments(name):
    with pytest.raises(ValueError, match=rf"`{name}` must be at least 1"):
        callbacks.SkipLimit(**{name: 0})
