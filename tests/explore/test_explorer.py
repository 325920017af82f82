"""What the page shows, without a page: the numbers are the analysis' own."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from keras_ab import analysis
from keras_ab import data
from keras_ab.explore import Explorer
from keras_ab.explore import Gallery
from keras_ab.explore.explorer import as_box
from keras_ab.explore.figure import dragged
from tests.models import crops
from tests.models import factory


@pytest.fixture(scope="module")
def gallery():
    return Gallery(data.Scenes(size=3), count=2)


def url(picture, format="PNG"):
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format)
    code = base64.b64encode(stream.getvalue()).decode()
    return f"data:image/{format.lower()};base64,{code}"


def test_what_is_dropped():
    gallery = Gallery(data.Scenes(size=3), count=2)
    assert gallery.offered == ["0", "1"]
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3), "uint8")
    for format in ("PNG", "WEBP"):
        key = gallery.drop("mine.png", url(picture, format))
        assert gallery.names[key] == "mine.png"
        assert gallery[key].shape == (9, 7, 3)
    key = gallery.drop("mine.png", url(picture))
    np.testing.assert_array_equal(gallery[key], picture)
    assert gallery.offered == ["0", "1"]
    for number in range(16):
        gallery.drop("other", url(picture + np.uint8(number + 1)))
    with pytest.raises(ValueError, match="drop it again"):
        gallery[key]
    with pytest.raises(ValueError, match="no picture"):
        gallery.drop("text", "data:text/plain;base64,aGVsbG8=")


@pytest.mark.parametrize(
    "given, box",
    [
        ((0.1, 0.2, 0.5, 0.6), (0.1, 0.2, 0.5, 0.6)),
        # Dragged from right to left and upwards, beyond the edge.
        ((0.5, 0.6, -0.1, 0.2), (0.0, 0.2, 0.5, 0.6)),
        ((0.3, 0.3, 0.3, 0.3), (0.3, 0.3, 0.32, 0.32)),
        ((1.0, 1.0, 1.0, 1.0), (0.98, 0.98, 1.0, 1.0)),
        ((0.1, None, 0.5, 0.6), None),
        (None, None),
    ],
)
def test_boxes_that_are_dragged_and_typed(given, box):
    assert as_box(given) == box


@pytest.mark.parametrize(
    "change, box",
    [
        (
            {"shapes": [{}, {"x0": 1, "x1": 2, "y0": 3, "y1": 4}]},
            (3, 1, 4, 2),
        ),
        (
            {
                "shapes[2].x0": 1,
                "shapes[2].x1": 2,
                "shapes[2].y0": 3,
                "shapes[2].y1": 4,
            },
            (3, 1, 4, 2),
        ),
        ({"autosize": True}, None),
        ({"shapes": []}, None),
        (None, None),
    ],
)
def test_what_plotly_reports(change, box):
    assert dragged(change) == box


def test_texts(gallery):
    model = factory.abclip()
    explorer = Explorer({"a": model}, gallery)
    wanted, labels = explorer.annotations.among(" w1  w2 ", "w3\n\nw1 w2")
    assert wanted == labels == ["w1 w2", "w3"]
    with pytest.raises(ValueError, match="Type what"):
        explorer.annotations.among(" ")
    start, chosen = (0.0, 0.0, 0.5, 0.5), (0.25, 0.25, 0.75, 0.75)
    (scene,) = explorer.scenes(
        "1", "w1 w2", "w3", 0.4, 2, start, chosen
    ).values()
    image, texts = gallery["1"], ["w1 w2", "w3"]
    path = analysis.greedy_path(
        model, image, texts, view=start, steps=2, sizes=(0.4,)
    )
    np.testing.assert_array_equal(scene.path, [start, *path.boxes])
    assert scene.view == tuple(path.boxes[1])
    seen = analysis.look(model, image, [chosen], texts, scene.view)
    np.testing.assert_allclose(scene.chosen.values, seen.values, atol=1e-6)
    np.testing.assert_allclose(scene.chosen.rewards, seen.rewards, atol=1e-6)
    values = analysis.value_map(model, image, ["w1 w2"], 0.4, view=scene.view)
    np.testing.assert_allclose(scene.values.values, values.values, atol=1e-6)
    np.testing.assert_allclose(scene.best.boxes[0], values.best(0), atol=1e-6)
    np.testing.assert_allclose(
        scene.best.values[0, 0], values.values.max(), atol=1e-6
    )


def test_prototypes_by_a_picture(gallery):
    model = crops.abdino()
    explorer = Explorer({"a": model}, gallery)
    order, labels = explorer.annotations.among("1")
    assert set(explorer.annotations.options()) == {"0", "1"}
    view = analysis.crop_view(gallery["1"], (0, 0, 1, 1), (16, 16))
    p = np.array(model.reward(view[None], None))[0]
    assert p[order].tolist() == sorted(p, reverse=True)
    assert labels[0] == f"annotation {p.argmax()}"
    (scene,) = explorer.scenes("0", "1").values()
    wanted = analysis.value_map(model, gallery["0"], order[:1])
    np.testing.assert_allclose(scene.values.values, wanted.values, atol=1e-6)


def test_what_cannot_be_explored(gallery):
    with pytest.raises(ValueError, match="AnnotationBootstrapping.*a CLIP"):
        Explorer({"clip": factory.clip()}, gallery)
    with pytest.raises(ValueError, match="one kind.*texts for .*members for "):
        Explorer({"a": factory.abclip(), "b": crops.abdino()}, gallery)
