"""A run: its folder, its progress, its checkpoint and its results."""

import json
import pathlib
import time

import keras


class Progress(keras.callbacks.Callback):
    """One line a report: step, losses, views a second and time left.

    Args:
        steps: Int, updates of the whole run.
        views: Int, views to an update.
        history: Path of a JSON-lines file that gets the same figures.
        reports: Int, lines in the whole run.
    """

    def __init__(self, steps, views, history, reports=50):
        super().__init__()
        self.steps, self.views, self.history = steps, views, history
        self.every = max(1, steps // reports)

    def on_train_begin(self, logs=None):
        self.step = int(keras.ops.convert_to_numpy(self.model.updates))
        self.since, self.mark = time.time(), self.step

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if self.step % self.every and self.step != self.steps:
            return
        now = time.time()
        rate = (self.step - self.mark) / max(now - self.since, 1e-9)
        left = (self.steps - self.step) / max(rate, 1e-9)
        self.since, self.mark = now, self.step
        figures = {k: float(v) for k, v in (logs or {}).items()}
        losses = "  ".join(
            f"{k} {v:.3f}" for k, v in figures.items() if "loss" in k
        )
        print(
            f"{self.step}/{self.steps}  {losses}  "
            f"{rate * self.views:.0f} views/s  {left / 60:.1f} min left",
            flush=True,
        )
        line = {"step": self.step, "views": self.step * self.views, **figures}
        with open(self.history, "a") as stream:
            stream.write(json.dumps(line) + "\n")


def fit(model, batches, steps, views, output, save_every=500):
    """Trains to a number of updates, going on where a run was cut off.

    Args:
        model: A compiled `keras_ab.models.Pretrainer`.
        batches: Callable from a step to the dataset that starts there.
        steps: Int, updates of the whole run.
        views: Int, views to an update.
        output: Folder of the run. `last.keras` in it, if there is one, is
            where training goes on.
        save_every: Int, updates between two saves.

    Returns:
        The trained model.
    """
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    last = output / "last.keras"
    if last.exists():
        model = keras.saving.load_model(last)
    done = int(keras.ops.convert_to_numpy(model.updates))
    progress = Progress(steps, views, output / "history.jsonl")
    while done < steps:
        count = min(save_every, steps - done)
        model.fit(
            batches(done),
            steps_per_epoch=count,
            shuffle=False,
            verbose=0,
            callbacks=[progress],
        )
        done += count
        # Written aside and renamed, so that a kill leaves the one before.
        model.save(output / "next.keras")
        (output / "next.keras").replace(last)
    return model


def write_results(path, results):
    """Writes results as JSON.

    Args:
        path: Path of the file.
        results: Dict.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
