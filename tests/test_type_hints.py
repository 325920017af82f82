"""Signatures say what they take and what they give."""

import ast
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).parent.parent / "keras_ab"
FILES = sorted(PACKAGE.rglob("*.py"))


def is_public(name):
    return not name.startswith("_") or name.startswith("__")


def functions(tree, owner=None):
    """Public functions and methods, each with the class that it is in.

    What a function defines inside itself is not public, nor is what a class
    has whose name begins with an underscore.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if is_public(node.name):
                yield node, owner
        elif isinstance(node, ast.ClassDef):
            if is_public(node.name):
                yield from functions(node, node)
        else:
            yield from functions(node, owner)


def lacks(source):
    """What has no hint, as `function(parameter)` or `function -> ?`."""
    for node, owner in functions(ast.parse(source)):
        name = node.name if owner is None else f"{owner.name}.{node.name}"
        a = node.args
        parameters = [*a.posonlyargs, *a.args]
        if owner is not None and "staticmethod" not in map(
            ast.unparse, node.decorator_list
        ):
            # An instance or class, whose type is plain.
            parameters = parameters[1:]
        parameters += [*a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
        yield from (
            f"{name}({p.arg})" for p in parameters if p.annotation is None
        )
        # A constructor returns None whatever it says.
        if node.returns is None and node.name != "__init__":
            yield f"{name} -> ?"


@pytest.mark.parametrize(
    "path", FILES, ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_signatures(path):
    assert not list(lacks(path.read_text()))


@pytest.mark.parametrize(
    "source, found",
    [
        ("def f(a) -> int: ...", ["f(a)"]),
        ("def f(a: int): ...", ["f -> ?"]),
        ("def f(*, a) -> int: ...", ["f(a)"]),
        ("def f(*a, **b) -> int: ...", ["f(a)", "f(b)"]),
        ("def f(a, /) -> int: ...", ["f(a)"]),
        ("async def f(): ...", ["f -> ?"]),
        ("if True:\n    def f(): ...", ["f -> ?"]),
        ("class A:\n    def __init__(self, a): ...", ["A.__init__(a)"]),
        ("class A:\n    def __len__(self): ...", ["A.__len__ -> ?"]),
        (
            "class A:\n    @staticmethod\n    def f(a) -> int: ...",
            ["A.f(a)"],
        ),
        ("class A:\n    class B:\n        def f(self): ...", ["B.f -> ?"]),
    ],
)
def test_what_lacks_is_found(source, found):
    assert list(lacks(source)) == found


def test_what_is_whole_passes():
    whole = (
        "def f(a: int, *b: int, c: int = 0, **d: int) -> int:\n"
        "    def inner(x): ...\n"
        "def _own(a): ...\n"
        "class _Own:\n"
        "    def f(self, a): ...\n"
        "class A:\n"
        "    def __init__(self, a: int): ...\n"
        "    @classmethod\n"
        "    def f(cls) -> int: ...\n"
        "    def _own(self, a): ...\n"
    )
    assert not list(lacks(whole))
