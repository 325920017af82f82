"""A tiny run that can be cut off; also a program, to be killed for good.

    python -m tests.callbacks.training FOLDER STEP:MOMENT

trains in FOLDER, going on where it was cut off, and kills itself by SIGKILL
after STEP ("end"), or while it saves that step ("save").
"""

import json
import os
import pathlib
import signal
import sys

import keras
import numpy as np

from keras_ab import backbones
from keras_ab import callbacks
from keras_ab import models
from keras_ab import schedules
from tests.models import factory

STEPS, EPOCH = 8, 3


class CutOff(BaseException):
    """What stands for a kill where the process has to live on."""


class Record(keras.callbacks.Callback):
    """The logs of every step, and of every epoch, in a file."""

    def __init__(self, path, checkpoint):
        super().__init__()
        self.path, self.checkpoint = path, checkpoint

    def on_epoch_begin(self, epoch, logs=None):
        self.begin = self.checkpoint.step

    def on_train_batch_end(self, batch, logs=None):
        self.write(f"step {self.begin + batch}", logs)

    def on_epoch_end(self, epoch, logs=None):
        if not self.model.stop_training:
            self.write(f"epoch {epoch}", logs)

    def write(self, key, logs):
        with open(self.path, "a") as stream:
            figures = {k: float(v).hex() for k, v in sorted(logs.items())}
            stream.write(json.dumps([key, figures]) + "\n")


class At(keras.callbacks.Callback):
    """Does something after a step."""

    def __init__(self, checkpoint, step, action):
        super().__init__()
        self.checkpoint, self.step, self.action = checkpoint, step, action

    def on_train_batch_end(self, batch, logs=None):
        if self.checkpoint.step == self.step:
            self.action()


def build(accumulate=None, seed=0, **kwargs):
    """A model with drop path, and with schedules of all its rates."""
    keras.utils.set_random_seed(seed)
    encoder = backbones.ViT.from_size(
        "test",
        image_shape=(16, 16, 3),
        patch_size=8,
        num_layers=2,
        drop_path_rate=0.5,
        name="image_encoder",
    )
    model = models.ABCLIP(
        encoder,
        factory.text_encoder(),
        factory.tokenizer(),
        decoder=backbones.AnnotationDecoder.from_size(
            "test", num_layers=1, name="decoder"
        ),
        projection_dim=8,
        target_rate=schedules.cosine(0.5, 0.1, STEPS),
    )
    optimizer = keras.optimizers.AdamW(
        schedules.linear_warmup_cosine(1e-2, STEPS, 2),
        weight_decay=0.1,
        gradient_accumulation_steps=accumulate,
    )
    factory.compile(model, optimizer, **kwargs)
    return model


def batches(start):
    """The batches from a step on: functions of the step alone."""
    seeds = range(start, STEPS)
    return factory.Batches([factory.batch(seed=seed) for seed in seeds])


def train(model, checkpoint, folder, steps=STEPS, extra=()):
    """Trains to the end of the run, or until something cuts it off."""
    record = Record(pathlib.Path(folder) / "logs.jsonl", checkpoint)
    for rest in checkpoint.remaining(steps, EPOCH):
        model.fit(
            batches(checkpoint.step),
            shuffle=False,
            verbose=0,
            callbacks=[record, checkpoint, *extra],
            **rest,
        )


def state(model):
    """All that training changes, by path."""
    variables = [*model.variables, *model.optimizer.variables]
    return [
        (v.path, np.array(keras.ops.convert_to_numpy(v))) for v in variables
    ]


def check_equal(model, expected):
    """Checks that a model's state is another's, bit for bit."""
    assert len(state(model)) == len(expected)
    for (path, value), (_, wanted) in zip(state(model), expected):
        np.testing.assert_array_equal(value, wanted, err_msg=path)


def logs(folder):
    """The lines of `Record`, each once; the same step says the same."""
    lines = {}
    for line in (pathlib.Path(folder) / "logs.jsonl").read_text().splitlines():
        key, figures = json.loads(line)
        assert lines.setdefault(key, figures) == figures, key
    return lines


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


class Killing:
    """`os.replace`, until a checkpoint of a step is to be renamed."""

    def __init__(self, replace, step):
        self.replace, self.name = replace, f"step-{step:09d}.keras"

    def __call__(self, source, path):
        if path.name == self.name:
            kill()
        self.replace(source, path)


def main(folder, *cut):
    folder = pathlib.Path(folder)
    model = build(accumulate=2)
    checkpoint = callbacks.Checkpoint(folder / "checkpoints", every_steps=2)
    checkpoint.restore(model)
    extra = []
    if cut:
        step, moment = cut[0].split(":")
        if moment == "save":
            os.replace = Killing(os.replace, int(step))
        else:
            extra.append(At(checkpoint, int(step), kill))
    train(model, checkpoint, folder, extra=extra)
    arrays = {f"{i}": value for i, (_, value) in enumerate(state(model))}
    np.savez(folder / "state.npz", **arrays)


if __name__ == "__main__":
    if keras.backend.backend() == "torch":
        import torch

        # As in the tests' own process.
        torch.set_num_threads(1)
    main(*sys.argv[1:])
