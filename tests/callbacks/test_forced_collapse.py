"""The real objectives, made to collapse, and not: minutes each."""

import contextlib

import keras
import pytest

from keras_ab import backbones
from keras_ab import callbacks
from keras_ab import data
from keras_ab import models
from keras_ab import schedules

STEPS = 200
pytestmark = pytest.mark.slow


def vit():
    return backbones.ViT.from_size(
        "tiny", image_shape=(48, 48, 3), patch_size=12, name="image_encoder"
    )


def simclr(temperature):
    model = models.SimCLR(
        vit(), projection_dim=64, hidden_dims=(256,), temperature=temperature
    )
    return model, data.simclr_batches(scenes(), image_size=48, batch_size=64)


def dino(centre_momentum):
    model = models.DINO(
        vit(),
        num_prototypes=512,
        head_dims=(256,),
        bottleneck_dim=64,
        centre_momentum=centre_momentum,
    )
    batches = data.dino_batches(
        scenes(), image_size=48, local_size=24, batch_size=64, num_locals=2
    )
    return model, batches


def scenes():
    return data.Scenes(size=1024).cache()


@pytest.mark.parametrize(
    "make, setting, collapses",
    [
        (simclr, 0.1, False),
        (simclr, 100.0, True),
        (dino, 0.9, False),
        (dino, None, True),
    ],
)
def test_alarm(make, setting, collapses):
    keras.utils.set_random_seed(0)
    model, batches = make(setting)
    rate = schedules.linear_warmup_cosine(1e-3, 8_000, 100)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=0.04))
    monitor = callbacks.Monitor()
    expected = pytest.warns if collapses else contextlib.nullcontext
    arguments = (callbacks.CollapseWarning,) if collapses else ()
    with expected(*arguments):
        model.fit(
            batches,
            steps_per_epoch=STEPS,
            shuffle=False,
            verbose=0,
            callbacks=[monitor],
        )
    assert bool(monitor.alarm.raised) == collapses, monitor.figures
