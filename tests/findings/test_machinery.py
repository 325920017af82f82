"""Keys, commands, verdicts and tables of the findings, without training."""

import dataclasses
import hashlib
import importlib
import json
import pathlib
import re

import numpy as np
import pytest
from scipy import stats

import keras_ab
from findings import answers
from findings import plan
from findings import pool
from findings import scenes
from findings import verdict
from findings import work
from findings import write
from findings.__main__ import folder_of
from findings.__main__ import forecast
from findings.__main__ import main
from findings.catalogue import FINDINGS
from findings.catalogue import QUICK
from findings.catalogue import chosen
from findings.finding import SEEDS
from findings.finding import Claim
from findings.finding import Finding
from findings.finding import Table
from findings.finding import contrast
from findings.finding import difference
from findings.finding import mean
from findings.finding import seeded
from findings.run import BUDGETS
from findings.run import FULL
from findings.run import report_key
from findings.run import run
from findings.run import training_key
from findings.run import trainings
from findings.store import Store
from keras_ab.analysis import Collected
from keras_ab.analysis import captioned_crops
from keras_ab.probes import Outcome
from keras_ab.probes import Report
from keras_ab.probes import Result
from keras_ab.probes import open_splits
from keras_ab.probes.results import PROTOCOL
from recipes import ab_simclr
from recipes import budget as views
from recipes import scenes as recipe_scenes
from recipes.options import parse
from tests.data.sources.fixtures import write_images

ALL = [*FINDINGS.items(), *QUICK.items()]
EVERY = [runs[0] for runs in trainings(r for _, f in ALL for r in f(FULL).runs)]


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
    assert options.views == FULL.views
    steps = options.views // views.views_per_step(options)
    assert work.steps_of(one, FULL) == steps
    seen = steps * views.views_per_step(options)
    assert FULL.views - views.views_per_step(options) < seen <= FULL.views
    if one.collect:
        assert steps // options.collect_every == FULL.looks
    assert one.tasks[0] in work.measuring_command(one, store)


@pytest.mark.parametrize("budget", BUDGETS.values(), ids=lambda b: b.name)
def test_all_findings_are_of_a_kind(budget):
    for name, make in ALL:
        finding = make(budget)
        assert finding.name == name
        assert len({claim.name for claim in finding.claims}) == len(
            finding.claims
        )
        assert finding.claims
        for table in finding.tables:
            for one, seeds in table.rows.values():
                assert set(seeded([one], seeds)) <= set(finding.runs)
    assert [f.name for f in chosen([], BUDGETS["quick"])] == ["headline"]
    with pytest.raises(ValueError, match="T1.*Received: T9"):
        chosen(["T9"], FULL)


OTHERS = dataclasses.replace(FULL, scenes="tests.findings.makers:flat")


def test_keys_say_which_scenes_only_where_they_are_others():
    one = run("clip", captioned=3)
    # As of 0.1.0, where there was no such option.
    assert keys_of_old(one, FULL) == (
        training_key(one, FULL),
        report_key(one, FULL),
    )
    assert training_key(one, OTHERS) != training_key(one, FULL)
    assert report_key(one, OTHERS) != report_key(one, FULL)
    again = dataclasses.replace(OTHERS, scenes="tests.findings.makers:other")
    assert training_key(one, OTHERS) != training_key(one, again)


