"""Of what Colab brings along, installing the package changes nothing."""

import pathlib
import re

import pytest
import setuptools
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = pathlib.Path(__file__).parent.parent
GUIDES = sorted(
    path
    for path in (ROOT / "guides").glob("*.py")
    if "pip install" in path.read_text() and path.stem != "build"
)
# What guides name, and the backends, which are there.
EXTRAS = ("data", "plot", "probes", "hub", "jax", "tensorflow", "torch")
# What Colab has none of; it is added, and changes nothing.
NEW = {"sacrebleu"}


def versions():
    """Colab's, by name."""
    lines = (ROOT / "tests/colab.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): Version(v) for name, v in pairs}


@pytest.fixture(scope="module")
def wanted():
    """What setup.py asks for: of everyone, and by extra."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setuptools, "setup", lambda **given: found.update(given))
        source = (ROOT / "setup.py").read_text()
        exec(source, {"__file__": str(ROOT / "setup.py")})
    return {"": found["install_requires"], **found["extras_require"]}


def clashes(requirements, installed):
    """The requirements that what is installed does not satisfy."""
    for requirement in map(Requirement, requirements):
        version = installed.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version):
            yield requirement.name


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_colab_satisfies(extra, wanted):
    assert set(clashes(wanted[extra], versions())) <= NEW


def test_what_is_excused_is_so(wanted):
    everything = [r for extra in ("", *EXTRAS) for r in wanted[extra]]
    assert set(clashes(everything, versions())) == NEW


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_guides_ask_for_no_other_extra(guide):
    asked = re.findall(r"keras_ab\[(.*?)\]", guide.read_text())
    assert asked
    assert {e for extras in asked for e in extras.split(",")} <= set(EXTRAS)


def test_a_clash_is_found():
    installed = versions()
    assert set(clashes(["keras>=99", "numpy<2"], installed)) == {
        "keras",
        "numpy",
    }
    assert list(clashes(["numpy>=1.26"], installed)) == []
    assert list(clashes(["no-such-package"], installed)) == ["no-such-package"]
