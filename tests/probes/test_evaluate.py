"""Whole evaluations, at a size that only shows that they are right."""

import numpy as np
import pytest
from PIL import Image

from keras_ab import data
from keras_ab import probes
from keras_ab.probes import __main__ as command
from keras_ab.probes import tasks
from tests.models import factory

TINY = [
    f"--set=decoder.{setting}"
    for setting in ("epochs=1", "hidden_dim=12", "num_layers=1")
]
DECODER = {"epochs": 1, "hidden_dim": 12, "num_layers": 1}
LINEAR = probes.LinearProbe(rates=(0.03,), strengths=(1.0,), min_steps=50)


def coded(count, classes=4, seed=0, **more):
    """Pictures of one colour, which tells their class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    records = [
        {
            "image": np.full((16, 16, 3), 40 * label, "uint8"),
            "label": int(label),
            "count": int(label % 2),
            "id": f"{seed}-{i}",
            **{key: value(int(label)) for key, value in more.items()},
        }
        for i, label in enumerate(labels)
    ]
    return data.MemorySource(records)


class Oracle:
    """Knows the class of a coded picture; counts the pictures it saw."""

    def __init__(self):
        self.seen = 0

    def __call__(self, images):
        self.seen += len(images)
        label = np.round((np.asarray(images)[:, 0, 0, 0] + 1) * 127.5 / 40)
        one_hot = np.eye(8, dtype="float32")[label.astype(int)]
        return np.repeat(one_hot[:, None], 4, axis=1)


def oracle():
    return probes.FrozenEncoder(Oracle(), image_size=16, name="oracle")


def work(task="classification", train=None, test=None, **kwargs):
    splits = probes.Splits(
        coded(60, **kwargs) if train is None else train,
        coded(30, seed=1, **kwargs) if test is None else test,
        "coded",
    )
    return probes.Work(task, probes.make_task(task), splits)


def test_an_oracle_knows_everything(tmp_path):
    report = probes.evaluate(
        oracle(), [work(), work("count")], ["knn", LINEAR], seed=3
    )
    names = [(r.task, r.probe) for r in report.results]
    assert names == [
        ("classification", "knn"),
        ("classification", "linear"),
        ("count", "knn"),
        ("count", "linear"),
    ]
    for result in report.results:
        (outcome,) = result.outcomes
        assert outcome.value == 1.0 and outcome.examples == 30
        assert outcome.chance < 0.8 and result.seed == 3
        assert result.seconds > 0 and result.crop
    linear = report.results[1]
    assert "rate" in linear.outcomes[0].extra
    assert linear.settings["probe"]["probe"] == "linear"
    assert linear.settings["task"]["kind"] == "Classification"
    assert "seed" not in linear.settings["probe"]
    train = linear.data["train"]
    assert train["records"] == 60 and train["skipped"] == 0
    assert train["fingerprint"] == probes.source_fingerprint(coded(60))
    assert report.encoder["name"] == "oracle"
    report.save(tmp_path / "a.json")
    assert probes.Report.load(tmp_path / "a.json").as_json() == report.as_json()


def test_noise_knows_nothing():
    rng = np.random.default_rng(0)
    noise = probes.FrozenEncoder(
        lambda images: rng.normal(size=(len(images), 4, 8)), image_size=16
    )
    # A fingerprint of noise is another one each time.
    noise.fingerprint = lambda: "0"
    splits = work(train=coded(300), test=coded(300, seed=1))
    (result,) = probes.evaluate(noise, [splits], ["knn"]).results
    low, high = result.outcomes[0].interval
    assert low < 0.25 < high


def test_pictures_are_seen_once():
    encoder = oracle()
    probes.evaluate(encoder, [work()], ["knn", "ridge"])
    noise = 2 * 2
    # 90 pictures, and the noise of two fingerprints.
    assert encoder.encoder.seen == 90 + noise


def test_the_cache_spares_the_encoder(tmp_path):
    for seen in (90, 0):
        encoder = oracle()
        report = probes.evaluate(encoder, [work()], ["knn"], cache=tmp_path)
        assert report.results[0].outcomes[0].value == 1.0
        # Besides the noise of fingerprints, two pictures each.
        assert encoder.encoder.seen - seen <= 10


def test_random_crops_to_learn_from():
    encoder, places = oracle(), [work(), work("count")]
    linear = probes.LinearProbe(rates=(0.003, 0.03), min_steps=10, epochs=1)
    report = probes.evaluate(encoder, places, ["knn", linear], views=2)
    # Counting wants whole pictures, and neighbours the crop that is tested.
    views = [result.settings.get("views") for result in report.results]
    assert views == [None, 2, None, None]
    assert report.results[1].outcomes[0].value == 1.0
    # Besides the noise of fingerprints, both crops of both sets, and more.
    assert encoder.encoder.seen == 2 * (60 + 30) + 2 * 60 + 4
    with pytest.raises(ValueError, match="`views`.*-1"):
        probes.evaluate(encoder, places, ["knn"], views=-1)


def test_one_decoder_learns_all_tasks():
    told = []
    report = probes.evaluate(
        oracle(),
        [work("count"), work()],
        [probes.make_probe("decoder", **DECODER), "knn"],
        progress=lambda *stage: told.append(stage),
    )
    assert [(r.task, r.probe) for r in report.results] == [
        ("count", "decoder"),
        ("count", "knn"),
        ("classification", "decoder"),
        ("classification", "knn"),
    ]
    found = report.results[0]
    assert found.settings["beside"] == ["classification", "count"]
    assert found.settings["probe"]["hidden_dim"] == 12
    assert found.outcomes[0].examples == 30
    stages = dict.fromkeys(stage for stage, _, _ in told)
    assert "count: train" in stages and "decoder on 2 tasks" in stages
    assert ("count: train", 60, 60) in told


def test_a_run_is_a_function_of_its_seed():
    runs = [
        probes.evaluate(
            oracle(),
            [work("count")],
            [probes.make_probe("decoder", seed=1, **DECODER)],
        )
        for _ in range(2)
    ]
    one, other = (
        run.results[0].outcomes[0].per_example.tolist() for run in runs
    )
    assert one == other


def test_the_encoder_stays_as_it_is():
    model = factory.abclip(target_rate=0.1)
    before = [np.array(w) for w in model.get_weights()]
    probes.evaluate(
        model,
        ["count", "action"],
        [probes.make_probe("decoder", **DECODER), "knn", LINEAR],
        train_size=24,
        test_size=8,
    )
    for one, other in zip(before, model.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_an_unseen_class_is_a_miss():
    train = coded(60, classes=3)
    (result,) = probes.evaluate(oracle(), [work(train=train)], ["knn"]).results
    test = work().splits.test
    unseen = sum(test[i]["label"] == 3 for i in range(30))
    assert unseen
    outcome = result.outcomes[0]
    assert outcome.extra["unseen"] == unseen
    assert outcome.value == pytest.approx(1 - unseen / 30)


def photos(folder, classes=("cat", "dog"), each=10, bad=2):
    for value, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for i in range(each):
            pixels = np.full((16, 16, 3), 80 * value, "uint8")
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    for i in range(bad):
        (folder / classes[0] / f"bad{i}.png").write_bytes(b"nothing")
    return folder


def test_your_own_folder(tmp_path):
    folder = photos(tmp_path / "photos")
    (result,) = probes.evaluate(
        oracle(), [f"classification={folder}"], [probes.KNN(k=3)]
    ).results
    assert result.task == "classification=photos"
    assert result.outcomes[0].value == 1.0
    skipped = sum(split["skipped"] for split in result.data.values())
    records = sum(split["records"] for split in result.data.values())
    assert (records, skipped) == (20, 2)
    assert any("bad" in r for s in result.data.values() for r in s["reasons"])


@pytest.mark.parametrize(
    "given, probe, message",
    [
        (["tree"], ["knn"], "task must be one of.*'tree'"),
        (["count"], ["tree"], "probe must be one of.*'tree'"),
        (["detection"], ["knn"], r"'detection'.*'decoder'.*\['knn'\]"),
        (["count", "count"], ["knn"], r"each once.*\['count', 'count'\]"),
        (["count"], ["knn", "knn"], r"each once.*\['knn', 'knn'\]"),
        ([], ["knn"], "none"),
        (["count"], [], "none"),
        (["count=nowhere"], ["knn"], "nowhere"),
    ],
)
def test_what_is_not_accepted(given, probe, message):
    with pytest.raises((ValueError, OSError), match=message):
        probes.evaluate(oracle(), given, probe)


def test_missing_labels_are_named():
    encoder = oracle()
    with pytest.raises(ValueError, match=r"\['boxes'.*'0-0'.*'label'"):
        probes.evaluate(encoder, [work("detection")], ["decoder"])
    # Before any work is done.
    assert encoder.encoder.seen == 0


def test_names_of_too_few_classes():
    train = coded(60)
    train.class_names = ["a", "b", "c"]
    with pytest.raises(ValueError, match=r"3 classes.*Received: 3"):
        probes.evaluate(oracle(), [work(train=train)], ["knn"])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    factory.abclip(target_rate=0.1).save(folder / "mine.keras")
    return str(folder / "mine.keras")


@pytest.mark.parametrize(
    "names",
    [
        ["count", "captions"],
        pytest.param(list(probes.TASKS), marks=pytest.mark.slow),
    ],
)
def test_the_command(saved, tmp_path, capsys, names):
    file = str(tmp_path / "out" / "mine.json")
    arguments = [
        saved,
        *names,
        "--probe",
        "decoder",
        "knn",
        "--train",
        "24",
        "--test",
        "8",
        *TINY,
        "--network",
        "online",
        "--json",
        file,
    ]
    assert command.main(arguments) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "mine, online network" in shown
    for name in names:
        assert name in shown
    report = probes.Report.load(file)
    assert report.command == ["python", "-m", "keras_ab.probes", *arguments]
    assert report.encoder["branch"] == "online"
    assert {r.task for r in report.results} == set(names)
    single = {r.task for r in report.results if r.probe == "knn"}
    assert single == {"classification", "count", "depth"} & set(names)


def test_files_of_the_command_are_compared(saved, tmp_path, capsys):
    files = [str(tmp_path / f"{name}.json") for name in ("online", "target")]
    for network, file in zip(("online", "target"), files):
        options = ["--train", "30", "--test", "12", "--json", file]
        command.main(
            [saved, "count", "--probe", "knn", "--network", network, *options]
        )
    capsys.readouterr()
    assert command.main(["compare", *files]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "mine (online)" in shown and "count" in shown
    # Both networks are the same before training.
    cells = probes.compare(files).cells
    assert [c.difference for c in cells.values()] == [None, 0.0]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["nowhere.keras", "count"], "no model 'nowhere.keras'"),
        (["MODEL", "tree"], "'tree'"),
        (["MODEL", "count", "--probe", "tree"], "'tree'"),
        (["MODEL", "count", "--set", "decoder.depth=3"], "'depth'"),
        (["MODEL", "count", "--data", "nowhere"], "nowhere"),
        (["MODEL", "detection", "--probe", "knn"], "'decoder'"),
        (
            ["MODEL", "count", "--data", "scenes", "--option", "colour=1"],
            "colour",
        ),
    ],
)
def test_the_command_says_what_is_wrong(saved, capsys, arguments, message):
    arguments = [saved if a == "MODEL" else a for a in arguments]
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error


def test_the_command_needs_a_whole_setting(saved, capsys):
    for text in ("epochs=1", "decoder.epochs", "knn.k=3"):
        with pytest.raises(SystemExit):
            command.main([saved, "count", "--set", text])
        assert "PROBE.NAME=VALUE" in capsys.readouterr().err


def test_tasks_have_their_names():
    for name in probes.TASKS:
        task = probes.make_task(name)
        assert task.name == name and probes.probes_for(task)
    own = tasks.Counting(name="mine")
    assert probes.make_task(own) is own
