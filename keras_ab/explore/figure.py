"""The picture of the page: an image, the heat map, boxes, the path."""

from typing import Any

import numpy as np

from keras_ab.explore.explorer import Scene
from keras_ab.explore.gallery import as_url
from keras_ab.typing import Box

VIEW, BEST, CHOSEN = "#ffffff", "#00e5ff", "#ffb300"


def scene_figure(
    picture: np.ndarray | None,
    scene: Scene | None,
    chosen: Box | None,
    key: str,
) -> Any:
    """Draws what a model says, on axes from 0 to 1 as boxes have them.

    Args:
        picture: uint8 of shape `(H, W, 3)`; None where it cannot be read.
        scene: A `keras_ab.explore.Scene` of it; None for the picture alone.
        chosen: The user's box, or None.
        key: String; as long as it stays, so does the zoom.

    Returns:
        A `plotly.graph_objects.Figure`, on which a box can be dragged.
    """
    # Imported here: plotly comes with the extra `explore`.
    import plotly.graph_objects as go

    figure = go.Figure()
    ratio = 1.0
    if scene is not None:
        _draw_scene(figure, scene)
    if picture is not None:
        ratio = picture.shape[0] / picture.shape[1]
        figure.add_layout_image(
            source=as_url(picture),
            xref="x",
            yref="y",
            x=0,
            y=0,
            sizex=1,
            sizey=1,
            sizing="stretch",
            layer="below",
        )
    if chosen is not None:
        figure.add_shape(**rectangle(chosen, CHOSEN, 3, "solid"), editable=True)
    common = {"visible": False, "showgrid": False, "constrain": "domain"}
    figure.update_layout(
        xaxis={**common, "range": [0, 1]},
        yaxis={
            **common,
            "range": [1, 0],
            "scaleanchor": "x",
            "scaleratio": ratio,
        },
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        dragmode="drawrect",
        newshape={"line": {"color": CHOSEN, "width": 3}},
        uirevision=key,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure


def _draw_scene(figure, scene):
    """The heat map, the path, the view and the best box."""
    boxes = scene.values.boxes
    q = scene.values.values[..., 0]
    figure.add_heatmap(
        x=(boxes[0, :, 1] + boxes[0, :, 3]) / 2,
        y=(boxes[:, 0, 0] + boxes[:, 0, 2]) / 2,
        z=q,
        colorscale="Inferno",
        zsmooth="best",
        opacity=0.55,
        hoverongaps=False,
        showscale=bool(np.isfinite(q).any()),
        hovertemplate="Q %{z:.4~g}<extra></extra>",
        colorbar={
            "thickness": 10,
            "title": "Q",
            "tickformat": ".3~g",
            "nticks": 6,
        },
    )
    centres = np.array(
        [[(b[1] + b[3]) / 2, (b[0] + b[2]) / 2] for b in scene.path]
    )
    if len(centres) > 1:
        figure.add_scatter(
            x=centres[:, 0],
            y=centres[:, 1],
            mode="lines+markers",
            line={"color": VIEW, "width": 2},
            hoverinfo="skip",
            showlegend=False,
        )
    for box in scene.path[:-1]:
        figure.add_shape(**rectangle(box, VIEW, 1, "dot"))
    figure.add_shape(**rectangle(scene.view, VIEW, 2, "dash"))
    if scene.best is not None:
        figure.add_shape(**rectangle(scene.best.boxes[0], BEST, 3, "solid"))


def rectangle(box: Box, colour: str, width: float, dash: str) -> dict[str, Any]:
    """A box as a shape.

    Args:
        box: `(ymin, xmin, ymax, xmax)`.
        colour: String.
        width: Float, pixels.
        dash: String, as plotly has them.

    Returns:
        Dict, arguments of `Figure.add_shape`.
    """
    y0, x0, y1, x1 = (float(c) for c in box)
    line = {"color": colour, "width": width, "dash": dash}
    return {
        "type": "rect",
        "x0": x0,
        "y0": y0,
        "x1": x1,
        "y1": y1,
        "line": line,
    }


def dragged(change: dict[str, Any] | None) -> Box | None:
    """The box that was dragged or moved on a figure.

    Args:
        change: What plotly reports of a change (`relayoutData`).

    Returns:
        Its corners `(y0, x0, y1, x1)`, in any order of ends; None where the
        change was another.
    """
    if not change:
        return None
    if change.get("shapes"):
        last = change["shapes"][-1]
        return tuple(last[key] for key in ("y0", "x0", "y1", "x1"))
    ends = {
        key.rpartition(".")[2]: value
        for key, value in change.items()
        if key.startswith("shapes[")
    }
    if {"x0", "x1", "y0", "y1"} <= ends.keys():
        return tuple(ends[key] for key in ("y0", "x0", "y1", "x1"))
    return None
