"""The API reference has a page for every public room."""

import pathlib

import keras_ab

ROOT = pathlib.Path(__file__).parent.parent
API = ROOT / "docs/api"
# A command, and what is shown on the pages of what it is a part of.
WITHOUT = {"doctor", "data.sources", "probes.decoder"}


def rooms():
    """Packages, and modules that a package calls its own."""
    package = ROOT / "keras_ab"
    found = {
        path.parent.relative_to(package).as_posix().replace("/", ".")
        for path in package.glob("*/**/__init__.py")
    }
    found |= set(keras_ab.__all__) - {"__version__"}
    found |= {f"data.{name}" for name in ("masks", "views")} | {"embed"}
    return found - WITHOUT


def test_every_room_has_a_page():
    shown = {path.read_text().strip() for path in API.glob("*.md")}
    for room in rooms():
        assert f"# keras_ab.{room}\n\n::: keras_ab.{room}" in shown


def test_every_page_is_in_the_menu():
    menu = (ROOT / "mkdocs.yml").read_text()
    for path in API.glob("*.md"):
        assert f"api/{path.name}\n" in menu
