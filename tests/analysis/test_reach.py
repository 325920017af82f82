"""Boxes that no action of a model leads to."""

import numpy as np
import pytest

from keras_ab import analysis
from tests.models import factory

SMALL, SMALLER = (0.0, 0.0, 0.1, 0.1), (0.5, 0.5, 0.52, 0.52)
IMAGE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), "uint8")


@pytest.fixture(scope="module")
def model():
    return factory.abclip()


@pytest.fixture
def farsighted(model, monkeypatch):
    """Q grows towards the lower right, also beyond the bins."""

    def value(views, actions, annotations, network):
        q = np.asarray(actions, "float32").sum(axis=-1, keepdims=True)
        return np.repeat(q, len(annotations), axis=-1)

    monkeypatch.setattr(model, "value", value)
    return model


def test_which_boxes_are_within_reach(model):
    rng = np.random.default_rng(0)
    boxes = factory.boxes(rng, 50, 8)
    for view in ((0, 0, 1, 1), (0.4, 0.4, 0.55, 0.6), SMALL):
        y, x, bottom, right = view
        sides = np.array([bottom - y, right - x] * 2)
        ways = (boxes - np.array([y, x, y, x])) / sides
        expected = ((ways >= -4.2) & (ways <= 5.2)).all(-1)
        found = analysis.within_reach(model, view, boxes)
        assert found.shape == (50, 8)
        np.testing.assert_array_equal(found, expected)
    assert 0 < expected.mean() < 1


def test_a_map_is_empty_where_no_action_leads(farsighted):
    found = analysis.value_map(farsighted, IMAGE, ["w1", "w2"], view=SMALL)
    # Right and lower ends at 5.2 of the view's sides at most.
    inside = (found.boxes[..., 2:] <= 0.52 + 1e-5).all(-1)
    assert 0 < inside.sum() < inside.size
    assert found.values.dtype == np.float32
    for q in np.moveaxis(found.values, -1, 0):
        np.testing.assert_array_equal(np.isnan(q), ~inside)
    np.testing.assert_allclose(found.best(1)[2:], found.boxes[inside][-1][2:])
    whole = analysis.value_map(farsighted, IMAGE, ["w1"])
    assert np.isfinite(whole.values).all()
    nothing = analysis.value_map(farsighted, IMAGE, ["w1"], view=SMALLER)
    with pytest.raises(ValueError, match=r"within reach.*sides from 0.35"):
        nothing.best(0)


def test_a_look_says_what_is_there_all_the_same(farsighted):
    boxes = [(0.8, 0.8, 1, 1), (0, 0, 0.2, 0.2)]
    seen = analysis.look(farsighted, IMAGE, boxes, ["w1", "w2"], SMALL)
    assert np.isnan(seen.values).tolist() == [[True] * 2, [False] * 2]
    assert np.isfinite(seen.rewards).all()


def test_a_path_stays_within_reach(farsighted):
    path = analysis.greedy_path(farsighted, IMAGE, ["w1"], view=SMALL)
    # The last of 17 places of a box of 0.35 that ends before 0.52.
    np.testing.assert_allclose(path.boxes[0, 2:], 0.35 + 4 * 0.65 / 16)
    assert np.isfinite(path.values).all()
    with pytest.raises(ValueError, match=r"within reach.*0\.52"):
        analysis.greedy_path(farsighted, IMAGE, ["w1"], view=SMALLER)
