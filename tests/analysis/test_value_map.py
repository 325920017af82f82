import numpy as np

from keras_ab import analysis
from keras_ab.analysis.value_map import sliding_boxes
from tests.models import factory


def test_value_maps_are_values(tmp_path):
    model = factory.abclip()
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), "uint8")
    captions = ["w1", "w2 w3"]
    result = analysis.value_map(model, image, captions, size=0.4, steps=5)
    assert result.values.shape == (5, 5, 2)
    np.testing.assert_allclose(result.boxes[0, 0], [0, 0, 0.4, 0.4], atol=1e-6)
    np.testing.assert_allclose(
        result.boxes[-1, -1], [0.6, 0.6, 1, 1], atol=1e-6
    )
    single = model.value(
        image[None], result.boxes[2:3, 3:4].reshape(1, 1, 4), captions
    )
    np.testing.assert_allclose(
        np.asarray(single.detach() if hasattr(single, "detach") else single)[
            0, 0
        ],
        result.values[2, 3],
        atol=1e-6,
    )
    best = result.best(1)
    index = np.unravel_index(result.values[..., 1].argmax(), (5, 5))
    np.testing.assert_array_equal(best, result.boxes[index])
    figure = analysis.draw_value_maps(
        image, result, captions, tmp_path / "map.png"
    )
    assert len(figure.axes) == 3 + 2
    for i, axis in enumerate(figure.axes[1:3]):
        heat = axis.get_images()[1].get_array()
        np.testing.assert_array_equal(heat, result.values[..., i])
        assert captions[i] in axis.get_title()
        corners = np.stack(axis.lines[0].get_data(), -1)
        top, left, bottom, right = 16 * result.best(i)
        np.testing.assert_allclose(corners.min(0), [left, top], atol=1e-5)
        np.testing.assert_allclose(corners.max(0), [right, bottom], atol=1e-5)
    assert (tmp_path / "map.png").stat().st_size > 5000


def test_several_sizes(tmp_path):
    model = factory.abclip()
    image = np.random.default_rng(0).integers(0, 256, (16, 20, 3), "uint8")
    captions, sizes = ["w1", "w2 w3"], (0.2, 0.5, 1.0)
    found = analysis.value_map(model, image, captions, sizes, steps=4)
    assert found.values.shape == (3, 4, 4, 2)
    for place, size in enumerate(sizes):
        single = analysis.value_map(model, image, captions, size, steps=4)
        np.testing.assert_array_equal(found.boxes[place], single.boxes)
        np.testing.assert_allclose(
            found.values[place], single.values, atol=1e-6
        )
    place = np.unravel_index(found.values[..., 1].argmax(), (3, 4, 4))
    np.testing.assert_array_equal(found.best(1), found.boxes[place])
    figure = analysis.draw_value_maps(image, found, captions)
    # A row a size: the view, a map a caption, and its scale.
    assert len(figure.axes) == 3 * 3 + 3 * 2
    outlined = [i for i, axis in enumerate(figure.axes[:9]) if axis.lines]
    rows = [found.values[..., i].max(axis=(1, 2)).argmax() for i in range(2)]
    assert outlined == sorted(3 * row + 1 + i for i, row in enumerate(rows))


def test_the_best_of_a_map_with_gaps_is_in_its_row():
    boxes = np.stack([sliding_boxes(size, 2) for size in (0.3, 0.5)])
    values = np.array([[[0.1, np.nan], [0.2, 0.1]], [[0.3, 0.4], [0.1, 0.2]]])
    found = analysis.ValueMap(boxes, values[..., None])
    image = np.zeros((8, 8, 3), "uint8")
    axes = analysis.draw_value_maps(image, found, ["w1"]).axes[:4]
    np.testing.assert_array_equal(found.best(0), boxes[1, 0, 1])
    assert [bool(axis.lines) for axis in axes] == [False, False, False, True]


def test_a_map_lies_where_its_boxes_are():
    boxes = sliding_boxes(0.4, 5)[:, ::2]
    values = np.zeros((5, 3, 1), "float32")
    image = np.zeros((30, 60, 3), "uint8")
    figure = analysis.draw_value_maps(
        image, analysis.ValueMap(boxes, values), ["x"]
    )
    (_, heat) = figure.axes[1].images
    # Middles of boxes from 0.2 to 0.8, 0.15 apart in rows and 0.3 in columns;
    # cells reach half as far.
    np.testing.assert_allclose(
        heat.get_extent(), [0.05 * 60, 0.95 * 60, 0.875 * 30, 0.125 * 30]
    )
