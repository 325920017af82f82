"""The API reference has a page for every public room."""

import pathlib

import keras_ab

API = pathlib.Path(__file__).parent.parent / "docs/api"
# A command, and what one may not call.
WITHOUT = {"__version__", "doctor"}


def test_every_room_has_a_page():
    pages = {path.stem: path.read_text() for path in API.glob("*.md")}
    for room in set(keras_ab.__all__) - WITHOUT:
        assert f"::: keras_ab.{room}\n" in pages[room]


def test_every_page_is_in_the_menu():
    menu = (API.parent.parent / "mkdocs.yml").read_text()
    for path in API.glob("*.md"):
        assert f"api/{path.name}\n" in menu
