"""A finding, and results that were made up for it."""

import pytest

from findings import work
from findings.effect import difference
from findings.finding import SEEDS
from findings.finding import Claim
from findings.finding import Finding
from findings.finding import Table
from findings.finding import seeded
from findings.run import FULL
from findings.run import run
from findings.store import Store
from tests.findings.made_up import FIGURE


@pytest.fixture(autouse=True)
def nothing_is_stopped():
    yield
    work.STOPPED.clear()


@pytest.fixture
def case(tmp_path):
    clip, ours = run("clip"), run("ab_clip")
    drawn = []
    finding = Finding(
        "T0",
        "a title",
        "what it says",
        seeded([clip, ours], SEEDS),
        (
            Claim("better", FIGURE, difference(ours, clip, FIGURE), SEEDS),
            Claim("once", FIGURE, difference(ours, clip, FIGURE)),
            Claim(
                "a number",
                "cosine",
                lambda get, seed: 0.5 + seed,
                SEEDS,
                points=False,
            ),
        ),
        (Table("Both", {"CLIP": (clip, SEEDS)}, {"class": FIGURE}),),
        draw=lambda get, path: drawn.append(get(ours)) or path.write_text("x"),
        lacks="much",
    )
    return finding, Store(tmp_path / "runs", FULL, finding.runs), drawn
