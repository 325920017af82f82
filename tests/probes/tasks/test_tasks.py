"""Tasks: what they ask, what is right, and what bad records lead to."""

import numpy as np
import pytest

import keras_ab
from keras_ab.probes import tasks
from keras_ab.probes.tasks import Prediction
from keras_ab.probes.tasks.boxes import box_tokens
from keras_ab.probes.tasks.boxes import token_boxes
from keras_ab.probes.tasks.nearest_depth import CLEVR
from keras_ab.probes.tasks.noise_boxes import NOISE
from keras_ab.probes.tasks.noise_boxes import noise_boxes


@pytest.fixture(scope="module")
def scenes():
    source = keras_ab.data.Scenes(size=150)
    return source, tasks.read_records(source, size=True)


@pytest.fixture(scope="module")
def frames():
    source = keras_ab.data.Video(clips=40, frames=3).middle_frames()
    return source, tasks.read_records(source)


ON_SCENES = [
    tasks.Classification,
    tasks.Counting,
    tasks.NearestDepth,
    tasks.BoxClassification,
    tasks.Detection,
    tasks.VisualQuestions,
    tasks.Captioning,
]


def right(task, records):
    return [[Prediction(e.answer) for e in task.examples(r)] for r in records]


@pytest.mark.parametrize("kind", ON_SCENES)
def test_a_task_on_scenes(kind, scenes):
    source, records = scenes
    task = kind().prepare(records[:100], source)
    test = records[100:]
    assert len(set(task.words)) == len(task.words)
    best = task.evaluate(right(task, test), test)
    chance = task.chance(test)
    assert [o.name for o in best] == list(chance)
    for outcome in best:
        blind = chance[outcome.name]
        np.testing.assert_equal(outcome.chance, blind)
        if not np.isnan(outcome.value):
            assert outcome.value > 0.7 and outcome.value > blind
    again = kind().prepare(records[:100], source)
    assert again.describe() == task.describe()
    assert again.chance(test) == pytest.approx(chance, nan_ok=True)
    # Examples for training are as many, with the same prompts.
    rng = np.random.default_rng(0)
    for record in test[:10]:
        for a, b in zip(
            task.examples(record), task.examples(record, rng), strict=True
        ):
            assert a.prompt == b.prompt


@pytest.mark.parametrize("kind", ON_SCENES)
def test_answers_are_within_the_grammar(kind, scenes):
    source, records = scenes
    task = kind().prepare(records, source)
    words, slots = set(task.words), task.grammar.slots
    rng = np.random.default_rng(0)
    for record in records[:30]:
        for example in task.examples(record, rng):
            assert 0 < len(example.answer) <= len(slots)
            for token, slot in zip(example.answer, slots):
                if isinstance(token, str):
                    assert token in words
                    assert token in slot.words or token == NOISE
                else:
                    first, last = slot.coordinates
                    assert first <= token <= last
            for token in example.prompt:
                assert isinstance(token, int) or token in words
            if example.weights is not None:
                assert len(example.weights) == len(example.answer) + 1


def test_labels_serve_any_classifier(scenes):
    source, records = scenes
    task = tasks.Classification().prepare(records, source)
    labels = task.labels(records)
    names = source.class_names
    assert labels == [names[r["label"]] for r in records]
    wrong = ["cup" if label != "cup" else "car" for label in labels[:50]]
    predictions = task.from_labels(labels[50:] + wrong)
    found = task.evaluate(predictions, records[50:] + records[:50])
    assert found[0].value == pytest.approx(100 / 150)
    assert found[0].examples == 150
    with pytest.raises(ValueError, match="one label"):
        tasks.Detection().prepare(records, source).labels(records)


def test_chance_is_the_most_frequent_class():
    train = [{"id": str(i), "label": i % 3 and 7} for i in range(9)]
    test = [{"id": str(i), "label": (7, 7, 7, 0, 5)[i]} for i in range(5)]
    task = tasks.Classification().prepare(train)
    assert task.words == ["class 0", "class 7"]
    assert task.chance(test) == {"accuracy": pytest.approx(0.6)}
    outcome = task.evaluate(task.blind(test), test)[0]
    # Class 5 was never shown.
    assert outcome.extra == {"unseen": 1}
    assert outcome.value == outcome.chance == pytest.approx(0.6)


