"""What stands where on the page."""

import math
from typing import Any

from keras_ab.explore.explorer import Explorer
from keras_ab.explore.explorer import Scene

CORNERS = ("ymin", "xmin", "ymax", "xmax")
CONFIG: Any = {
    "displayModeBar": False,
    "displaylogo": False,
    "scrollZoom": False,
    "doubleClick": False,
}
HINT = (
    "Drag a box on the picture, or type its corners: its Q, and beside it the "
    "reward p of what is really there."
)


def layout(explorer: Explorer, wanted: str = "") -> Any:
    """The page, before anything was chosen.

    Args:
        explorer: A `keras_ab.explore.Explorer`.
        wanted: The first annotation.

    Returns:
        A Dash component.
    """
    # Imported here: Dash comes with the extra `explore`.
    from dash import dcc
    from dash import html

    maps = [
        html.Section(
            [
                html.H2(name, id=f"name-{i}"),
                dcc.Graph(id=f"map-{i}", config=CONFIG, className="map"),
                html.Div(id=f"numbers-{i}", className="numbers"),
            ],
            className="model",
        )
        for i, name in enumerate(explorer.models)
    ]
    return html.Main(
        [
            html.H1("Where to look next"),
            html.Div(
                [
                    html.Div(_subject(explorer, wanted), className="subject"),
                    html.Div(maps, className="maps"),
                    html.Div(_moves(explorer), className="moves"),
                ],
                className="columns",
            ),
            dcc.Store(
                id="state", data={"box": None, "steps": 0, "start": None}
            ),
        ]
    )


def _subject(explorer, wanted):
    """What the page is about: a picture and an annotation."""
    from dash import dcc
    from dash import html

    gallery = explorer.gallery
    return [
        _labelled(
            "picture",
            dcc.Dropdown(
                gallery.names, gallery.offered[0], id="picture", clearable=False
            ),
        ),
        dcc.Upload(
            html.Button("drop a picture here, or choose a file", type="button"),
            id="upload",
            accept="image/*",
            className="upload",
        ),
        *_annotation(explorer.annotations, wanted),
        html.Div(id="message", role="status", className="message"),
    ]


def _moves(explorer):
    """What the agent does about it."""
    from dash import dcc
    from dash import html

    return [
        *_others(explorer.annotations),
        _labelled(
            "side of the box",
            dcc.Slider(
                0.15,
                0.75,
                0.05,
                value=0.35,
                id="size",
                marks={0.15: "0.15", 0.35: "0.35", 0.75: "0.75"},
            ),
        ),
        html.Div(
            [
                html.Button("step", id="step", n_clicks=0),
                html.Button("start in my box", id="begin", n_clicks=0),
                html.Button("start over", id="reset", n_clicks=0),
            ],
            className="buttons",
        ),
        html.Fieldset(
            [
                html.Legend("my box"),
                *(
                    _labelled(
                        name,
                        dcc.Input(
                            id=name,
                            type="number",
                            min=0,
                            max=1,
                            step="any",
                            debounce=True,
                        ),
                    )
                    for name in CORNERS
                ),
            ],
            className="corners",
        ),
        html.P(HINT, className="hint"),
    ]


def _annotation(annotations, wanted):
    """The controls that say what to look for."""
    from dash import dcc

    if not annotations.typed:
        options = annotations.options()
        first = chosen_by(wanted, options)
        choice = dcc.Dropdown(options, first, id="wanted", clearable=False)
        return [_labelled(annotations.label, choice)]
    first = wanted or next(iter(annotations.others), "")
    text = dcc.Input(
        first, id="wanted", type="text", debounce=True, className="text"
    )
    return [_labelled(annotations.label, text)]


def _others(annotations):
    """The annotations beside it, where they are typed."""
    from dash import dcc

    if not annotations.typed:
        return [dcc.Store(id="others", data="")]
    # Read when it is left: Enter begins another line.
    lines = dcc.Textarea(
        value="\n".join(annotations.others), id="others", rows=4, n_blur=0
    )
    return [_labelled("others, a line each, among which p is shared", lines)]


def chosen_by(wanted: str, options: dict[str, str]) -> str:
    """What a user means who names one of some options.

    Args:
        wanted: A label or a key; empty for the first.
        options: Dict from keys to labels.

    Returns:
        A key.

    Raises:
        ValueError: If there is no such option.
    """
    if not wanted:
        return next(iter(options))
    keys = {label: key for key, label in reversed(options.items())}
    if wanted in keys:
        return keys[wanted]
    if wanted not in options:
        raise ValueError(
            f"The annotation must be one of {list(options.values())[:10]}. "
            f"Received: {wanted!r}"
        )
    return wanted


def _labelled(text, control):
    from dash import html

    return html.Label([html.Span(text), control], className="labelled")


def figure(number: float) -> str:
    """A number as the page writes it.

    Args:
        number: Float.

    Returns:
        String of four significant digits; a dash for NaN.
    """
    return "–" if math.isnan(number) else f"{number:#.4g}"


def message(scenes: dict[str, Scene]) -> Any:
    """What to know about the numbers.

    Args:
        scenes: Dict from the models' names to `keras_ab.explore.Scene`s.

    Returns:
        List of Dash components, one a notice; it names the model where not
        all say the same.
    """
    from dash import html

    notices = dict.fromkeys(n for s in scenes.values() for n in s.notices)
    lines = []
    for notice in notices:
        said = [name for name, s in scenes.items() if notice in s.notices]
        whose = "" if len(said) == len(scenes) else f"{', '.join(said)}: "
        lines.append(html.P(whose + notice, className="notice"))
    return lines


def numbers(scene: Scene, place: int) -> Any:
    """The numbers below a model's map.

    Args:
        scene: A `keras_ab.explore.Scene`.
        place: Int, the model's.

    Returns:
        A Dash component.
    """
    from dash import html

    def row(title, name, look):
        if look is None:
            cells = ["–", "–", "–"]
        else:
            cells = [
                " ".join(f"{c:.2f}" for c in look.boxes[0]),
                figure(look.values[0, 0]),
                figure(look.rewards[0, 0]),
            ]
        ids = [f"{name}-{kind}-{place}" for kind in ("box", "value", "reward")]
        cells = [html.Td(c, id=i) for c, i in zip(cells, ids)]
        return html.Tr([html.Th(title, scope="row"), *cells])

    header = ["", "ymin xmin ymax xmax", "Q", "p there"]
    among = len(scene.labels)
    return [
        html.Table(
            [
                html.Thead(
                    html.Tr([html.Th(text, scope="col") for text in header])
                ),
                html.Tbody(
                    [
                        row("best box", "best", scene.best),
                        row("my box", "mine", scene.chosen),
                    ]
                ),
            ]
        ),
        html.P(
            [
                "p here: ",
                html.Span(figure(scene.here), id=f"here-{place}"),
                f" of “{scene.labels[0]}” among {among}; steps: ",
                html.Span(str(len(scene.path) - 1), id=f"steps-{place}"),
            ]
        ),
    ]
