"""The decoder: what its logits depend on, its loss, its generation."""

import random

import keras
import numpy as np
import pytest
from keras import ops

from keras_ab.probes import DecoderProbe
from keras_ab.probes import tasks
from keras_ab.probes.decoder.block import CausalDecoderBlock
from keras_ab.probes.decoder.dropout import SeededDropout
from keras_ab.probes.decoder.generation import Generator
from keras_ab.probes.decoder.network import MultiTaskDecoder
from keras_ab.probes.decoder.network import answer_loss
from keras_ab.probes.decoder.rules import Rules
from keras_ab.probes.decoder.sequences import Sequences
from keras_ab.probes.decoder.sequences import TrainingBatches
from keras_ab.probes.decoder.vocabulary import END
from keras_ab.probes.decoder.vocabulary import Vocabulary
from keras_ab.probes.tasks.grammar import BOX
from keras_ab.probes.tasks.grammar import Grammar
from keras_ab.probes.tasks.grammar import Slot
from tests.probes.decoder import pictures

RECORDS = pictures.records(40)


def numpy(x):
    return ops.convert_to_numpy(x)


def prepared():
    kinds = (
        tasks.Counting,
        tasks.BoxClassification,
        tasks.Action,
        tasks.Captioning,
        tasks.Detection,
    )
    return [kind().prepare(RECORDS) for kind in kinds]


def network(size=60, length=12, seed=0, **kwargs):
    keras.utils.set_random_seed(seed)
    decoder = MultiTaskDecoder(
        size,
        length,
        2,
        hidden_dim=16,
        num_heads=2,
        intermediate_dim=32,
        **kwargs,
    )
    decoder.build({"tokens": (2, 4, 8), "ids": (2, length)})
    return decoder


def inputs(batch=3, length=12, size=60, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "tokens": rng.normal(size=(batch, 4, 8)).astype("float32"),
        "ids": rng.integers(0, size, (batch, length)).astype("int32"),
    }


def test_the_mask_is_causal():
    decoder, x = network(), inputs()
    before = numpy(decoder(x))
    assert before.shape == (3, 12, 60)
    for place in range(12):
        changed = {**x, "ids": np.copy(x["ids"])}
        changed["ids"][:, place] = (changed["ids"][:, place] + 7) % 60
        after = numpy(decoder(changed))
        # What comes before is the same to the bit, and all that follows
        # changes: no token looks ahead, and each looks at all before it.
        np.testing.assert_array_equal(after[:, :place], before[:, :place])
        difference = abs(after - before)[:, place:].max(axis=(0, 2))
        assert (difference > 1e-6).all()


def test_each_picture_is_seen_by_its_own_sequence():
    decoder, x = network(), inputs()
    before = numpy(decoder(x))
    changed = {**x, "tokens": np.copy(x["tokens"])}
    changed["tokens"][1] += 1.0
    after = numpy(decoder(changed))
    np.testing.assert_allclose(after[[0, 2]], before[[0, 2]], atol=1e-6)
    assert (abs(after - before)[1].max(-1) > 1e-5).all()


def test_other_tasks_in_the_batch_change_nothing():
    ready = prepared()
    vocabulary = Vocabulary.of(ready)
    sequences = [Sequences(task, vocabulary, 4) for task in ready]
    longest = max(s.length for s in sequences)
    decoder = network(len(vocabulary), longest)
    tokens = pictures.noise(len(RECORDS))[:4]

    def batch(chosen, length):
        rows = [
            s.encode(s.task.examples(RECORDS[i])[0], length)[0]
            for s in chosen
            for i in range(4)
        ]
        repeated = np.concatenate([tokens] * len(chosen))
        return numpy(decoder({"tokens": repeated, "ids": np.stack(rows)}))

    together = batch(sequences, longest)
    for number, sequence in enumerate(sequences):
        mine = slice(4 * number, 4 * number + 4)
        # By itself, padded to its own length alone.
        alone = batch([sequence], sequence.length)
        np.testing.assert_allclose(
            alone, together[mine, : sequence.length], atol=2e-5
        )
        # With one other task, before it and after it.
        other = sequences[number - 1]
        pair = batch([other, sequence], longest)
        np.testing.assert_allclose(pair[4:], together[mine], atol=2e-5)