def test_a_field_of_its_own(frames):
    source, records = frames
    task = tasks.Classification(field="verb").prepare(records, source)
    assert set(task.words) == set(source.source.verb_names)
    strings = [{"id": "a", "place": "shop"}, {"id": "b", "place": "beach"}]
    task = tasks.Classification(field="place").prepare(strings)
    assert task.words == ["beach", "shop"]


def test_names_that_occur_twice_are_told_apart():
    class Named:
        class_names = ("crane", "cat", "crane")

    records = [{"id": str(i), "label": i} for i in range(3)]
    task = tasks.Classification().prepare(records, Named())
    assert task.labels(records) == ["crane (0)", "cat", "crane (2)"]


def test_depth_is_binned_as_in_vtab():
    rng = np.random.default_rng(0)
    records = []
    for i in range(200):
        depths = rng.uniform(5, 14, 4)
        if i < 5:
            depths[0] = (8.0, 8.5, 9.0, 9.5, 10.0)[i]
            depths[1:] = 13.0
        coordinates = np.stack([depths * 0, depths * 0, depths], 1)
        records.append({"id": str(i), "pixel_coords": coordinates})
    task = tasks.NearestDepth().prepare(records)
    assert task.edges == CLEVR and len(task.words) == 6
    for record, label in zip(records, task.labels(records)):
        nearest = min(row[2] for row in record["pixel_coords"])
        # The last threshold that lies strictly below.
        below = [i for i, edge in enumerate(CLEVR) if edge < nearest]
        assert label == f"depth {below[-1]}"
    counting = tasks.Counting().prepare(records)
    assert counting.labels(records) == ["4"] * 200


def test_depth_by_quantiles(scenes):
    _, records = scenes
    task = tasks.NearestDepth(bins=4).prepare(records)
    counts = np.unique(task.labels(records), return_counts=True)[1]
    assert len(counts) == 4 and counts.min() > 25
    assert task.describe()["bins"] == 4
    fixed = tasks.NearestDepth(edges=(0, 1.2, 5)).prepare(records)
    for record, label in zip(records, fixed.labels(records)):
        assert label == f"depth {int(record['depth'] > 1.2)}"


def test_action_needs_both(frames):
    source, records = frames
    task = tasks.Action().prepare(records, source)
    verbs, nouns = source.source.verb_names, source.source.class_names
    said = []
    for i, record in enumerate(records):
        verb, noun = verbs[record["verb"]], nouns[record["noun"]]
        assert task.examples(record)[0].answer == (verb, noun)
        if i % 4 == 1:
            verb = next(v for v in verbs if v != verb)
        if i % 4 == 2:
            noun = next(n for n in nouns if n != noun)
        said.append([Prediction((verb, noun))])
    values = {o.name: o.value for o in task.evaluate(said, records)}
    assert values == {"action": 0.5, "verb": 0.75, "noun": 0.75}


def test_boxes_are_bins_and_back():
    rng = np.random.default_rng(0)
    low = rng.random((500, 2)) * 0.9
    boxes = np.concatenate([low, low + rng.uniform(0.001, 0.1, (500, 2))], 1)
    bins = box_tokens(boxes)
    np.testing.assert_array_equal(bins[:, 0], np.round(low[:, 0] * 999))
    np.testing.assert_allclose(token_boxes(bins), boxes, atol=1.6 / 999)
    thin = [[0.5, 0.5, 0.50001, 0.50001], [0.9999, 0, 1, 1], [0, 0, 1, 1]]
    bins = box_tokens(np.array(thin))
    assert (bins[:, 2:] > bins[:, :2]).all()
    assert bins.min() == 0 and bins.max() == 999


