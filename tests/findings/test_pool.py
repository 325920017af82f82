"""What is left, and doing it."""

from findings import pool
from findings import work
from findings.__main__ import forecast
from tests.findings.made_up import made


def test_what_is_left_is_forecast(case):
    finding, store, _ = case
    assert forecast(store) == (None, ["ab_clip", "clip"])
    made(store, finding.runs[0])
    # Two more of CLIP, an hour each.
    assert forecast(store) == (2.0, ["ab_clip"])


def test_the_pool_does_what_is_missing(case):
    finding, store, _ = case
    made(store, finding.runs[0])
    done = []

    def do(runs, store, core, backend):
        (one,) = runs
        done.append(one)
        if one.seed == 1 and one.recipe == "clip":
            raise work.Failed("no")
        made(store, one)

    only = finding.runs[:2]
    assert store.missing(only) == [[finding.runs[1]]]
    failed = pool.do_all(store, jobs=2, backend="torch", do=do)
    assert set(done) == set(finding.runs[1:])
    assert list(failed) == ["clip seed 1"]
    assert store.missing() == [[finding.runs[1]]]