def keys_of_old(one, budget):
    def digest(said):
        text = json.dumps(said, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    training = digest(
        {
            "version": keras_ab.__version__,
            "recipe": one.recipe,
            "seed": one.seed,
            "options": one.options,
            "scale": budget.scale,
            "views": budget.views,
            "images": budget.images,
            "looks": 0,
        }
    )
    report = digest(
        {
            "protocol": PROTOCOL,
            "tasks": sorted(one.tasks),
            "train": budget.train,
            "test": budget.test,
            "probes": budget.probes,
            "updates": budget.updates,
        }
    )
    name = f"{one.recipe}-{one.seed}-{training}"
    return name, f"report-{report}"


def test_commands_on_other_scenes(tmp_path):
    tasks = ("classification", "depth", "classification=objects", "action")
    one = run("ab_simclr", tasks, reward="objects")
    store = Store(tmp_path, OTHERS, [one])
    command = work.training_command(one, store)
    place = command.index("--scenes")
    assert command[place + 1] == OTHERS.scenes
    scales = {"paper": ab_simclr.PAPER, "small": ab_simclr.SMALL}
    options = parse(scales, "", command[3:])
    assert options.scenes == OTHERS.scenes
    # What is flat has no depth; what is not of scenes stays what it was.
    assert work.measuring_command(one, store)[4:7] == [
        f"classification={OTHERS.scenes}",
        "classification=objects",
        "action",
    ]
    plain = Store(tmp_path, FULL, [one])
    assert "--scenes" not in work.training_command(one, plain)
    assert work.measuring_command(one, plain)[4:8] == list(tasks)
    only = dataclasses.replace(one, tasks=("depth",))
    assert work.measuring_command(only, store)[4:6] == [
        f"classification={OTHERS.scenes}",
        "--probe",
    ]


def test_results_on_other_scenes_have_a_place_of_their_own(tmp_path):
    assert folder_of(FULL, tmp_path).name == "findings"
    found = {
        folder_of(dataclasses.replace(budget, scenes=s), tmp_path)
        for budget in BUDGETS.values()
        for s in ("", "a:one", "a:two")
    }
    assert len(found) == 9
    assert folder_of(OTHERS, tmp_path) == pathlib.Path("runs/findings-on-flat")
    assert folder_of(OTHERS, tmp_path, tmp_path) == tmp_path


@pytest.mark.parametrize("name", ["tests.findings.makers:round", "nowhere:x"])
def test_no_such_scenes(name, capsys):
    assert main(["headline", "--list", "--scenes", name]) == 1
    assert "error: " in capsys.readouterr().err


def test_the_function_of_the_plan(tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", plan.PLAN.read_text(), re.S)
    names = [f"{kind}/{n}.png" for kind in ("cat", "dog") for n in range(5)]
    write_images(tmp_path / "photos", names)
    for name in names:
        caption = (tmp_path / "photos" / name).with_suffix(".txt")
        caption.write_text(f"a {name[:3]}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_of_the_plan.py").write_text(code)
    name = "mine_of_the_plan:photos"
    splits = open_splits(name, 6, 4)
    assert (len(splits.train), len(splits.test)) == (6, 2)
    assert {"image", "text", "label"} <= splits.train.fields
    assert scenes.lacking(name) == {
        *("box_class", "detection", "count", "depth", "questions")
    }
    reward, everything, tokenizer = recipe_scenes.training_sources(
        8, 3, maker=name
    )
    assert (len(reward), len(everything)) == (3, 8)
    # Two words and the end.
    assert tokenizer.sequence_length == 3
    batch = next(
        keras_ab.data.reward_batches(
            reward, tokenizer, image_size=16, batch_size=2
        ).as_numpy_iterator()
    )
    assert batch["reward"]["image"].shape == (2, 16, 16, 3)
    crops = captioned_crops(splits.test, size=16).crops
    assert crops.shape == (2, 4, 16, 16, 3) and crops.std() > 0


# Verdicts.


@pytest.mark.parametrize(
    "effects, word",
    [
        ([0.03, 0.04, 0.035], verdict.REPRODUCED),
        ([-0.03, -0.04, -0.035], verdict.NOT_REPRODUCED),
        ([0.03, -0.01, 0.02], verdict.INCONCLUSIVE),
    ],
)
def test_several_seeds(effects, word):
    found = verdict.judge("x", effects, 10)
    assert (found.verdict, found.seeds, found.views) == (word, 3, 10)
    test = stats.ttest_1samp(effects, 0).confidence_interval(0.95)
    np.testing.assert_allclose(found.interval, (test.low, test.high))
    np.testing.assert_allclose(found.effect, np.mean(effects))


def test_one_seed():
    rng = np.random.default_rng(0)
    strong = rng.choice([0.0, 1.0], 1000, p=[0.7, 0.3])
    weak = strong - strong.mean() + 0.04
    for hits, spread, word in (
        (strong, 0.01, verdict.REPRODUCED),
        (-strong, 0.01, verdict.NOT_REPRODUCED),
        # Nobody knows what another seed would give; or it is known to differ.
        (strong, None, verdict.INCONCLUSIVE),
        (strong, 0.2, verdict.INCONCLUSIVE),
        # More than its interval, but not twice as much.
        (weak, 0.001, verdict.INCONCLUSIVE),
    ):
        found = verdict.judge("x", [hits], 10, spread)
        assert found.verdict == word
        assert found.interval[0] < found.effect < found.interval[1]
    assert found.interval[0] > 0
    found = verdict.judge("x", [0.4], 10, 0.001)
    assert (found.verdict, found.interval) == (verdict.INCONCLUSIVE, None)


# A store of made-up results.

HITS = {"clip": [1, 0, 0, 1, 0], "ab_clip": [1, 1, 0, 1, 1]}
FIGURE = "classification/linear"


def made(store, one, task="classification"):
    """A run as it would be left behind."""
    folder = store.training(one)
    folder.mkdir(parents=True)
    hits = np.roll(HITS[one.recipe], one.seed).astype(float)
    if one.seed == 2:
        hits[0] = 1
    outcome = Outcome.from_hits("accuracy", hits, 0.1)
    Report({}, [Result(task, "linear", [outcome])]).save(store.report(one))
    cost = {"seconds": 5, "core_seconds": 3600, "views": 7, "backend": "jax"}
    (folder / "cost.json").write_text(json.dumps(cost))
    looks = Collected(np.array([0, 5]), {"a/b": np.array([1.0, 3.0])})
    looks.save(folder / "collected.npz")


def test_what_scenes_lack_is_left_out(case, tmp_path):
    finding, _, _ = case
    clip, ours = finding.runs[0], finding.runs[3]
    depth = "depth/linear"
    finding = dataclasses.replace(
        finding,
        claims=(
            *finding.claims,
            Claim("nearer", depth, difference(ours, clip, depth)),
        ),
        tables=(
            Table(
                "Both", {"CLIP": (clip, (0,))}, {"class": FIGURE, "far": depth}
            ),
            Table("Depth", {"CLIP": (clip, (0,))}, {"far": depth}),
        ),
        draw=lambda get, path: get(ours).value(depth),
    )
    store = Store(tmp_path / "others", OTHERS, finding.runs)
    for one in finding.runs:
        made(store, one, "classification=flat")
    judged = write.write_results([finding], store, tmp_path / "a")
    assert [v.finding for v in judged] == [
        *("T0: better", "T0: once", "T0: a number")
    ]
    text = (tmp_path / "a/RESULTS.md").read_text()
    assert "On `tests.findings.makers:flat` in place of the built-in" in text
    assert "cannot be asked for box_class, count, depth, detection" in text
    left = "nearer; column far; column far; the plot"
    assert f"Left out, not measured: {left}." in text
    assert "| | class | seeds |" in text and "| far" not in text
    # On the built-in scenes it is an error.
    store = Store(tmp_path / "runs", FULL, finding.runs)
    for one in finding.runs:
        made(store, one)
    with pytest.raises(KeyError, match="not measured by depth/linear"):
        write.write_results([finding], store, tmp_path / "b")


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
            Claim("a number", "cosine", lambda get, seed: 0.5 + seed, SEEDS),
        ),
        (Table("Both", {"CLIP": (clip, SEEDS)}, {"class": FIGURE}),),
        draw=lambda get, path: drawn.append(get(ours)) or path.write_text("x"),
        lacks="much",
    )
    return finding, Store(tmp_path / "runs", FULL, finding.runs), drawn


