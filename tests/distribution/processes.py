"""One of several processes that train together, each on its own rows.

    python -m tests.distribution.processes PROCESSES PROCESS PORT FOLDER STEPS

goes on in FOLDER to a number of steps, and leaves the weights there.
"""

import os
import pathlib
import sys

COUNT, INDEX, PORT = map(int, sys.argv[1:4])
FOLDER, STEPS = pathlib.Path(sys.argv[4]), int(sys.argv[5])
os.environ["KERAS_BACKEND"] = "jax"

import jax

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_cpu_collectives_implementation", "gloo")

import keras
import numpy as np

keras.utils.set_random_seed(0)
if COUNT > 1:
    keras.distribution.initialize(f"127.0.0.1:{PORT}", COUNT, INDEX)
    # What arrives is this host's part already.
    keras.distribution.set_distribution(
        keras.distribution.DataParallel(auto_shard_dataset=False)
    )

from keras_ab import callbacks
from keras_ab import data
from tests.models import factory

model = getattr(factory, os.environ.get("METHOD", "abclip"))(target_rate=0.5)
model.compile(keras.optimizers.SGD(0.125))
checkpoint = callbacks.Checkpoint(FOLDER / "run", every_steps=1)
checkpoint.restore(model)
scenes = data.Scenes(size=32, image_size=24)
for rest in checkpoint.remaining(STEPS, STEPS):
    batches = data.bootstrap_batches(
        scenes,
        scenes,
        factory.tokenizer(),
        image_size=16,
        reward_batch_size=8,
        value_batch_size=4,
        num_views=2,
        seed=1,
        start_step=checkpoint.step,
        num_hosts=COUNT,
        host=INDEX,
    )
    monitor = callbacks.Monitor(every_steps=1)
    model.fit(batches, callbacks=[monitor, checkpoint], verbose=0, **rest)
np.savez(
    FOLDER / f"{INDEX}.npz",
    *model.get_weights(),
    information=monitor.figures["reward_information"],
)
