"""What the page does with a drag, a typed corner, a beginning and a reset."""

import pytest

pytest.importorskip("dash")

from keras_ab import data
from keras_ab.explore import Explorer
from keras_ab.explore import Gallery
from keras_ab.explore import make_app
from tests.explore import asked
from tests.models import factory

BOX = [0.1, 0.2, 0.5, 0.6]
EMPTY = {"box": None, "steps": 0, "start": None}
DRAGGED = dict(zip(("y0", "x0", "y1", "x1"), BOX))


@pytest.fixture(scope="module")
def app():
    explorer = Explorer({"a": factory.abclip()}, Gallery(data.Scenes(size=1)))
    return make_app(explorer, "w1")


def after(app, state=EMPTY, **changed):
    """The state after a change, and the corners that the page shows."""
    found = asked.ask(
        app,
        "state.data",
        **changed,
        picture__value="0",
        wanted__value="w1",
        size__value=0.35,
        state__data=state,
    )
    shown = [
        found[f"{name}.value"] for name in ("ymin", "xmin", "ymax", "xmax")
    ]
    return found["state.data"], shown


@pytest.mark.parametrize(
    "change",
    [
        {"shapes": [{"y0": 0, "x0": 0, "y1": 1, "x1": 1}, DRAGGED]},
        {f"shapes[0].{end}": value for end, value in DRAGGED.items()},
        # From the lower right to the upper left.
        {"shapes": [dict(zip(("y1", "x1", "y0", "x0"), BOX))]},
    ],
    ids=["drawn", "moved", "backwards"],
)
def test_a_dragged_box(app, change):
    state, shown = after(app, **{"map-0__relayoutData": change})
    assert state == {**EMPTY, "box": pytest.approx(BOX)}
    assert shown == pytest.approx(BOX)


def test_typed_corners(app):
    corners = dict(zip(("ymin", "xmin", "ymax", "xmax"), BOX))
    typed = {f"{name}__value": value for name, value in corners.items()}
    state, shown = after(app, **typed)
    assert state["box"] == pytest.approx(BOX) == shown


def test_a_box_to_begin_at(app):
    state, shown = after(
        app, {**EMPTY, "box": BOX, "steps": 2}, begin__n_clicks=1
    )
    assert state == {"box": None, "steps": 0, "start": BOX}
    assert shown == [None] * 4


def test_a_reset(app):
    before = {"box": BOX, "steps": 2, "start": BOX}
    state, shown = after(app, before, reset__n_clicks=1)
    assert state == EMPTY
    assert shown == [None] * 4


@pytest.mark.parametrize(
    "changed",
    [
        {"map-0__relayoutData": {"xaxis.range[0]": 1}},
        {"ymin__value": 0.5},
        {"begin__n_clicks": 1},
    ],
    ids=["a zoom", "one corner", "no box"],
)
def test_what_is_no_box_changes_nothing(app, changed):
    # 204, no content; an error would say which.
    with pytest.raises(AssertionError, match="^$"):
        after(app, **changed)