def test_results(case, tmp_path):
    finding, store, drawn = case
    assert len(store.missing()) == 6
    for one in finding.runs[:-1]:
        made(store, one)
    empty = write.write_results([finding], store, tmp_path / "a")
    assert not empty
    text = (tmp_path / "a/RESULTS.md").read_text()
    assert "Not answered: runs are missing." in text
    made(store, finding.runs[-1])
    assert not store.missing()

    judged = write.write_results([finding], store, tmp_path / "a")
    found = json.loads((tmp_path / "a/results.json").read_text())
    assert [one["finding"] for one in found] == [
        "T0: better",
        "T0: once",
        "T0: a number",
    ]
    assert set(found[0]) == {
        "finding",
        "verdict",
        "effect",
        "interval",
        "seeds",
        "views",
    }
    means = [
        np.mean(difference(*finding.runs[3::-3][:2], FIGURE)(store.get, s))
        for s in SEEDS
    ]
    np.testing.assert_allclose(found[0]["effect"], np.mean(means))
    assert [one["seeds"] for one in found] == [3, 1, 3]
    assert {one["views"] for one in found} == {7}
    assert judged[2].verdict == verdict.INCONCLUSIVE
    spread = answers.spreads([finding], store)
    np.testing.assert_allclose(spread[FIGURE], np.std(means, ddof=1))
    np.testing.assert_allclose(spread["cosine"], 1.0)

    text = (tmp_path / "a/RESULTS.md").read_text()
    values = [store.get(one).value(FIGURE) for one in finding.runs[:3]]
    assert f"| CLIP | {100 * np.mean(values):.1f} ± " in text
    assert f"| better | {100 * np.mean(means):+.1f} | " in text
    assert "| a number | +1.500 | -0.984 to +3.984 | 3 | inconclusive |" in text
    assert "6 of 6 runs, 7 to 7 views each, on jax: 6.0 core-hours" in text
    assert "![a title](plots/T0.png)" in text
    assert "Not asked: much" in text
    assert drawn[-1].last("a/b") == 3.0
    with pytest.raises(KeyError, match=r"clip.*classification/linear"):
        drawn[-1].outcome("count/linear")