def test_only_answers_count():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 5, 7)).astype("float32")
    targets = rng.integers(0, 7, (3, 5))
    weights = np.array([[0, 1, 1, 0.1, 0], [0, 0, 0, 1, 0], [0] * 5], "float32")
    for smoothing in (0.0, 0.2):
        expected = []
        for row in range(3):
            total = 0.0
            for i in range(5):
                share = np.exp(logits[row, i].astype("float64"))
                share /= share.sum()
                wanted = np.full(7, smoothing / 7)
                wanted[targets[row, i]] += 1 - smoothing
                total -= weights[row, i] * (wanted * np.log(share)).sum()
            expected.append(total / max(weights[row].sum(), 1e-6))
        result = numpy(answer_loss(logits, targets, weights, smoothing))
        np.testing.assert_allclose(result, expected, rtol=1e-5)
    other = np.where(weights == 0, rng.integers(0, 7, (3, 5)), targets)
    np.testing.assert_array_equal(
        numpy(answer_loss(logits, targets, weights)),
        numpy(answer_loss(logits, other, weights)),
    )


def test_sequences():
    ready = prepared()
    vocabulary = Vocabulary.of(ready)
    assert len(set(vocabulary.tokens)) == len(vocabulary)
    box = Sequences(ready[1], vocabulary, 4)
    example = ready[1].examples(RECORDS[0])[0]
    ids, targets, weights = box.encode(example, 9)
    spelt = ["<task: box-classification>", *example.prompt]
    assert vocabulary.decode(ids[:5]) == tuple(spelt)
    assert vocabulary.decode(targets[4:5]) == example.answer
    # Nothing but the end can follow, so that it teaches nothing.
    np.testing.assert_array_equal(weights, np.eye(9)[4])
    caption = Sequences(ready[3], vocabulary, 4)
    example = ready[3].examples(RECORDS[0])[0]
    ids, targets, weights = caption.encode(example, 9)
    assert vocabulary.decode(targets[:3]) == example.answer
    np.testing.assert_array_equal(weights, [1, 1, 1, 0, 0, 0, 0, 0, 0])
    short = tasks.Captioning().prepare(
        [*RECORDS, {"id": "x", "text": "word0 word0 word0 word0 word0"}]
    )
    weights = Sequences(short, vocabulary, 4).encode(example, 9)[2]
    np.testing.assert_array_equal(weights, [1, 1, 1, 1, 0, 0, 0, 0, 0])
    with pytest.raises(ValueError, match="different names"):
        Vocabulary.of([ready[0], ready[0]])


def test_batches_are_a_function_of_seed_and_number():
    ready = prepared()
    vocabulary = Vocabulary.of(ready)
    sequences = [Sequences(task, vocabulary, 4) for task in ready]
    tokens = {task.name: pictures.noise(40) for task in ready}
    records = {task.name: RECORDS for task in ready}

    def batches(seed):
        return TrainingBatches(
            sequences, tokens, records, 20, 40, epochs=2, seed=seed
        )

    first, again, other = batches(0), batches(0), batches(1)
    assert len(first) == 2 * 5 * 40 // 20
    again[3]
    for number in (0, 13):
        a, b, c = first[number], again[number], other[number]
        np.testing.assert_array_equal(a[0]["ids"], b[0]["ids"])
        np.testing.assert_array_equal(a[0]["tokens"], b[0]["tokens"])
        assert (a[0]["ids"] != c[0]["ids"]).any()
    # Each picture of each task once an epoch.
    prompts = np.concatenate([first[i][0]["ids"][:, 0] for i in range(10)])
    assert set(np.unique(prompts, return_counts=True)[1]) == {40}


def test_steps_are_the_whole():
    keras.utils.set_random_seed(0)
    block = CausalDecoderBlock(2, 32)
    rng = np.random.default_rng(0)
    tokens = rng.normal(size=(2, 6, 16)).astype("float32")
    context = rng.normal(size=(2, 5, 16)).astype("float32")
    expected = numpy(block(tokens, context))
    memory = block.memory(context)
    empty = ops.zeros((2, 6, 2, 8))
    cache = (empty, empty)
    for here in range(6):
        step, cache = block.step(
            ops.convert_to_tensor(tokens[:, here : here + 1]),
            ops.convert_to_tensor(here, "int32"),
            cache,
            memory,
        )
        np.testing.assert_allclose(
            numpy(step)[:, 0], expected[:, here], atol=1e-5
        )


