"""A run: its folder, its progress, its checkpoints and its results."""

import dataclasses
import json
import os
import pathlib
import sys
import time

import keras
import numpy as np

from keras_ab import callbacks
from keras_ab import compilation
from keras_ab.presets.card import FREE
from recipes import looking


class Progress(keras.callbacks.Callback):
    """One line an epoch: step, losses, views a second and time left.

    Args:
        checkpoint: The run's `keras_ab.callbacks.Checkpoint`, which counts
            its steps.
        steps: Int, steps of the whole run.
        views: Int, views to a step.
        history: Path of a JSON-lines file that gets the same figures.
    """

    def __init__(self, checkpoint, steps, views, history):
        super().__init__()
        self.checkpoint, self.history = checkpoint, history
        self.steps, self.views = steps, views

    def on_epoch_begin(self, epoch, logs=None):
        self.since, self.begin = time.time(), self.checkpoint.step

    def on_train_batch_end(self, batch, logs=None):
        done = batch + 1
        if done < self.params["steps"]:
            return
        step = self.begin + done
        rate = done / max(time.time() - self.since, 1e-9)
        left = (self.steps - step) / max(rate, 1e-9)
        figures = {k: float(v) for k, v in (logs or {}).items()}
        losses = "  ".join(
            f"{k} {v:.3f}" for k, v in figures.items() if k.endswith("loss")
        )
        print(
            f"{step}/{self.steps}  {losses}  "
            f"{rate * self.views:.0f} views/s  {left / 60:.1f} min left",
            flush=True,
        )
        line = {"step": step, "views": step * self.views, **figures}
        append(self.history, line)


class Readings(keras.callbacks.Callback):
    """Writes down each reading of a monitor, which stands before it.

    Args:
        monitor: A `keras_ab.callbacks.Monitor`.
        path: Path of a JSON-lines file.
    """

    def __init__(self, monitor, path):
        super().__init__()
        self.monitor, self.path = monitor, path

    def on_train_batch_end(self, batch, logs=None):
        monitor = self.monitor
        if monitor.step % monitor.every_steps == 0:
            append(self.path, {"step": monitor.step, **monitor.figures})


def fit(model, batches, steps, views, options, reports=50):
    """Trains to a number of steps, going on where a run was cut off.

    Ends the process with status 143 when SIGTERM stopped the training; all is
    saved then.

    Args:
        model: A compiled `keras_ab.models.Pretrainer`, which is trained.
        batches: Callable from a step to the dataset that starts there.
        steps: Int, steps of the whole run.
        views: Int, views to a step.
        options: The recipe's options, with `output` and `resume`.
        reports: Int, lines of progress in the whole run, each with the mean
            losses since the one before.
    """
    if "://" in options.output:
        raise ValueError(
            "A recipe's output must be a local folder; "
            "`keras_ab.callbacks.Checkpoint` takes remote ones. Received: "
            f"{options.output}"
        )
    output = pathlib.Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    if options.compiled != "none":
        compilation.keep(options.compiled or output / "compiled")
    settings = dataclasses.asdict(options)
    checkpoint = callbacks.Checkpoint(
        output / "checkpoints",
        every_steps=min(500, max(1, steps // 4)),
        settings={k: v for k, v in settings.items() if k not in FREE},
    )
    if options.resume == "never":
        checkpoint.clear()
    start = checkpoint.restore(model)
    if start:
        print(f"Going on at step {start} of {steps}.", flush=True)
    history, readings = output / "history.jsonl", output / "monitor.jsonl"
    forget(history, start)
    forget(readings, start)
    progress = Progress(checkpoint, steps, views, history)
    watching = [callbacks.SkipLimit(checkpoint=checkpoint)]
    if options.monitor_every and start < steps:
        # On one batch of the run, wherever it goes on.
        first = keras.tree.map_structure(np.asarray, next(iter(batches(0))))
        monitor = callbacks.Monitor(options.monitor_every, batch=first)
        watching += [monitor, Readings(monitor, readings)]
    if options.collect_every and start < steps:
        path = output / "collected.npz"
        if not start:
            path.unlink(missing_ok=True)
        watching.append(looking.collector(model, options, path))
    for rest in checkpoint.remaining(steps, max(1, steps // reports)):
        model.fit(
            batches(checkpoint.step),
            shuffle=False,
            verbose=0,
            # A step is reported before it is saved, or a kill between the
            # two would lose its line; before the monitor adds to the logs.
            callbacks=[progress, *filter(None, watching), checkpoint],
            **rest,
        )
    if checkpoint.stopped:
        sys.exit(143)


def append(path, line):
    """Adds a line to a JSON-lines file, and has it written to the disk.

    Args:
        path: Path of the file.
        line: Dict.
    """
    with open(path, "a") as stream:
        stream.write(json.dumps(line) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def forget(history, step):
    """Drops the lines of a history that lie beyond a step.

    Args:
        history: Path of a JSON-lines file, which need not exist.
        step: Int, where the run goes on. A line that a kill cut short is
            beyond it.
    """
    if not history.exists():
        return
    kept = []
    for line in history.read_text().splitlines(keepends=True):
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except json.JSONDecodeError:
            break
    aside = history.with_name(f"{history.name}.unfinished")
    aside.write_text("".join(kept))
    os.replace(aside, history)


def write_results(path, results):
    """Writes results as JSON.

    Args:
        path: Path of the file.
        results: Dict.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