def test_noise_boxes_are_boxes():
    rng = np.random.default_rng(0)
    real = np.array([[0.1, 0.2, 0.9, 1.0], [0.0, 0.0, 0.01, 0.5]])
    for boxes in (real, real[:0]):
        noise = noise_boxes(boxes, 300, rng)
        assert noise.shape == (300, 4)
        assert noise.min() >= 0 and noise.max() <= 1 + 1e-12
        assert (noise[:, 2:] > noise[:, :2]).all()


def test_training_answers_of_detection(scenes):
    source, records = scenes
    task = tasks.Detection().prepare(records, source)
    record = max(records, key=lambda r: len(r["boxes"]))
    count = len(record["boxes"])
    # Four more than the most that training shows.
    assert task.most == count + 4
    rng = np.random.default_rng(0)
    plain = task.examples(record)[0]
    orders = set()
    for _ in range(5):
        drawn = task.examples(record, rng)[0]
        rows = [drawn.answer[5 * i : 5 * i + 5] for i in range(task.most)]
        weights = np.reshape(drawn.weights[:-1], (task.most, 5))
        assert drawn.weights[-1] == 0.1
        assert {row[4] for row in rows[count:]} == {NOISE}
        np.testing.assert_array_equal(weights[:count], 1)
        np.testing.assert_array_equal(weights[count:, :4], 0)
        np.testing.assert_array_equal(weights[count:, 4], 1)
        there = [plain.answer[5 * i : 5 * i + 5] for i in range(count)]
        assert sorted(rows[:count]) == sorted(there)
        orders.add(tuple(rows[:count]))
    assert len(orders) > 1


def test_scores_of_detections_are_those_of_classes():
    record = {
        "id": "a",
        "boxes": np.array([[0.1, 0.1, 0.5, 0.5]]),
        "classes": np.array([0]),
        "size": (100, 100),
    }
    other = {**record, "classes": np.array([1])}
    task = tasks.Detection().prepare([record, other])
    box, far = (100, 100, 500, 500), (600, 600, 900, 900)
    tokens = (*far, "class 0", *box, "class 0")
    # Only the fifth of five says how sure a detection is.
    for ours, theirs, expected in ((0.9, 0.2, 1.0), (0.1, 0.2, 0.5)):
        shares = (0.9, 0.9, 0.9, 0.9, theirs, 0.01, 0.01, 0.01, 0.01, ours)
        outcome = task.evaluate([[Prediction(tokens, shares)]], [record])[0]
        assert outcome.value == pytest.approx(expected)
        assert outcome.extra["per_class"] == {"class 0": outcome.value}


def test_boxes_that_cannot_be_asked_about():
    boxes = np.array(
        [
            [0.1, 0.1, 0.5, 0.5],
            [0.3, 0.3, 0.3, 0.6],
            [0.2, np.nan, 0.4, 0.5],
            [0.0, 0.0, 1.0, 1.0],
        ]
    )
    record = {
        "id": "a",
        "boxes": boxes,
        "classes": np.array([0, 1, 1, 2]),
        "crowd": np.array([False, False, False, True]),
        "size": (50, 50),
    }
    task = tasks.BoxClassification().prepare([record])
    assert task.words == ["class 0"]
    examples = task.examples(record)
    assert [e.prompt for e in examples] == [(100, 100, 500, 500)]
    outcome = task.evaluate(right(task, [record]), [record])[0]
    assert (outcome.value, outcome.examples) == (1.0, 1)
    assert outcome.extra == {"unseen": 0, "skipped": 2}
    found = tasks.Detection().prepare([record])
    outcomes = found.evaluate(right(found, [record]), [record])
    assert outcomes[0].value == pytest.approx(1.0)
    assert outcomes[0].extra["skipped"] == 2


def test_crowds_are_ignored():
    record = {
        "id": "a",
        "boxes": np.array([[0.0, 0.0, 0.2, 0.2], [0.4, 0.4, 1.0, 1.0]]),
        "classes": np.array([0, 0]),
        "crowd": np.array([False, True]),
        "size": (100, 100),
    }
    task = tasks.Detection().prepare([record])
    # What lies in the crowd is neither right nor wrong.
    tokens = (500, 500, 600, 600, "class 0", 0, 0, 200, 200, "class 0")
    shares = (0.9,) * 10
    outcome = task.evaluate([[Prediction(tokens, shares)]], [record])[0]
    assert outcome.value == pytest.approx(1.0)


