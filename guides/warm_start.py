# %% [markdown]
# # Start from a KerasHub preset
#
# A good encoder exists already; you want to go on training it on your own
# images, by any method here. This guide takes the weights of KerasHub's ViT,
# shows what was and was not taken, trains on, and gives the encoder back to
# KerasHub and to timm.
#
# So that it runs without a download, the KerasHub model here starts at random;
# in your notebook it comes from `from_preset`.

# %%
# In Colab or on Kaggle, first:
# !pip install "keras_ab[data,plot,probes,hub]"

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import keras_hub
import matplotlib.pyplot as plt
import numpy as np

import keras_ab

QUICK = "KERAS_AB_QUICK" in os.environ  # a minute, to see that all works
SIZE = 64
keras.utils.set_random_seed(0)

# %% [markdown]
# ## 1. The source
#
# With weights: `theirs = "keras_hub:vit_base_patch16_224_imagenet"`, or DINOv2,
# SigLIP, CLIP. Files work as well: `"B_16.npz"` of big_vision, or a
# `.safetensors` state dict of timm, DINO, MAE or open_clip (a `.pth` is a
# pickle, which can run code, and is refused).

# %%
theirs = keras_hub.models.ViTBackbone(
    image_shape=(SIZE, SIZE, 3),
    patch_size=16,
    num_layers=2 if QUICK else 4,
    num_heads=4,
    hidden_dim=96,
    mlp_dim=384,
)
source = keras_ab.conversion.open_source(theirs)
print({k: v for k, v in source.arguments.items() if k != "name"})

# %% [markdown]
# ## 2. An encoder of ours with these weights
#
# `source.arguments` are those of a ViT that computes the same. Two things are
# free: the size of the pictures (positions are then resized) and what becomes
# of tokens afterwards.

# %%
encoder = keras_ab.backbones.ViT(**source.arguments)
model = keras_ab.models.SimCLR(encoder, target_rate=0.01)
print(keras_ab.conversion.warm_start(model, source))

# %% [markdown]
# Equal outputs are what matters:

# %%
rng = np.random.default_rng(0)
images = rng.integers(0, 256, (4, SIZE, SIZE, 3), "uint8")
ours = keras.ops.convert_to_numpy(model.encode(images))
pixels = images.astype("float32") / 127.5 - 1
expected = keras.ops.convert_to_numpy(theirs(pixels))
# Theirs has a class token before the patches.
difference = np.abs(ours - expected[:, -ours.shape[1] :]).max()
print(f"largest difference of a token: {difference:.1e}")

# %% [markdown]
# An encoder that would compute something else is refused, and the refusal says
# what differs; `strict=False` takes what fits.

# %%
other = keras_ab.backbones.ViT.from_size(
    "tiny", image_shape=(SIZE, SIZE, 3), patch_size=16
)
other.build()
try:
    keras_ab.conversion.warm_start(other, source)
except ValueError as refusal:
    print(str(refusal)[:300], "...")

# %% [markdown]
# ## 3. Training on
#
# A fresh head gives large and aimless gradients at first. Go on with a small
# learning rate and a warm-up, or the good weights are gone before the head is
# any use.

# %%
STEPS = 8 if QUICK else 300
scenes = keras_ab.data.Scenes(size=96 if QUICK else 2000).cache()
warmup = STEPS // 4
schedule = keras.optimizers.schedules.CosineDecay(
    0.0, STEPS - warmup, warmup_target=2e-4, warmup_steps=warmup
)
model.compile(keras.optimizers.AdamW(schedule, weight_decay=0.05))
history = model.fit(
    keras_ab.data.simclr_batches(scenes, SIZE, batch_size=32),
    epochs=4,
    steps_per_epoch=STEPS // 4,
    callbacks=[keras_ab.callbacks.Monitor()],
    verbose=2,
).history
figure, axis = plt.subplots(figsize=(4, 2.4))
axis.plot(history["loss"], marker=".")
axis.set(title="loss", xlabel="epoch")
axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# ## 4. And back
#
# The trained encoder as a KerasHub preset, which
# `keras_hub.models.ViTBackbone.from_preset` opens, and as a file in timm's
# layout. `model.network()` is the target network where there is one, as in all
# that is measured; `model.encoder` is the online network's. KerasHub's ViT has
# the exact GELU; so has this encoder, since its weights came from there.

# %%
trained = model.network().encoder
keras_ab.conversion.save_keras_hub_preset(trained, "vit_preset")
again = keras_hub.models.ViTBackbone.from_preset("vit_preset")
ours = keras.ops.convert_to_numpy(model.encode(images, "online"))
tokens = keras.ops.convert_to_numpy(again(pixels))[:, -ours.shape[1] :]
print(f"largest difference after export: {np.abs(ours - tokens).max():.1e}")

keras_ab.conversion.save_timm(trained, "vit.safetensors")
print(keras_ab.conversion.timm_arguments(trained))

# %% [markdown]
# The whole model, heads included, is a preset of its own:

# %%
model.save_to_preset("my_simclr")
print(sorted(os.listdir("my_simclr")))
reopened = keras_ab.presets.load("my_simclr")
same = keras.ops.convert_to_numpy(reopened.encode(images, "online"))
print(f"largest difference after loading: {np.abs(ours - same).max():.1e}")
