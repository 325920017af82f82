"""The page's program: what was done on it, to what it shows."""

from typing import Any

from keras_ab.analysis.views import WHOLE
from keras_ab.explore import page
from keras_ab.explore.explorer import Explorer
from keras_ab.explore.explorer import as_box
from keras_ab.explore.figure import dragged
from keras_ab.explore.figure import scene_figure


def make_app(explorer: Explorer, wanted: str = "") -> Any:
    """The page as a Dash application, which serves all its files itself.

    Args:
        explorer: A `keras_ab.explore.Explorer`.
        wanted: The first annotation.

    Returns:
        A `dash.Dash`; `.run()` serves it.
    """
    # Imported here: Dash comes with the extra `explore`.
    import dash

    app = dash.Dash(
        "keras_ab.explore",
        title="keras_ab",
        # No title of its own, as Dash documents and does not annotate.
        update_title=None,  # type: ignore[arg-type]
        serve_locally=True,
        assets_folder="assets",
    )
    app.layout = page.layout(explorer, wanted)
    _take_what_is_done(app, explorer)
    _show_what_follows(app, explorer)
    return app


def _take_what_is_done(app, explorer):
    from dash import Input
    from dash import Output
    from dash import State
    from dash import ctx
    from dash import no_update

    maps = [f"map-{i}" for i in range(len(explorer.models))]
    corners = [Output(name, "value") for name in page.CORNERS]

    @app.callback(
        Output("state", "data"),
        *corners,
        *(Input(name, "relayoutData") for name in maps),
        *(Input(name, "value") for name in page.CORNERS),
        Input("picture", "value"),
        Input("wanted", "value"),
        Input("step", "n_clicks"),
        Input("begin", "n_clicks"),
        Input("reset", "n_clicks"),
        State("state", "data"),
        prevent_initial_call=True,
    )
    def take(*given):
        changes, typed = given[: len(maps)], given[len(maps) : len(maps) + 4]
        done: Any = ctx.triggered_id
        state: dict[str, Any] = dict(given[-1])
        if done in maps:
            box = as_box(dragged(changes[maps.index(done)]))
            if box is None:
                return (no_update,) * 5
            state["box"] = box
        elif done in page.CORNERS:
            box = as_box(typed)
            if box is None:
                return (no_update,) * 5
            state["box"] = box
        elif done == "step":
            state["steps"] += 1
        elif done == "begin":
            if state["box"] is None:
                return (no_update,) * 5
            state.update(start=state["box"], steps=0, box=None)
        else:
            state = {"box": None, "steps": 0, "start": None}
        return state, *(state["box"] or (None,) * 4)

    @app.callback(
        Output("picture", "options"),
        Output("picture", "value"),
        Output("message", "children", allow_duplicate=True),
        Input("upload", "contents"),
        State("upload", "filename"),
        prevent_initial_call=True,
    )
    def drop(contents, name):
        if not contents:
            return no_update, no_update, no_update
        try:
            key = explorer.gallery.drop(name or "dropped", contents)
        except ValueError as error:
            return no_update, no_update, f"{name}: {error}"
        return explorer.gallery.names, key, ""


def _show_what_follows(app, explorer):
    from dash import Input
    from dash import Output
    from dash import no_update

    places = range(len(explorer.models))

    @app.callback(
        *(Output(f"map-{i}", "figure") for i in places),
        *(Output(f"numbers-{i}", "children") for i in places),
        Output("message", "children"),
        Input("state", "data"),
        Input("picture", "value"),
        Input("wanted", "value"),
        Input("others", "value" if explorer.annotations.typed else "data"),
        Input("size", "value"),
    )
    def show(state, picture, wanted, others, size):
        chosen = state["box"] and tuple(state["box"])
        start = tuple(state["start"] or WHOLE)
        try:
            scenes = explorer.scenes(
                picture,
                wanted or "",
                others or "",
                size,
                state["steps"],
                start,
                chosen,
            )
            _, labels = explorer.annotations.among(wanted, others or "")
        except ValueError as error:
            return *(no_update for _ in (*places, *places)), str(error)
        image = explorer.gallery[picture]
        figures = [
            scene_figure(image, scene, chosen, picture)
            for scene in scenes.values()
        ]
        tables = [
            page.numbers(scene, labels, place)
            for place, scene in enumerate(scenes.values())
        ]
        return *figures, *tables, ""
