r"""Kills a run by SIGKILL at random moments, and sees that nothing changes.

    KERAS_BACKEND=jax python -m benchmarks.kills --kills 50 \
        --json benchmarks/results/kills_jax.json

A run is killed over and over: in a save, in an evaluation, in the first step
of a process, at the end of an epoch, or anywhere. Each time a new process goes
on with it. When it has come to its end, the batches that it was fed, the
losses of all steps and epochs and the weights must be, bit for bit, those of
a run that nobody killed.
"""

import argparse
import collections
import functools
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import zlib

from benchmarks import cli

STEPS, EPOCH, EVERY = 16, 4, 2
MOMENTS = ("save", "evaluation", "first step", "epoch end", "anywhere")


class Death:
    """Kills this process by SIGKILL soon after a moment has come.

    Args:
        moment: One of `MOMENTS`, or None for never.
        count: Int, how often it comes before.
        delay: Float, seconds from then on.
    """

    def __init__(self, moment=None, count=0, delay=0.0):
        self.moment, self.count, self.delay = moment, count, delay

    def at(self, moment):
        """Says that a moment has come."""
        if moment != self.moment:
            return
        self.count -= 1
        if self.count < 0:
            self.moment = None
            kill = functools.partial(os.kill, os.getpid(), signal.SIGKILL)
            threading.Timer(self.delay, kill).start()


def run(folder, death):
    """Trains in a folder, going on where it was cut off.

    Args:
        folder: Path.
        death: A `Death`.
    """
    import keras
    import numpy as np

    import keras_ab

    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(1)

    class Checkpoint(keras_ab.callbacks.Checkpoint):
        def save(self):
            death.at("save")
            super().save()

    class Moments(keras.callbacks.Callback):
        """Says what is about to happen, and writes down what has."""

        def on_train_batch_begin(self, batch, logs=None):
            first = checkpoint.step == start
            death.at("first step" if first else "anywhere")

        def on_test_begin(self, logs=None):
            death.at("evaluation")

        def on_train_batch_end(self, batch, logs=None):
            write("step", checkpoint.step, logs)

        def on_epoch_end(self, epoch, logs=None):
            death.at("epoch end")
            write("epoch", epoch, logs)

    def write(kind, number, logs):
        figures = {k: float(v).hex() for k, v in sorted(logs.items())}
        with open(folder / "log.jsonl", "a") as stream:
            stream.write(json.dumps([f"{kind} {number}", figures]) + "\n")

    def batches(first):
        return keras_ab.data.bootstrap_batches(
            scenes,
            scenes,
            tokenizer,
            image_size=16,
            reward_batch_size=8,
            value_batch_size=4,
            num_views=2,
            start_step=first,
        )

    def fed(first):
        """The batches from a step on, written down by their checksums."""
        steps = batches(first).as_numpy_iterator()
        for step, batch in enumerate(steps, first):
            leaves = keras.tree.flatten(batch)
            summed = zlib.crc32(b"".join(leaf.tobytes() for leaf in leaves))
            write("batch", step, {"checksum": summed})
            yield (batch,)

    keras.utils.set_random_seed(0)
    scenes = keras_ab.data.Scenes(size=64, image_size=32)
    texts = [text for i in range(64) for text in scenes[i]["text"]]
    tokenizer = keras_ab.data.WordTokenizer.from_texts(texts, 12)
    model = keras_ab.models.ABCLIP(
        keras_ab.backbones.ViT.from_size(
            "test",
            image_shape=(16, 16, 3),
            patch_size=8,
            drop_path_rate=0.5,
            name="image_encoder",
        ),
        "test",
        tokenizer,
        "test",
    )
    model.compile(keras.optimizers.AdamW(1e-3, gradient_accumulation_steps=2))
    checkpoint = Checkpoint(folder / "checkpoints", every_steps=EVERY)
    start = checkpoint.restore(model)
    held_out = batches(10**6).take(2)
    for rest in checkpoint.remaining(STEPS, EPOCH):
        model.fit(
            fed(checkpoint.step),
            validation_data=held_out,
            callbacks=[Moments(), checkpoint],
            verbose=0,
            **rest,
        )
    variables = [*model.variables, *model.optimizer.variables]
    arrays = [keras.ops.convert_to_numpy(v) for v in variables]
    np.savez(folder / "unfinished.npz", *arrays)
    os.replace(folder / "unfinished.npz", folder / "state.npz")


def live(folder, *death):
    """Has a process train in a folder.

    Args:
        folder: Path.
        *death: Arguments of `Death`.

    Returns:
        Bool, whether it was killed.
    """
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.kills", "--run", str(folder)]
    with open(folder / "errors", "w") as errors:
        done = subprocess.run(
            [*command, "--death", json.dumps(death)], stderr=errors
        )
    if done.returncode not in (0, -signal.SIGKILL):
        raise SystemExit((folder / "errors").read_text())
    return done.returncode != 0


def result(folder):
    """What a run comes to: lines of its log by their names, and weights.

    A line that is there more than once, before and after a kill, must say the
    same each time, which `differences` looks at.
    """
    import numpy as np

    lines = collections.defaultdict(set)
    for line in (folder / "log.jsonl").read_text().splitlines():
        try:
            name, figures = json.loads(line)
        except json.JSONDecodeError:
            continue  # Cut short by a kill.
        lines[name].add(json.dumps(figures))
    state = np.load(folder / "state.npz")
    return lines, [state[name].tobytes() for name in state]


def differences(found, wanted):
    """Names of what differs between two results."""
    lines, state = found
    expected, weights = wanted
    # A generator is asked for a batch more than the last step takes.
    names = [n for n in expected if n != f"batch {STEPS}"]
    differ = [n for n in names if lines[n] != expected[n]]
    if state != weights:
        differ.append("state")
    return differ


def main(argv=None):
    parser = cli.parser(__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", default="", help=argparse.SUPPRESS)
    parser.add_argument("--death", default="[]", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.run:
        death = Death(*json.loads(options.death))
        return run(pathlib.Path(options.run), death)
    rng = random.Random(options.seed)
    kills, runs, differ = collections.Counter(), 0, []
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        live(root / "whole")
        wanted = result(root / "whole")
        while sum(kills.values()) < options.kills:
            folder = root / str(runs)
            # Five to a run, so that runs come to their ends.
            for _ in range(5):
                moment = rng.choice(MOMENTS)
                # There is one first step to a process.
                count = 0 if moment == "first step" else rng.randrange(3)
                if live(folder, moment, count, rng.uniform(0, 0.2)):
                    kills[moment] += 1
            live(folder)
            runs += 1
            found = differences(result(folder), wanted)
            differ += [f"run {runs}: {name}" for name in found]
            print(f"{sum(kills.values())} kills, {len(differ)} differences")
    figures = {
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "kills": dict(kills),
        "runs": runs,
        "differences": differ,
    }
    print(cli.text(figures))
    cli.keep(figures, options.json)
    if differ:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
