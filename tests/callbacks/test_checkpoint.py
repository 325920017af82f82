"""A run that is cut off goes on as if it had not been."""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import warnings
import zipfile

import keras
import numpy as np
import pytest

from keras_ab import callbacks
from keras_ab.callbacks import files
from keras_ab.callbacks import random_state
from tests.callbacks import training
from tests.callbacks.quick import Adding
from tests.callbacks.quick import Pairs
from tests.callbacks.quick import adding
from tests.callbacks.quick import fit

ROOT = pathlib.Path(__file__).parent.parent.parent
BACKEND = keras.backend.backend()


def uninterrupted(folder, **kwargs):
    """State and logs of a run that is never saved, so never disturbed."""
    model = training.build(**kwargs)
    count = Counting(folder / "none")
    training.train(model, count, folder)
    return training.state(model), training.logs(folder)


class Counting(callbacks.Checkpoint):
    """A checkpoint that counts steps and writes nothing."""

    def save(self):
        self._saved_step = self.step


def cut_off():
    raise training.CutOff


def resumed(folder, cuts, every, **kwargs):
    """State and logs of a run that is cut off after each of some steps."""
    for number, cut in enumerate((*cuts, None)):
        # Other seeds: what is not restored is not the same by chance.
        model = training.build(seed=number, **kwargs)
        checkpoint = callbacks.Checkpoint(folder / "run", every_steps=every)
        start = checkpoint.restore(model)
        assert start == checkpoint.step
        try:
            extra = [training.At(checkpoint, cut, cut_off)] if cut else []
            training.train(model, checkpoint, folder, extra=extra)
        except training.CutOff:
            checkpoint._sigterm.unwatch()
    return training.state(model), training.logs(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return uninterrupted(tmp_path_factory.mktemp("whole"), accumulate=2)


def test_bit_for_bit(whole, tmp_path):
    # Step 5 is the second of three in its epoch, and the first of two in its
    # update; after its rest the run is saved between two epochs, at 6.
    check_resumed(tmp_path, whole, (5, 7), 5, accumulate=2)


@pytest.mark.slow
def test_bit_for_bit_compiled(tmp_path):
    (tmp_path / "whole").mkdir()
    whole = uninterrupted(tmp_path / "whole", run_eagerly=False)
    check_resumed(tmp_path, whole, (3, 5, 6, 7), 2, run_eagerly=False)


def check_resumed(folder, whole, cuts, every, **kwargs):
    wanted, wanted_logs = whole
    found, found_logs = resumed(folder, cuts, every, **kwargs)
    assert found_logs == wanted_logs
    assert len(wanted_logs) == training.STEPS + 3
    assert len(found) == len(wanted)
    for (path, value), (_, other) in zip(wanted, found):
        np.testing.assert_array_equal(other, value, err_msg=path)
    # The comparison would notice seeds that stand still.
    seeds = [v for p, v in wanted if "seed_generator" in p]
    assert any(seed[-1] > 0 for seed in seeds)


def program(folder, *cut):
    return subprocess.run(
        [sys.executable, "-m", "tests.callbacks.training", str(folder), *cut],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def check_killed(folder, whole, cuts):
    for cut in cuts:
        done = program(folder, cut)
        assert done.returncode == -signal.SIGKILL, done.stderr
    done = program(folder)
    assert done.returncode == 0, done.stderr
    wanted, wanted_logs = whole
    assert training.logs(folder) == wanted_logs
    found = np.load(folder / "state.npz")
    assert len(found) == len(wanted)
    for i, (path, value) in enumerate(wanted):
        np.testing.assert_array_equal(found[str(i)], value, err_msg=path)


def test_killed(whole, tmp_path):
    # In the middle of an epoch, and in the middle of a save.
    check_killed(tmp_path, whole, ["3:end", "6:save"])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_killed_often(whole, seed, tmp_path):
    rng = random.Random(seed)
    steps = sorted(rng.sample(range(1, training.STEPS), k=5))
    # Saves are at even steps.
    moments = [("end", "save") if step % 2 == 0 else ("end",) for step in steps]
    cuts = [
        f"{step}:{rng.choice(moment)}" for step, moment in zip(steps, moments)
    ]
    check_killed(tmp_path, whole, cuts)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_newest_are_kept(tmp_path):
    model = adding()
    checkpoint = callbacks.Checkpoint(tmp_path, every_steps=2)
    fit(model, checkpoint, 7)
    # At multiples, and at the end.
    assert names(tmp_path) == ["step-000000006.keras", "step-000000007.keras"]
    # A second fit goes on.
    fit(model, checkpoint, 2)
    assert names(tmp_path) == ["step-000000008.keras", "step-000000009.keras"]
    # Each is a model file.
    loaded = keras.saving.load_model(
        tmp_path / "step-000000009.keras", custom_objects={"Adding": Adding}
    )
    for a, b in zip(loaded.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_the_end_of_an_epoch_is_saved_after_validation(tmp_path):
    checkpoint = callbacks.Checkpoint(tmp_path, every_steps=1)
    found = []
    look = keras.callbacks.LambdaCallback()
    look.on_test_end = lambda logs: found.append(names(tmp_path)[-1])
    validation = Pairs(0, 2)
    fit(
        adding(),
        checkpoint,
        4,
        [look],
        steps_per_epoch=2,
        epochs=2,
        validation_data=validation,
    )
    assert found == ["step-000000001.keras", "step-000000003.keras"]
    assert names(tmp_path) == ["step-000000003.keras", "step-000000004.keras"]


def test_minutes(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    checkpoint = callbacks.Checkpoint(tmp_path, every_minutes=2, keep=9)

    def half_a_minute(batch, logs):
        now[0] += 30

    tick = keras.callbacks.LambdaCallback(on_train_batch_begin=half_a_minute)
    fit(adding(), checkpoint, 9, [tick])
    assert [int(name[5:14]) for name in names(tmp_path)] == [4, 8, 9]


@pytest.mark.skipif(BACKEND == "torch", reason="refused by Keras")
def test_several_steps_an_execution(tmp_path):
    model = adding()
    model.compile("sgd", loss="mse", steps_per_execution=3)
    checkpoint = callbacks.Checkpoint(tmp_path, every_steps=4, keep=9)
    fit(model, checkpoint, 12)
    assert [int(name[5:14]) for name in names(tmp_path)] == [6, 9, 12]
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 12


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    model = adding()
    checkpoint = callbacks.Checkpoint(tmp_path, every_steps=100)
    sender = training.At(checkpoint, 3, terminate)
    fit(model, checkpoint, 6, [sender], epochs=3)
    # The signal comes after the callback has seen step 3.
    assert checkpoint.stopped
    assert names(tmp_path) == ["step-000000004.keras"]
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 4
    assert signal.getsignal(signal.SIGTERM) is before
    # A fit that is not stopped says so.
    fit(model, checkpoint, 2)
    assert not checkpoint.stopped


def test_sigterm_during_validation(tmp_path):
    checkpoint = callbacks.Checkpoint(tmp_path, every_steps=100)
    batches = []

    def on_test_batch_end(batch, logs):
        batches.append(batch)
        if batch == 1:
            terminate()

    extra = keras.callbacks.LambdaCallback()
    extra.on_test_batch_end = on_test_batch_end
    model = adding()
    validation = Pairs(0, 50)
    fit(model, checkpoint, 2, [extra], epochs=3, validation_data=validation)
    assert checkpoint.stopped and checkpoint.step == 2
    assert len(batches) <= 3
    assert names(tmp_path) == ["step-000000002.keras"]


def test_a_second_sigterm_is_not_swallowed(tmp_path):
    received = []
    before = signal.signal(signal.SIGTERM, lambda *args: received.append(1))
    try:
        checkpoint = callbacks.Checkpoint(tmp_path)

        def twice():
            terminate()
            terminate()

        fit(adding(), checkpoint, 4, [training.At(checkpoint, 1, twice)])
        assert received == [1]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_sigterm_is_left_alone(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    checkpoint = callbacks.Checkpoint(tmp_path, save_on_sigterm=False)
    seen = []
    look = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(
            signal.getsignal(signal.SIGTERM)
        )
    )
    fit(adding(), checkpoint, 1, [look])
    assert seen == [before]


def test_outside_the_main_thread(tmp_path):
    checkpoint = callbacks.Checkpoint(tmp_path)
    caught = []

    def work():
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            fit(adding(), checkpoint, 1)
        caught.extend(str(w.message) for w in found)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert any("main thread" in message for message in caught)
    assert names(tmp_path) == ["step-000000001.keras"]


def damage(path, how):
    content = path.read_bytes()
    if how == "truncated":
        content = content[: len(content) // 2]
    elif how == "empty":
        content = b""
    elif how == "flipped":
        with zipfile.ZipFile(path) as archive:
            offset = archive.getinfo("model.weights.h5").header_offset + 2000
        content = bytearray(content)
        content[offset] ^= 1
    elif how == "only a model":
        adding().save(path)
        return
    path.write_bytes(content)


@pytest.mark.parametrize(
    "how", ["truncated", "empty", "flipped", "only a model"]
)
def test_a_damaged_one_is_passed_over(how, tmp_path):
    model = adding()
    checkpoint = callbacks.Checkpoint(tmp_path, every_steps=2)
    fit(model, checkpoint, 4)
    damage(tmp_path / "step-000000004.keras", how)
    again = callbacks.Checkpoint(tmp_path, every_steps=1)
    with pytest.warns(UserWarning, match="step-000000004.keras is damaged"):
        assert again.restore(adding()) == 2
    # It counts no longer among those that are kept.
    fit(adding(), again, 1)
    assert names(tmp_path) == ["step-000000002.keras", "step-000000003.keras"]
    for path in tmp_path.iterdir():
        damage(path, how)
    with (
        pytest.warns(UserWarning, match="damaged"),
        pytest.raises(ValueError, match=r"step-000000002.*step-000000003"),
    ):
        callbacks.Checkpoint(tmp_path).restore(adding())


@pytest.fixture
def bucket():
    """A folder of one of TensorFlow's file systems that is on no disk."""
    import tensorflow as tf

    address = "ram://bucket/run"
    yield address
    tf.io.gfile.rmtree(address)


def test_a_remote_folder(bucket, tmp_path):
    import tensorflow as tf

    model = adding()
    fit(model, callbacks.Checkpoint(bucket, every_steps=2), 5)
    newest = f"{bucket}/step-000000005.keras"
    assert sorted(tf.io.gfile.listdir(bucket)) == [
        "step-000000004.keras",
        "step-000000005.keras",
    ]
    again, other = callbacks.Checkpoint(bucket, every_steps=1), adding()
    assert again.restore(other) == 5
    training.check_equal(other, training.state(model))
    # The newest one is cut short, and the one before is used.
    local = tmp_path / "newest"
    tf.io.gfile.copy(newest, str(local))
    damage(local, "truncated")
    # A shorter file that is written over a longer one keeps the rest there.
    tf.io.gfile.remove(newest)
    tf.io.gfile.copy(str(local), newest)
    again, other = callbacks.Checkpoint(bucket, every_steps=1), adding()
    with pytest.warns(UserWarning, match=f"{newest} is damaged"):
        assert again.restore(other) == 4
    assert (
        callbacks.SkipLimit(checkpoint=again)
        ._last_good()
        .endswith("step-000000004.keras.")
    )
    fit(other, again, 2)
    assert list(files.find(bucket)) == [5, 6]
    again.clear()
    assert files.find(bucket) == {}


def test_an_address_that_lost_a_slash():
    with pytest.raises(ValueError, match="given as a string"):
        callbacks.Checkpoint(pathlib.Path("gs://bucket/run"))


def test_what_is_no_checkpoint(tmp_path):
    fit(adding(), callbacks.Checkpoint(tmp_path), 1)
    good = tmp_path / "step-000000001.keras"
    for name in (
        files.UNFINISHED,
        "step-000000002.keras.partial",
        ".step-000000003.keras",
        "step-000000004 (copy).keras",
        "step-last.keras",
    ):
        shutil.copy(good, tmp_path / name)
    assert files.find(tmp_path) == {1: good}
    checkpoint = callbacks.Checkpoint(tmp_path, every_steps=1, keep=1)
    model = adding()
    assert checkpoint.restore(model) == 1
    fit(model, checkpoint, 1)
    # What is not ours stays; what a kill left is used up.
    assert "step-000000004 (copy).keras" in names(tmp_path)
    assert files.UNFINISHED not in names(tmp_path)
    assert not good.exists()


def test_a_failing_save_leaves_the_one_before(tmp_path, monkeypatch):
    checkpoint = callbacks.Checkpoint(tmp_path, every_steps=1)
    model = adding()
    fit(model, checkpoint, 1)
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        fit(model, checkpoint, 1)
    checkpoint._sigterm.unwatch()
    assert list(files.find(tmp_path)) == [1]
    assert callbacks.Checkpoint(tmp_path).restore(adding()) == 1


def fail(*args):
    raise OSError(28, "No space left on device")


def test_nothing_to_restore(tmp_path):
    checkpoint = callbacks.Checkpoint(tmp_path / "not there")
    assert checkpoint.restore(adding()) == 0
    assert not (tmp_path / "not there").exists()


def test_another_model(tmp_path):
    fit(adding(), callbacks.Checkpoint(tmp_path), 1)
    checkpoint = callbacks.Checkpoint(tmp_path)
    with pytest.raises(ValueError, match=r"step-000000001.keras does not fit"):
        checkpoint.restore(adding(size=3))
    with pytest.raises(ValueError, match=r"does not fit.*optimizer"):
        checkpoint.restore(adding(optimizer="adam"))
    with pytest.raises(ValueError, match="built and compiled"):
        checkpoint.restore(Adding())


def test_another_run(tmp_path):
    settings = {"seed": 0, "area": (0.5, 1.0)}
    checkpoint = callbacks.Checkpoint(tmp_path, settings=settings)
    fit(adding(), checkpoint, 1)
    # An option that is new since then is no difference.
    same = callbacks.Checkpoint(tmp_path, settings={**settings, "new": 1})
    assert same.restore(adding()) == 1
    other = callbacks.Checkpoint(tmp_path, settings={**settings, "seed": 1})
    with pytest.raises(ValueError, match=r"seed 0, now 1"):
        other.restore(adding())
    # Nor does a run without `restore` mix with what is there.
    model, other = adding(), callbacks.Checkpoint(tmp_path)
    with pytest.raises(ValueError, match=r"up to step 1.*restore.*clear"):
        fit(model, other, 1)
    other.clear()
    fit(model, other, 1)


@pytest.mark.parametrize(
    "kwargs", [{"every_steps": 0}, {"every_minutes": -1}, {"keep": 0}]
)
def test_arguments(kwargs, tmp_path):
    (name,) = kwargs
    with pytest.raises(ValueError, match=name):
        callbacks.Checkpoint(tmp_path, **kwargs)


@pytest.mark.parametrize(
    "start, steps, calls",
    [
        (0, 12, [(0, 3, 4)]),
        (0, 10, [(0, 2, 4), (2, 3, 2)]),
        (6, 12, [(1, 2, 2), (2, 3, 4)]),
        (9, 10, [(2, 3, 1)]),
        (8, 8, []),
    ],
)
def test_remaining(start, steps, calls, tmp_path):
    checkpoint = Counting(tmp_path)
    checkpoint.step = start
    model, found = adding(), []
    for rest in checkpoint.remaining(steps, 4):
        found.append(tuple(rest.values()))
        fit(model, checkpoint, 100, **rest)
    assert found == calls
    assert checkpoint.step == max(steps, start)


def test_remaining_ends_when_it_must(tmp_path):
    checkpoint, model = Counting(tmp_path), adding()
    stop = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: setattr(
            model, "stop_training", True
        )
    )
    calls = 0
    for rest in checkpoint.remaining(10, 4):
        fit(model, checkpoint, 100, [stop], **rest)
        calls += 1
    assert calls == 1 and checkpoint.step == 1
    with pytest.raises(ValueError, match="callbacks="):
        for _ in checkpoint.remaining(10, 4):
            pass


def test_random_states(tmp_path):
    model = adding()
    fit(model, callbacks.Checkpoint(tmp_path), 1)

    def draw():
        draws = [random.random(), np.random.normal(), np.random.normal()]
        if BACKEND == "torch":
            import torch

            draws.append(float(torch.rand(())))
        return draws

    wanted = draw()
    keras.utils.set_random_seed(123)
    assert draw() != wanted
    callbacks.Checkpoint(tmp_path).restore(model)
    assert draw() == wanted
    # The state between the two normals of a pair.
    np.random.normal()
    state = random_state.capture()
    wanted = draw()
    random_state.restore(state)
    assert draw() == wanted


def test_other_metrics(tmp_path):
    checkpoint = callbacks.Checkpoint(tmp_path, every_steps=1)
    with pytest.raises(training.CutOff):
        fit(adding(), checkpoint, 4, [training.At(checkpoint, 2, cut_off)])
    checkpoint._sigterm.unwatch()
    model = adding(measures=1)
    again = callbacks.Checkpoint(tmp_path)
    assert again.restore(model) == 2
    with pytest.warns(UserWarning, match="metrics are not those"):
        fit(model, again, 2)
