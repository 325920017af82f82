"""Looks, paths and views, by what a model says itself."""

import numpy as np
import pytest
from keras import ops

from keras_ab import analysis
from keras_ab.analysis.views import WHOLE
from keras_ab.analysis.views import actions_between
from keras_ab.data import Scenes
from keras_ab.data.scenes import describe
from tests.models import crops
from tests.models import factory

WORDS = ["w1", "w2", "w3 w4"]


def array(x):
    return np.array(ops.convert_to_numpy(x), "float64")


def picture(rows=32, columns=32):
    rng = np.random.default_rng(5)
    return rng.integers(0, 256, (rows, columns, 3)).astype("uint8")


def test_a_look_is_what_the_model_says():
    model, image = factory.abclip(), picture()
    # Twice the view's 16 pixels, so that these boxes are cut, not resized.
    view = (0.25, 0.0, 0.75, 0.5)
    boxes = [(0.0, 0.0, 0.5, 0.5), (0.5, 0.5, 1.0, 1.0)]
    seen = analysis.look(model, image, boxes, WORDS, view)
    here = image[8:24, :16][None]
    there = np.stack([image[:16, :16], image[16:, 16:]])
    np.testing.assert_allclose(
        seen.rewards, array(model.reward(there, WORDS)), atol=1e-6
    )
    np.testing.assert_allclose(
        seen.here, array(model.reward(here, WORDS))[0], atol=1e-6
    )
    actions = np.array([[[-0.5, 0, 0.5, 1], [0.5, 1, 1.5, 2]]])
    q = array(model.value(here, actions, WORDS))[0]
    np.testing.assert_allclose(seen.values, q, atol=1e-6)
    assert seen.values.std() > 0


def test_a_map_from_a_view():
    model, image = factory.abclip(), picture()
    view = (0.5, 0.0, 1.0, 0.5)
    found = analysis.value_map(model, image, WORDS, 0.5, 3, view=view)
    flat = found.boxes.reshape(-1, 4)
    np.testing.assert_allclose(flat[4], [0.25, 0.25, 0.75, 0.75])
    seen = analysis.look(model, image, flat, WORDS, view)
    np.testing.assert_allclose(
        found.values.reshape(9, 3), seen.values, atol=1e-6
    )
    whole = analysis.value_map(model, image, WORDS, 0.5, 3)
    assert np.abs(whole.values - found.values).max() > 1e-5


def test_a_path_takes_the_best_of_each_map():
    model, image = factory.abclip(), picture()
    path = analysis.greedy_path(
        model, image, WORDS, wanted=1, steps=3, sizes=(0.4, 0.7), places=4
    )
    view = (0.0, 0.0, 1.0, 1.0)
    for step in range(3):
        maps = [
            analysis.value_map(model, image, WORDS, size, 4, view=view)
            for size in (0.4, 0.7)
        ]
        best = max(maps, key=lambda found: found.values[..., 1].max())
        box = best.best(1)
        np.testing.assert_allclose(path.boxes[step], box, atol=1e-6)
        np.testing.assert_allclose(
            path.values[step, 1], best.values[..., 1].max(), atol=1e-6
        )
        view = tuple(box.astype("float64"))
    start = analysis.look(model, image, path.boxes[:1], WORDS)
    np.testing.assert_allclose(path.here, start.here, atol=1e-6)
    np.testing.assert_allclose(path.rewards[:1], start.rewards, atol=1e-6)
    with pytest.raises(ValueError, match="`steps`.*Received: 0"):
        analysis.greedy_path(model, image, WORDS, steps=0)


def test_prototypes_too():
    seen = analysis.look(crops.abdino(), picture(), [(0, 0, 0.5, 0.5)], None)
    assert seen.values.shape == seen.rewards.shape == (1, crops.PROTOTYPES)
    np.testing.assert_allclose(seen.rewards.sum(), 1, atol=1e-5)


@pytest.mark.parametrize(
    "ask",
    [
        lambda model, image: analysis.value_map(model, image, ["w1"]),
        lambda model, image: analysis.look(model, image, [WHOLE], ["w1"]),
        lambda model, image: analysis.greedy_path(model, image, ["w1"]),
        lambda model, image: analysis.value_accuracy(model, factory.batch()),
        lambda model, image: analysis.Curriculum(factory.batch())(model),
        lambda model, image: analysis.value_ranks(model, Scenes(2), describe),
    ],
    ids=["map", "look", "path", "accuracy", "curriculum", "ranks"],
)
def test_a_model_without_a_value_function(ask):
    with pytest.raises(ValueError, match="value function. Received: CLIP"):
        ask(factory.clip(), np.zeros((16, 16, 3), "uint8"))


def test_views():
    image = picture(40, 20)
    view = analysis.crop_view(image, (0.25, 0.5, 0.65, 1.0), (16, 10))
    np.testing.assert_array_equal(view, image[10:26, 10:])
    # One pixel, however small the box.
    dot = analysis.crop_view(image, (0.999, 0.999, 1.0, 1.0), (2, 2))
    np.testing.assert_array_equal(
        dot, np.broadcast_to(image[-1, -1], (2, 2, 3))
    )
    actions = actions_between(
        (0.0, 0.0, 0.5, 1.0), np.array([[0.5, 0, 1, 0.5]])
    )
    np.testing.assert_allclose(actions, [[1, 0, 2, 0.5]])


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 1),
        (0, 0, 0, 1),
        (0, 0, 1.2, 1),
        (-0.1, 0, 1, 1),
        (0, 0, 1, np.nan),
    ],
)
def test_what_is_no_box(box):
    with pytest.raises(ValueError, match="ymin < ymax <= 1.*Received"):
        analysis.crop_view(picture(), box, (2, 2))
