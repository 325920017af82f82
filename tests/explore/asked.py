"""What the page asks of its server, without a browser."""

import base64
import io


def ask(app, output, **values):
    """Calls one of the page's functions over HTTP.

    Args:
        app: The `dash.Dash`.
        output: An output by which to know the function, `"ID.PROPERTY"`.
        **values: Of its inputs, as `ID__PROPERTY`; None for the rest. The
            first one is what has changed.

    Returns:
        Dict from `"ID.PROPERTY"` to what the page gets.
    """
    (key,) = [key for key in app.callback_map if output in _outputs(key)]
    found = app.callback_map[key]
    given = {name.replace("__", "."): value for name, value in values.items()}
    known = {_name(one) for one in found["inputs"] + found["state"]}
    assert set(given) <= known, set(given) - known
    parts = {
        part: [{**one, "value": given.get(_name(one))} for one in found[part]]
        for part in ("inputs", "state")
    }
    answer = app.server.test_client().post(
        "/_dash-update-component",
        json={
            "output": key,
            "outputs": [
                dict(zip(("id", "property"), name.split(".")))
                for name in key.strip(".").split("...")
            ],
            "changedPropIds": [next(iter(given))],
            **parts,
        },
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return {
        f"{part}.{name.partition('@')[0]}": value
        for part, properties in answer.get_json()["response"].items()
        for name, value in properties.items()
    }


def url(image, format, **options):
    """A PIL image as the page sends it."""
    stream = io.BytesIO()
    image.save(stream, format, **options)
    code = base64.b64encode(stream.getvalue()).decode()
    return f"data:image/{format.lower()};base64,{code}"


def show(app, wanted, others="", picture="0", size=0.35, **state):
    """What the page shows after its situation has changed."""
    shown = next(
        found
        for key, found in app.callback_map.items()
        if "map-0.figure" in _outputs(key)
    )
    named = map(_name, shown["inputs"] + shown["state"])
    typed = "others.value" in named
    return ask(
        app,
        "map-0.figure",
        state__data={"box": None, "steps": 0, "start": None, **state},
        picture__value=picture,
        wanted__value=wanted,
        size__value=size,
        **{"others__value" if typed else "others__data": others},
    )


def step(app, wanted, size=0.35, **state):
    """What a step makes of the page's situation."""
    return ask(
        app,
        "state.data",
        step__n_clicks=1,
        picture__value="0",
        wanted__value=wanted,
        size__value=size,
        state__data={"box": None, "steps": 0, "start": None, **state},
    )


def texts(component):
    """All that is written in a component, one string."""
    if isinstance(component, dict):
        component = component["props"].get("children")
    if isinstance(component, (list, tuple)):
        return " ".join(map(texts, component))
    return "" if component is None else str(component)


def _outputs(key):
    return [name.partition("@")[0] for name in key.strip(".").split("...")]


def _name(one):
    return f"{one['id']}.{one['property']}"