def generate(decoder, grammar, vocabulary, prompts, tokens):
    longest = max(len(p) for p in prompts)
    filled = np.full((len(prompts), longest), 3, "int32")
    for row, prompt in zip(filled, prompts):
        row[: len(prompt)] = prompt
    rules = Rules.of(grammar, vocabulary)
    found = Generator(decoder, rules, longest).predict_on_batch(
        {
            "tokens": tokens,
            "prompt": filled,
            "length": np.array([len(p) for p in prompts], "int32"),
        }
    )
    return numpy(found["ids"]), numpy(found["probabilities"])


def by_hand(decoder, grammar, vocabulary, prompt, tokens):
    """Greedy answers by whole passes, one sequence at a time, and loops.

    Passes have one length, as JAX would compile each length anew; the mask
    hides what comes later.
    """
    ids, answer, shares = list(prompt), [], []
    for place, slot in enumerate(grammar.slots):
        filled = np.zeros((1, decoder.length), "int32")
        filled[0, : len(ids)] = ids
        logits = numpy(decoder({"tokens": tokens[None], "ids": filled}))
        row = logits[0, len(ids) - 1].astype("float64")
        allowed = []
        for i, token in enumerate(vocabulary.tokens):
            if i == END:
                fits = slot.end
            elif isinstance(token, str):
                fits = token in slot.words
            else:
                fits = slot.coordinates is not None and (
                    slot.coordinates[0] <= token <= slot.coordinates[1]
                )
                if slot.above:
                    floor = vocabulary.tokens[answer[place - slot.above]]
                    fits = fits and token > floor
            if fits:
                allowed.append(i)
        chosen = max(allowed, key=lambda i: row[i])
        if chosen == END:
            break
        share = np.exp(row - row.max())
        shares.append(share[chosen] / share.sum())
        answer.append(chosen)
        ids.append(chosen)
    return answer, shares


def test_generation_is_greedy_within_the_grammar():
    vocabulary = Vocabulary(["a", "b"], ["x", "y", "z"])
    words = Slot(words=("x", "y", "z"), end=True)
    grammar = Grammar((*BOX, Slot(words=("x", "y")), *[words] * 4))
    decoder = network(len(vocabulary), 14)
    # The same weights on every backend; logits far apart, so that another
    # order of sums chooses no other id; the end is likely enough to end some
    # answers early.
    rng = np.random.default_rng(0)
    decoder.set_weights(
        [
            w if w.ndim < 2 else rng.normal(size=w.shape)
            for w in decoder.get_weights()
        ]
    )
    kernel, bias = (numpy(w) for w in decoder.head.weights)
    bias = np.where(np.arange(len(bias)) == END, 60.0, bias)
    decoder.head.set_weights([30 * kernel, bias])
    prompts = [[2], [3, 700], [2, 10, 500], [3], [2, 5], [3, 99, 98]]
    tokens = inputs(batch=len(prompts))["tokens"]
    ids, shares = generate(decoder, grammar, vocabulary, prompts, tokens)
    lengths = set()
    for row, probabilities, prompt, own in zip(ids, shares, prompts, tokens):
        answer, expected = by_hand(decoder, grammar, vocabulary, prompt, own)
        lengths.add(len(answer))
        np.testing.assert_array_equal(row[: len(answer)], answer)
        np.testing.assert_array_equal(row[len(answer) :], END)
        np.testing.assert_allclose(
            probabilities[: len(answer)], expected, rtol=1e-2, atol=1e-4
        )
    assert len(lengths) > 1


def hostile(decoder, vocabulary, kind, seed):
    """A decoder that wants what it must not."""
    rng = np.random.default_rng(seed)
    kernel, bias = decoder.head.get_weights()
    start = vocabulary.first_coordinate
    if kind == "random":
        kernel = 100 * rng.normal(size=kernel.shape)
    elif kind == "last":
        bias[-1] = 1e6
    elif kind == "first":
        bias[start] = 1e6
    elif kind == "words":
        bias[:start] = 1e6
    elif kind == "infinite":
        bias[start + 5 :] = -np.inf
        bias[:3] = np.inf
    else:
        kernel[:] = np.nan
    decoder.head.set_weights([kernel, bias])


