"""Boxes that a model's actions cannot name, and walks."""

import numpy as np
import pytest

pytest.importorskip("dash")

from keras_ab import analysis
from keras_ab import data
from keras_ab.explore import Explorer
from keras_ab.explore import Gallery
from keras_ab.explore import make_app
from keras_ab.explore.explorer import BEYOND
from keras_ab.explore.explorer import PARTLY
from keras_ab.explore.explorer import STUCK
from tests.explore import asked
from tests.models import factory

SMALL, SMALLER = (0.0, 0.0, 0.1, 0.1), (0.5, 0.5, 0.52, 0.52)


@pytest.fixture(scope="module")
def model():
    return factory.abclip()


@pytest.fixture
def explorer(model):
    return Explorer({"a": model}, Gallery(data.Scenes(size=2)))


def test_what_is_beyond_reach_is_left_empty(explorer, model):
    (scene,) = explorer.scenes("0", "w1", "w2", start=SMALL).values()
    # Right and lower ends at 5.2 of the view's sides at most.
    inside = (scene.values.boxes[..., 2:] <= 0.52).all(-1)
    assert 0 < inside.sum() < inside.size
    np.testing.assert_array_equal(
        np.isnan(scene.values.values[..., 0]), ~inside
    )
    image = explorer.gallery["0"]
    whole = analysis.value_map(model, image, ["w1"], view=SMALL)
    np.testing.assert_array_equal(scene.values.values, whole.values)
    assert scene.notices == [PARTLY]
    q = whole.values[inside][:, 0]
    np.testing.assert_allclose(
        scene.best.boxes[0], whole.boxes[inside][q.argmax()], atol=1e-6
    )
    (after,) = explorer.scenes("0", "w1", "w2", steps=1, start=SMALL).values()
    np.testing.assert_allclose(after.path[1], scene.best.boxes[0])


def test_where_nothing_is_within_reach(explorer):
    app = make_app(explorer, "w1")
    (scene,) = explorer.scenes("0", "w1", "w2", start=SMALLER).values()
    assert np.isnan(scene.values.values).all()
    assert scene.best is None and scene.notices == [STUCK]
    seen = asked.show(app, "w1", "w2", start=SMALLER)
    assert STUCK in asked.texts(seen["message.children"])
    heat = seen["map-0.figure"]["data"][0]
    assert heat["showscale"] is False
    after = asked.step(app, "w1", start=SMALLER)
    assert after["state.data"]["steps"] == 0
    assert asked.step(app, "w1", steps=2)["state.data"]["steps"] == 3


def test_my_box_beyond_reach(explorer):
    far = (0.8, 0.8, 0.9, 0.9)
    (scene,) = explorer.scenes(
        "0", "w1", "w2", start=SMALL, chosen=far
    ).values()
    assert np.isnan(scene.chosen.values).all()
    # What is really there can be said.
    assert np.isfinite(scene.chosen.rewards).all()
    assert scene.notices == [PARTLY, BEYOND]


def test_a_walk_is_not_made_anew(explorer, monkeypatch):
    asked_for = []
    made = analysis.value_map

    def counted(*args, **kwargs):
        asked_for.append(args[-1])
        return made(*args, **kwargs)

    monkeypatch.setattr(analysis, "value_map", counted)
    for steps in range(5):
        before = explorer.scenes("0", "w1", "w2", steps=steps)["a"]
    assert len(asked_for) == len(set(asked_for)) <= 5
    count = len(asked_for)
    after = explorer.scenes("0", "w1", "w3", steps=4, chosen=SMALL)["a"]
    assert len(asked_for) == count
    assert after.path == before.path
    explorer.scenes("1", "w1", "w2")
    assert len(asked_for) == count + 1
