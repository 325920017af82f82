"""Findings on scenes of one's own."""

import dataclasses
import hashlib
import json
import pathlib
import re

import pytest

import keras_ab
from findings import plan
from findings import scenes
from findings import work
from findings import write
from findings.__main__ import folder_of
from findings.__main__ import main
from findings.effect import difference
from findings.finding import Claim
from findings.finding import Table
from findings.run import BUDGETS
from findings.run import FULL
from findings.run import report_key
from findings.run import run
from findings.run import training_key
from findings.store import Store
from keras_ab.analysis import captioned_crops
from keras_ab.probes import open_splits
from keras_ab.probes.results import PROTOCOL
from recipes import ab_simclr
from recipes import scenes as recipe_scenes
from recipes.options import parse
from tests.data.sources.fixtures import write_images
from tests.findings.made_up import FIGURE
from tests.findings.made_up import made

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
            "decoder": budget.decoder,
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