def test_what_was_measured_in_another_way_is_refused(case):
    finding, store, _ = case
    for one in finding.runs:
        made(store, one)
    report = Report.load(store.report(finding.runs[0]))
    report.results[0].settings["beside"] = ["count"]
    report.save(store.report(finding.runs[0]))
    gain = finding.claims[0].effect
    with pytest.raises(ValueError, match="not measured alike: their settings"):
        gain(store.get, 0)
    gain(store.get, 1)


def test_effects(case):
    finding, store, _ = case
    for one in finding.runs:
        made(store, one)
    gain = finding.claims[0].effect
    per_example = np.array(HITS["ab_clip"]) - np.array(HITS["clip"])
    np.testing.assert_array_equal(gain(store.get, 0), per_example)
    nothing = contrast(gain, gain)
    np.testing.assert_array_equal(nothing(store.get, 1), np.zeros(5))
    np.testing.assert_array_equal(
        mean(gain, nothing)(store.get, 0), per_example / 2
    )
    number = finding.claims[2].effect
    assert contrast(gain, number)(store.get, 0) == pytest.approx(
        per_example.mean() - 0.5
    )


def test_what_is_left_is_forecast(case):
    finding, store, _ = case
    assert forecast(store) == (None, ["ab_clip", "clip"])
    made(store, finding.runs[0])
    # Two more of CLIP, an hour each.
    assert forecast(store) == (2.0, ["ab_clip"])


def test_the_plan_is_up_to_date():
    assert plan.tables() in plan.PLAN.read_text()


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