def test_intervals_of_boxes_draw_pictures(scenes):
    source, records = scenes
    task = tasks.BoxClassification().prepare(records, source)
    outcome = task.evaluate(task.blind(records), records)[0]
    sizes = np.bincount(outcome.groups, minlength=len(records))
    np.testing.assert_array_equal(sizes, [len(r["boxes"]) for r in records])


MISSING = [
    (tasks.Classification(), "label"),
    (tasks.Counting(), "count"),
    (tasks.NearestDepth(), "depth"),
    (tasks.BoxClassification(), "boxes"),
    (tasks.Detection(), "boxes"),
    (tasks.Action(), "verb"),
    (tasks.Captioning(), "text"),
    (tasks.VisualQuestions(), "questions"),
]


@pytest.mark.parametrize(
    "task, field", MISSING, ids=[task.name for task, _ in MISSING]
)
def test_missing_labels(task, field):
    records = [{"id": "picture 7", "image": 0, "other": 1}]
    with pytest.raises(ValueError) as error:
        task.prepare(records)
    for said in (task.name, field, "picture 7", "other"):
        assert said in str(error.value)
    with pytest.raises(ValueError, match="training records"):
        task.prepare([])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: tasks.Classification(crop="half"), "crop"),
        (lambda: tasks.NearestDepth(edges=(3, 2, 1)), "rising"),
        (lambda: tasks.NearestDepth(bins=1), "bins"),
        (lambda: tasks.Detection(most=0), "most"),
        (lambda: tasks.Captioning(longest=0), "longest"),
    ],
)
def test_wrong_settings(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_list_of_names_that_is_too_short(scenes):
    class Short:
        class_names = ("cup", "car")

    _, records = scenes
    for kind in (tasks.Classification, tasks.BoxClassification):
        with pytest.raises(ValueError, match="names 2 classes.*Received"):
            kind().prepare(records, Short())


def test_predictions_for_other_records(scenes):
    source, records = scenes
    for kind in ON_SCENES:
        task = kind().prepare(records, source)
        with pytest.raises(ValueError, match="prediction for each"):
            task.evaluate(right(task, records[:5]), records[:6])
    task = tasks.Counting().prepare(records)
    with pytest.raises(ValueError, match="from_labels"):
        task.evaluate([["3"]] * 4, records[:4])


def test_records_without_what_is_asked(scenes):
    empty = {"id": "a", "boxes": np.zeros((0, 4)), "classes": np.zeros(0, int)}
    for kind in (tasks.BoxClassification, tasks.Detection):
        with pytest.raises(ValueError, match="without one"):
            kind().prepare([empty])
    wrong = {**empty, "boxes": np.ones((2, 4))}
    with pytest.raises(ValueError, match="shapes"):
        tasks.BoxClassification().prepare([wrong])
    _, records = scenes
    task = tasks.Detection().prepare(records)
    unsized = [{k: v for k, v in records[0].items() if k != "size"}]
    with pytest.raises(ValueError, match="size"):
        task.evaluate(right(task, unsized), unsized)
    blank = [{"id": "a", "text": ["  ", "..."]}]
    with pytest.raises(ValueError, match="caption with a word"):
        tasks.Captioning().prepare(blank)


def test_sizes_come_from_headers(tmp_path):
    from PIL import Image

    for name, size in (("a.png", (30, 20)), ("b.webp", (50, 40))):
        Image.new("RGB", size).save(tmp_path / name)
    turned = Image.new("RGB", (60, 10))
    exif = turned.getexif()
    exif[274] = 6
    turned.save(tmp_path / "c.jpg", exif=exif)
    source = keras_ab.data.from_folder(tmp_path)
    records = tasks.read_records(source, size=True)
    assert [r["size"] for r in records] == [(20, 30), (40, 50), (60, 10)]
    assert all("image" not in record for record in records)
    assert [r["id"] for r in tasks.read_records(source, [2])] == [
        records[2]["id"]
    ]
