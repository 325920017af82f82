# %% [markdown]
# # Many devices, and going on after a disconnect
#
# A contrastive loss looks at the whole batch. On several devices every one of
# them has to see the others' rows, or eight GPUs train with an eighth of the
# negatives. This guide trains on several devices with the gradients of the
# global batch, is cut off on purpose, and goes on as if nothing had happened.
#
# | | what to call |
# |---|---|
# | JAX, one machine | `keras.distribution.DataParallel()` |
# | JAX, a model too large for a device | `ModelParallel`, with `layout_map` |
# | JAX, several machines | `keras.distribution.initialize` in each |
# | TensorFlow, one machine | `tf.distribute.MirroredStrategy()` |
# | PyTorch | one device |
#
# `layout_map` is that of `keras_ab.distribution`; with several machines each
# feeds its part of the batch: `num_hosts` and `host` of whatever makes batches.
# Kaggle's 2xT4 is the row of TensorFlow, or that of JAX. The README's table has
# what the tests run. Here two virtual CPU devices stand for two GPUs; on a
# machine that has some, leave out what makes them.

# %%
# In Colab or on Kaggle, first:
# !pip install "keras_ab[data,plot,probes]"

# %%
import contextlib
import os
import subprocess
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# Two devices out of one CPU, before the backend starts.
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"

import keras
import numpy as np

import keras_ab

BACKEND = keras.backend.backend()
if BACKEND == "tensorflow":
    import tensorflow as tf

    cpus = tf.config.list_physical_devices("CPU")
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpus[0], [half, half])

QUICK = "KERAS_AB_QUICK" in os.environ  # a minute, to see that all works
SIZE, STEPS = 32, 6 if QUICK else 60

# %% [markdown]
# ## 1. Is the machine ready?
#
# `doctor` looks for versions that clash, a TensorFlow that holds all of the
# GPU's memory, bfloat16 that is only emulated, and little space on the disk.

# %%
done = subprocess.run([sys.executable, "-m", "keras_ab.doctor"])

# %% [markdown]
# ## 2. One model on all devices
#
# The model is built within the strategy, or after the distribution is set. The
# batch is the global one, a multiple of the number of devices.

# %%
scope = contextlib.nullcontext
if BACKEND == "jax":
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    print(len(keras.distribution.list_devices()), "devices")
elif BACKEND == "tensorflow":
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    scope = strategy.scope
    print(strategy.num_replicas_in_sync, "devices")
scenes = keras_ab.data.Scenes(size=64 if QUICK else 512).cache()


def build():
    with scope():
        keras.utils.set_random_seed(0)
        model = keras_ab.models.SimCLR(
            "test", image_shape=(SIZE, SIZE, 3), patch_size=8, target_rate=0.05
        )
        model.compile(keras.optimizers.AdamW(1e-3, weight_decay=0.05))
    return model


def batches(start_step):
    return keras_ab.data.simclr_batches(
        scenes, SIZE, batch_size=32, start_step=start_step
    )


# %% [markdown]
# ## 3. A run that is cut off
#
# `Checkpoint` writes weights, target network, optimizer, schedules, random
# states and the place in the data into one file, under another name first and
# with checksums. On a machine that goes away, give it a folder that stays:
# Drive on Colab, `/kaggle/working` on Kaggle. It also saves on SIGTERM, which
# pre-emptible machines get.


# %%
def train(folder, until):
    """Trains to a step, from wherever the folder's run has come."""
    model = build()
    checkpoint = keras_ab.callbacks.Checkpoint(folder, every_steps=5)
    start = checkpoint.restore(model)
    print("starting at step", start)
    for rest in checkpoint.remaining(until, until):
        model.fit(
            batches(checkpoint.step), verbose=2, callbacks=[checkpoint], **rest
        )
    return model


train("cut", STEPS // 2)  # and here the notebook disconnects
cut = train("cut", STEPS)
whole = train("whole", STEPS)

# %%
differences = [
    np.abs(
        keras.ops.convert_to_numpy(a.value)
        - keras.ops.convert_to_numpy(b.value)
    ).max()
    for a, b in zip(cut.weights, whole.weights)
    if "float" in str(a.dtype)
]
print("largest difference of a weight:", max(differences))
print(sorted(os.listdir("cut")))

# %% [markdown]
# ## 4. When memory is short
#
# Encode the batch in parts: the contrast still sees all of it, and the gradient
# is the whole batch's, at the price of a second forward pass.

# %%
with scope():
    small = keras_ab.models.CLIP(
        keras_ab.backbones.ViT.from_size(
            "test", image_shape=(SIZE, SIZE, 3), rematerialize=True
        ),
        keras_ab.backbones.TextTransformer.from_size(
            "test", vocabulary_size=100, sequence_length=8
        ),
    )
    small.compile(keras.optimizers.AdamW(1e-3), encoder_passes=4)

# %% [markdown]
# What memory a step needs, and how many FLOPs it takes, is said before anything
# is compiled, for a device with so many gigabytes:
#
#     python -m recipes.clip --plan t4
#     python -m recipes.clip --source photos/ --resume auto
