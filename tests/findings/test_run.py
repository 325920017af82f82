"""What runs and trainings are called."""

import dataclasses

from findings.run import BUDGETS
from findings.run import FULL
from findings.run import report_key
from findings.run import run
from findings.run import training_key
from findings.run import trainings
from findings.store import Store


def test_a_run_is_found_by_what_it_is():
    one = run("clip", source="a", views=3)
    assert one == run("clip", views=3, source="a")
    assert training_key(one, FULL) == training_key(
        dataclasses.replace(one, tasks=("count",)), FULL
    )
    keys = {
        training_key(other, budget)
        for other, budget in [
            (one, FULL),
            (one.seeded(1), FULL),
            (one.with_options(views=4), FULL),
            (dataclasses.replace(one, recipe="slip"), FULL),
            (dataclasses.replace(one, collect=True), FULL),
            (one, BUDGETS["quick"]),
            (one, dataclasses.replace(FULL, images=7)),
        ]
    }
    assert len(keys) == 7
    # Names of reports go by tasks, in any order, and by the probes.
    other = dataclasses.replace(one, tasks=tuple(reversed(one.tasks)))
    assert report_key(one, FULL) == report_key(other, FULL)
    fewer = dataclasses.replace(one, tasks=("count",))
    assert report_key(one, FULL) != report_key(fewer, FULL)
    assert report_key(one, FULL) != report_key(one, BUDGETS["quick"])


def test_trainings_are_shared():
    asked = [
        run("clip", ("count",)),
        run("clip", ("depth", "count"), collect=True),
        run("clip", gamma=1),
    ]
    first, second = trainings([*asked, asked[0]])
    assert [one.tasks for one in first] == [("count",), ("depth", "count")]
    assert all(one.collect for one in first)
    assert [one.collect for one in second] == [False]
    store = Store("x", FULL, asked)
    assert store.training(asked[0]) == store.training(asked[1])
    # The decoder learns the tasks of a list together.
    assert store.report(asked[0]) != store.report(asked[1])
