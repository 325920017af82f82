"""Captions and questions, and what they are judged by."""

import numpy as np
import pytest

import keras_ab
from keras_ab.data.scenes import CLASSES
from keras_ab.data.scenes import COLOURS
from keras_ab.probes import tasks
from keras_ab.probes.tasks import Prediction
from keras_ab.probes.tasks.bleu import Bleu
from keras_ab.probes.tasks.cider import cider
from keras_ab.probes.tasks.questions import plural
from keras_ab.probes.tasks.texts import UNKNOWN

SAID = [
    "a red cup",
    "two dogs run in the park",
    "a man on a horse on the beach",
    "a cup on a table",
    "a cup on a cup on a cup",
]
REFERENCES = [
    ["a red cup on a table", "the cup is red", "a cup"],
    ["two dogs run in the park", "dogs that run"],
    [
        "a man rides a horse on the beach",
        "a man on a horse",
        "the beach with a horse and a man on it",
    ],
    ["an empty street", "a street at night with no car on it"],
    ["a cup on a table", "a blue cup next to a red cup"],
]
# What pycocoevalcap 1.2 gives for these.
CIDER = [2.47955365, 5.563996, 5.39894109, 0.01870358, 1.81091735]
BLEU_4 = 0.6520139604429117


def split(texts):
    return [text.split() for text in texts]


def test_cider_is_that_of_coco():
    result = cider(split(SAID), [split(group) for group in REFERENCES])
    np.testing.assert_allclose(result, CIDER, atol=1e-7)
    with pytest.raises(ValueError, match="same pictures"):
        cider(split(SAID), [split(group) for group in REFERENCES[:4]])
    with pytest.raises(ValueError, match="1 of them empty"):
        cider([["a"]], [[]])


def test_bleu_is_that_of_coco_and_sacrebleu():
    import sacrebleu

    bleu = Bleu(split(SAID), [split(group) for group in REFERENCES])
    everything = np.arange(len(SAID))
    np.testing.assert_allclose(bleu.of(everything), BLEU_4, atol=1e-8)
    for drawn in (everything, np.array([0, 2, 2, 4, 1])):
        streams = [
            [dict(enumerate(REFERENCES[i])).get(k) for i in drawn]
            for k in range(3)
        ]
        expected = sacrebleu.corpus_bleu(
            [SAID[i] for i in drawn],
            streams,
            tokenize="none",
            smooth_method="none",
        )
        np.testing.assert_allclose(bleu.of(drawn), expected.score / 100)


def test_captions_are_judged_as_words():
    records = [
        {"id": str(i), "text": [f"{text.capitalize()}." for text in group]}
        for i, group in enumerate(REFERENCES)
    ]
    task = tasks.Captioning().prepare(records)
    said = [[Prediction(tuple(words))] for words in split(SAID)]
    outcomes = {o.name: o for o in task.evaluate(said, records)}
    np.testing.assert_allclose(outcomes["CIDEr"].per_example, CIDER, atol=1e-7)
    np.testing.assert_allclose(outcomes["BLEU-4"].value, BLEU_4, atol=1e-8)
    low, high = outcomes["BLEU-4"].interval
    assert low < BLEU_4 < high


def test_long_and_rare_words():
    records = [
        {"id": "a", "text": ["a cup a cup a cup", "one zebra"]},
        {"id": "b", "text": "a cup"},
    ]
    task = tasks.Captioning(longest=4, most_words=2).prepare(records)
    assert task.words == ["a", "cup", UNKNOWN]
    assert len(task.grammar.slots) == 4
    first = task.examples(records[0])[0]
    assert first.answer == ("a", "cup", "a", "cup")
    # It was cut, so nothing is said about where it ends.
    assert first.weights == (1, 1, 1, 1, 0)
    rng = np.random.default_rng(0)
    drawn = {task.examples(records[0], rng)[0] for _ in range(20)}
    rare = next(e for e in drawn if len(e.answer) == 2)
    assert rare.answer == (UNKNOWN, UNKNOWN) and rare.weights == (0, 0, 1)
    assert UNKNOWN not in task.grammar.slots[0].words
    assert task.examples(records[1])[0].answer == ("a", "cup")


def test_questions_about_scenes_have_true_answers():
    scenes = keras_ab.data.Scenes(size=80)
    kinds, answers = set(), {"yes": 0, "no": 0}
    plurals = {plural(name): i for i, name in enumerate(CLASSES)}
    assert len(plurals) == len(CLASSES)
    for record in tasks.read_records(scenes):
        classes = list(record["classes"])
        asked = tasks.scene_questions(record)
        assert asked == tasks.scene_questions(record)
        assert len({question for _, question, _ in asked}) == len(asked)
        for kind, question, answer in asked:
            kinds.add(kind)
            assert question.startswith(kind)
            name = question.split()[-1]
            if kind == "how many":
                assert int(answer) == classes.count(plurals[name]) > 0
            elif kind == "is there":
                there = CLASSES.index(name) in classes
                assert answer == ("yes" if there else "no")
                answers[answer] += 1
            else:
                where = classes.index(CLASSES.index(name))
                assert classes.count(classes[where]) == 1
                assert answer == list(COLOURS)[record["colours"][where]]
    assert kinds == {"how many", "what colour", "is there"}
    assert 0.3 < answers["yes"] / sum(answers.values()) < 0.7
    nothing = {
        "id": "a",
        "classes": np.zeros(0, int),
        "colours": np.zeros(0, int),
    }
    assert tasks.scene_questions(nothing) == []


def test_questions_of_ones_own():
    train = [
        {"id": "a", "questions": [("How many dogs?", "2"), ("Wet?", "yes")]},
        {"id": "b", "questions": [("How many dogs?", ["2", "2", "3", "two"])]},
        {"id": "c", "questions": [("What is it?", "a zebra crossing")]},
    ]
    task = tasks.VisualQuestions(most_answers=2).prepare(train)
    assert task.grammar.slots[0].words == ("2", "a zebra crossing")
    first, second = task.examples(train[0])
    assert (first.prompt, first.answer) == (("how", "many", "dogs"), ("2",))
    # "yes" is no answer that can be given, so it teaches nothing.
    assert second.weights == (0.0, 0.0)
    test = [
        {"id": "d", "questions": [("How many cats?", ["2", "2", "4", "4"])]},
        {"id": "e", "questions": [("Is it wet?", "2")]},
    ]
    assert task.examples(test[0])[0].prompt == ("how", "many", UNKNOWN)
    blind = task.blind(test)
    # Of its kind in the first case; nothing of the kind in the second.
    assert [p[0].tokens for p in blind] == [("2",), ("2",)]
    outcome = task.evaluate(blind, test)[0]
    # Two of four people: two thirds of what three would be worth.
    np.testing.assert_allclose(outcome.per_example, [2 / 3, 1])
    asked = tasks.VisualQuestions(ask=lambda record: [("k", "q", "x")])
    assert asked.prepare([{}]).examples({})[0].answer == ("x",)
    with pytest.raises(ValueError, match="pairs.*'a'"):
        task.examples({"id": "a", "questions": ["How?"]})
    with pytest.raises(ValueError, match="without one"):
        tasks.VisualQuestions().prepare([{"id": "a", "questions": []}])