@pytest.mark.parametrize(
    "kind", ["random", "last", "first", "words", "infinite", "nan"]
)
def test_no_impossible_box(kind):
    task = tasks.Detection(most=3).prepare(RECORDS)
    vocabulary = Vocabulary.of([task, tasks.Counting().prepare(RECORDS)])
    prompt = vocabulary.prompt(task.name)
    decoder = network(len(vocabulary), 16)
    rules = Rules.of(task.grammar, vocabulary)
    generator = Generator(decoder, rules, 1)
    batch = {
        "tokens": inputs(batch=30)["tokens"],
        "prompt": np.full((30, 1), prompt, "int32"),
        "length": np.ones(30, "int32"),
    }
    classes = set(task.classes.words)
    for seed in range(3 if kind == "random" else 1):
        hostile(decoder, vocabulary, kind, seed)
        found = generator.predict_on_batch(batch)
        for row in numpy(found["ids"]):
            tokens = vocabulary.decode(row)
            assert len(tokens) == 15
            for i in range(0, 15, 5):
                y0, x0, y1, x1, word = tokens[i : i + 5]
                assert 0 <= y0 < y1 <= 999 and 0 <= x0 < x1 <= 999
                assert word in classes


def test_dropout():
    layer = SeededDropout(0.25)
    x = np.ones((40, 50), "float32")
    dropped = numpy(layer(x, training=True))
    assert set(np.unique(dropped).round(4)) == {0, np.float32(1.3333)}
    assert 0.2 < (dropped == 0).mean() < 0.3
    assert (numpy(layer(x, training=True)) != dropped).any()
    np.testing.assert_array_equal(numpy(layer(x)), x)
    with pytest.raises(ValueError, match="rate"):
        SeededDropout(1.0)


def test_a_seed_says_all_and_nothing_else_is_drawn():
    ready = tasks.Action().prepare(RECORDS)
    tokens = {"action": pictures.noise(40)}
    before = np.copy(tokens["action"])

    def fitted(seed):
        probe = DecoderProbe(updates=2, num_layers=1, hidden_dim=12, seed=seed)
        probe.fit([ready], tokens, {"action": RECORDS})
        return probe, probe.decoder.get_weights()

    random.seed(5)
    np.random.seed(5)
    states = random.getstate(), np.random.get_state(legacy=False)
    probe, first = fitted(0)
    probe.predict(ready, tokens["action"], RECORDS)
    assert random.getstate() == states[0]
    np.testing.assert_equal(np.random.get_state(legacy=False), states[1])
    random.seed(6)
    again, other = fitted(0)[1], fitted(1)[1]
    for a, b in zip(first, again):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(first, other))
    np.testing.assert_array_equal(tokens["action"], before)
    assert probe.describe()["updates"] == 2


def test_bad_input():
    ready = tasks.Counting().prepare(RECORDS)
    name, tokens = ready.name, pictures.noise(40)
    small = DecoderProbe(updates=1, hidden_dim=12)

    def fit(task=ready, tokens=tokens, records=RECORDS):
        return small.fit([task], {task.name: tokens}, {task.name: records})

    with pytest.raises(ValueError, match="must be prepared"):
        fit(tasks.Counting())
    with pytest.raises(ValueError, match=r"shape \(N, T, C\)"):
        fit(tokens=tokens[:30])
    with pytest.raises(ValueError, match=r"shape \(N, T, C\)"):
        fit(tokens=tokens[:, 0])
    with pytest.raises(ValueError, match="finite"):
        fit(tokens=tokens * np.nan)
    with pytest.raises(ValueError, match="must have task 'counting'"):
        small.fit([ready], {"a": tokens}, {"a": RECORDS})
    with pytest.raises(ValueError, match="needs a task"):
        small.fit([], {}, {})
    other = tasks.Action().prepare(RECORDS)
    with pytest.raises(ValueError, match="one shape"):
        small.fit(
            [ready, other],
            {name: tokens, "action": tokens[:, :2]},
            {name: RECORDS, "action": RECORDS},
        )
    with pytest.raises(ValueError, match=r"trained on the tasks \[\]"):
        small.predict(ready, tokens, RECORDS)
    with pytest.raises(ValueError, match="positive"):
        DecoderProbe(epochs=0)
    with pytest.raises(ValueError, match="does not end"):
        Grammar((Slot(words=("a",), end=True),))
    with pytest.raises(ValueError, match="Nothing may stand"):
        Grammar((Slot(),))
