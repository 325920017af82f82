"""The page's program: what was done on it, to what it shows."""

import time
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
        wanted: The first annotation: a text; or a name, index, or picture of
            those that can be chosen.

    Returns:
        A `dash.Dash`; `.run()` serves it.

    Raises:
        ValueError: If there is no such annotation to choose.
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
    from dash.exceptions import PreventUpdate

    maps = [f"map-{i}" for i in range(len(explorer.models))]
    corners = [Output(name, "value") for name in page.CORNERS]
    # A field of Dash that was set from here forgets only then what was typed
    # last, and would not send the same number again.
    counts = [
        Output(name, count)
        for name in page.CORNERS
        for count in ("n_submit", "n_blur")
    ]

    @app.callback(
        Output("state", "data"),
        *corners,
        *counts,
        *(Input(name, "relayoutData") for name in maps),
        *(Input(name, "value") for name in page.CORNERS),
        Input("picture", "value"),
        Input("wanted", "value"),
        Input("step", "n_clicks"),
        Input("begin", "n_clicks"),
        Input("reset", "n_clicks"),
        State("state", "data"),
        State("size", "value"),
        prevent_initial_call=True,
    )
    def take(*given):
        changes, typed = given[: len(maps)], given[len(maps) : len(maps) + 4]
        picture, wanted = given[len(maps) + 4 : len(maps) + 6]
        done: Any = ctx.triggered_id
        state: dict[str, Any] = dict(given[-2])
        if done in maps:
            box = as_box(dragged(changes[maps.index(done)]))
            if box is None:
                raise PreventUpdate
            state["box"] = box
        elif done in page.CORNERS:
            box = as_box(typed)
            if box is None:
                raise PreventUpdate
            state["box"] = box
        elif done == "step":
            # No further than there is a way to go.
            try:
                state["steps"] = explorer.possible_steps(
                    picture,
                    wanted or "",
                    given[-1],
                    state["steps"] + 1,
                    tuple(state["start"] or WHOLE),
                )
            except ValueError as error:
                raise PreventUpdate from error
        elif done == "begin":
            if state["box"] is None:
                raise PreventUpdate
            state.update(start=state["box"], steps=0, box=None)
        else:
            state = {"box": None, "steps": 0, "start": None}
        now = time.time_ns() // 10**6
        return state, *(state["box"] or (None,) * 4), *(now for _ in counts)

    offers = [Output("picture", "options")]
    if explorer.annotations.by_picture:
        offers.append(Output("wanted", "options"))

    @app.callback(
        *offers,
        Output("picture", "value"),
        Output("message", "children", allow_duplicate=True),
        Input("upload", "contents"),
        State("upload", "filename"),
        prevent_initial_call=True,
    )
    def drop(contents, name):
        same = (no_update,) * (len(offers) + 1)
        if not contents:
            return *same, no_update
        try:
            key = explorer.gallery.drop(name or "dropped", contents)
        except ValueError as error:
            return *same, f"{name}: {error}"
        return *(explorer.gallery.names for _ in offers), key, ""


def _show_what_follows(app, explorer):
    from dash import Input
    from dash import Output
    from dash import State

    places = range(len(explorer.models))
    typed = explorer.annotations.typed

    def as_shown(picture):
        try:
            return explorer.gallery[picture]
        except ValueError:
            return None

    @app.callback(
        *(Output(f"map-{i}", "figure") for i in places),
        *(Output(f"numbers-{i}", "children") for i in places),
        Output("message", "children"),
        Input("state", "data"),
        Input("picture", "value"),
        Input("wanted", "value"),
        Input("size", "value"),
        # Not at each key: it is read when it is left.
        *([Input("others", "n_blur")] if typed else []),
        State("others", "value" if typed else "data"),
    )
    def show(state, picture, wanted, size, *others):
        chosen = state["box"] and tuple(state["box"])
        start = tuple(state["start"] or WHOLE)
        try:
            scenes = explorer.scenes(
                picture,
                wanted or "",
                others[-1] or "",
                size,
                state["steps"],
                start,
                chosen,
            )
        except ValueError as error:
            # What was shown is of something else.
            blank = scene_figure(as_shown(picture), None, chosen, picture)
            return *(blank for _ in places), *("" for _ in places), str(error)
        image = explorer.gallery[picture]
        figures = [
            scene_figure(image, scene, chosen, picture)
            for scene in scenes.values()
        ]
        tables = [
            page.numbers(scene, place)
            for place, scene in enumerate(scenes.values())
        ]
        return *figures, *tables, page.message(scenes)
