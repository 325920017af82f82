"""The commands of a run."""

import importlib

import pytest

from findings import methods
from findings import work
from findings.catalogue import FINDINGS
from findings.catalogue import QUICK
from findings.run import FULL
from findings.run import trainings
from findings.store import Store
from recipes import budget as views
from recipes.options import parse

ALL = [*FINDINGS.items(), *QUICK.items()]


EVERY = [runs[0] for runs in trainings(r for _, f in ALL for r in f(FULL).runs)]


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.title)
def test_commands_are_what_the_recipe_takes(one, tmp_path):
    """All options exist, and the views of all runs are the budget's."""
    store = Store(tmp_path, FULL, [one])
    module = importlib.import_module(f"recipes.{one.recipe}")
    command = work.training_command(one, store)
    assert command[1:3] == ["-m", f"recipes.{one.recipe}"]
    scales = {"paper": module.PAPER, "small": module.SMALL}
    options = parse(scales, "", command[3:])
    for name, value in one.options:
        assert str(getattr(options, name)) == value
    assert (options.seed, options.evaluate) == (one.seed, False)
    steps = options.views // views.views_per_step(options)
    assert work.steps_of(one, FULL) == steps
    if one.options == methods.UNTRAINED.options:
        assert options.learning_rate == 0.0
        return
    assert options.views == FULL.views
    seen = steps * views.views_per_step(options)
    assert FULL.views - views.views_per_step(options) < seen <= FULL.views
    if one.collect:
        assert steps // options.collect_every == FULL.looks
    assert one.tasks[0] in work.measuring_command(one, store)


def test_a_command_that_fails_names_its_log(tmp_path):
    import sys

    log = tmp_path / "log"
    command = [sys.executable, "-c", "print('why'); raise SystemExit(3)"]
    with pytest.raises(work.Failed, match=f"status 3; see {log}"):
        work.call(command, log, None, "torch")
    assert log.read_text() == "why\n"
    command[2] = "import os; print(os.environ['KERAS_BACKEND'])"
    passed, used = work.call(command, log, None, "torch")
    assert log.read_text() == "torch\n"
    assert passed > 0 < used
