"""What is drawn is what was given."""

import numpy as np
import pytest

from keras_ab import analysis

STEPS = np.array([0, 10, 30])


def lines(axis):
    return {line.get_label(): line.get_ydata() for line in axis.get_lines()}


def pixels(axis, place=0):
    return np.asarray(axis.get_images()[place].get_array())


def pictures(count, side=8):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, side, side, 3)).astype("uint8")


def test_curves(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.random((3, 2))
    figure = analysis.draw_predictions(
        STEPS, {"p": values, "Q": values / 2}, ["a", "b"], pictures(1)[0]
    )
    assert [axis.get_title() for axis in figure.axes] == ["the view", "p", "Q"]
    np.testing.assert_array_equal(lines(figure.axes[2])["b"], values[:, 1] / 2)
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["a", "b"]

    accuracy = np.stack([values[:, 0], np.full(3, np.nan)], 1)
    figure = analysis.draw_value_accuracy(STEPS, accuracy, values[:, 1])
    drawn = lines(figure.axes[0])
    # A bin without pairs has no line.
    assert set(drawn) == {"overlap 0 to 0.5", "staying"}
    np.testing.assert_array_equal(drawn["staying"], values[:, 1])
    for line in figure.axes[0].get_lines():
        np.testing.assert_array_equal(line.get_xdata(), STEPS)
    assert figure.axes[0].get_xlabel() == "step"
    labels = analysis.draw_value_accuracy(STEPS, np.ones((3, 4)))
    assert "overlap 0.25 to 0.5" in lines(labels.axes[0])

    figure = analysis.draw_gradient_alignment(STEPS, {"SLIP": values[:, 0]})
    np.testing.assert_array_equal(lines(figure.axes[0])["SLIP"], values[:, 0])
    np.testing.assert_array_equal(
        figure.axes[0].get_lines()[-1].get_xdata(), STEPS
    )
    assert figure.axes[0].get_ylabel() == "cosine with CLIP's gradient"

    figure = analysis.draw_crop_accuracy(
        STEPS, {"many_crops": values[:, 0]}, 0.25, path=tmp_path / "a.png"
    )
    drawn = lines(figure.axes[0])
    np.testing.assert_array_equal(drawn["many crops"], values[:, 0])
    assert drawn["chance"] == [0.25, 0.25]
    np.testing.assert_array_equal(
        figure.axes[0].get_lines()[0].get_xdata(), STEPS
    )
    assert (tmp_path / "a.png").stat().st_size > 5000

    figure = analysis.draw_sweep({"AB": {0.5: [1, 3], 0.0: 4}}, "γ", "%")
    np.testing.assert_array_equal(lines(figure.axes[0])["AB"], [4, 2])
    np.testing.assert_array_equal(
        figure.axes[0].get_lines()[0].get_xdata(), [0.0, 0.5]
    )
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == (
        "γ",
        "%",
    )


def test_both_ends_of_the_curriculum():
    norms = np.array([[3.0, 1, 2, 4], [1, 2, 3, 4], [4, 3, 2, 1]])
    some = pictures(4)
    figure = analysis.draw_curriculum(STEPS, norms, some, stages=2, ends=2)
    cdf, *cells = figure.axes
    drawn = lines(cdf)
    assert list(drawn) == ["step 0", "step 30"]
    (first,) = [n.get_xdata() for n in cdf.get_lines()[:1]]
    np.testing.assert_array_equal(first, [1, 2, 3, 4])
    np.testing.assert_array_equal(drawn["step 0"], [0.25, 0.5, 0.75, 1])
    # Smallest and largest at the first, then at the last.
    for cell, place in zip(cells, [1, 2, 3, 0, 3, 2, 0, 1]):
        np.testing.assert_array_equal(pixels(cell), some[place])
    # One image has no ends.
    for alone in ({}, {"ends": 0}):
        figure = analysis.draw_curriculum(STEPS, norms[:, :1], some, **alone)
        assert len(figure.axes) == 1


def test_pictures():
    some = pictures(3)
    colours = np.random.default_rng(1).random((3, 2, 2, 3))
    figure = analysis.draw_token_colours(some, {"AB": colours})
    np.testing.assert_array_equal(pixels(figure.axes[4]), colours[1])
    assert figure.axes[3].get_ylabel() == "AB"

    attention = np.random.default_rng(2).random((3, 2, 5, 5))
    figure = analysis.draw_attention_maps(some, attention)
    heat = pixels(figure.axes[5], 1)
    # The class token's row, of the second image's second head.
    np.testing.assert_array_equal(heat, attention[1, 1, 0, 1:].reshape(2, 2))
    figure = analysis.draw_attention_maps(some, attention[..., 1:, 1:])
    heat = pixels(figure.axes[5], 1)
    mean = attention[1, 1, 1:, 1:].mean(0).reshape(2, 2)
    np.testing.assert_allclose(heat, mean)
    with pytest.raises(ValueError, match="grid_shape.*Received: 18 tokens"):
        analysis.draw_attention_maps(some, np.ones((3, 2, 18, 18)))
    wide = analysis.draw_attention_maps(
        some, np.ones((3, 2, 18, 18)), grid_shape=(3, 6)
    )
    assert pixels(wide.axes[5], 1).shape == (3, 6)

    places = np.array([[2, 0], [1, 1]])
    figure = analysis.draw_nearest_neighbours(
        some[:2], some, places, np.array([[0.9, 0.8], [0.7, 0.6]])
    )
    np.testing.assert_array_equal(pixels(figure.axes[1]), some[2])
    assert figure.axes[5].get_title() == "0.60"
