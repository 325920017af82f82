# %% [markdown]
# # Pre-train on your own folder of images, with a few captions
#
# You have a folder of images. Some of them have a caption, most have none. At
# the end of this guide you have an encoder that was trained on all of them,
# pictures that show what it learnt, and a file with the features of every
# image.
#
# The method is ABCLIP ([arXiv 2506.11967](https://arxiv.org/abs/2506.11967)).
# CLIP's contrast learns from captioned images which caption fits a view: the
# *reward*. A *value function* learns, on crops of all images, how likely a
# caption becomes when one looks elsewhere in the picture. Both train the same
# encoder.
#
# As it stands, the guide paints a small example folder and takes some minutes
# on two CPU cores. To use your own images, change `PHOTOS`.

# %%
# In Colab or on Kaggle, first:
# !pip install "keras_ab[data,plot,probes]"

# %%
import os
import pathlib
import subprocess
import sys

# Any of "jax", "tensorflow" and "torch" that is installed.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import matplotlib.pyplot as plt
import numpy as np

import keras_ab

PHOTOS = "photos"  # your folder; subfolders are searched
RUN = "run"  # what the training writes goes here
QUICK = "KERAS_AB_QUICK" in os.environ  # a minute, to see that all works

print("Keras", keras.__version__, "on", keras.backend.backend())

# %% [markdown]
# ## 1. The folder
#
# A caption is a text file beside its image: `dog.jpg`, `dog.txt`. Several
# lines are several captions, of which one is drawn at each step. Captions in
# one table work too: `captions="captions.csv"` with columns `file_name` and
# `text`. Images without a caption are used where no caption is needed.
#
# If `PHOTOS` does not exist, the next cell paints scenes into it, a third of
# them with captions. If it does, the cell does nothing.

# %%
folder = pathlib.Path(PHOTOS)
if not folder.exists():
    example = keras_ab.data.Scenes(size=96 if QUICK else 3000)
    folder.mkdir(parents=True)
    for i in range(len(example)):
        record = example[i]
        keras.utils.save_img(folder / f"{i:05d}.jpg", record["image"])
        if i % 3 == 0:
            caption = "\n".join(record["text"])
            (folder / f"{i:05d}.txt").write_text(caption)

# %% [markdown]
# Look at the data before anything else. `inspect` opens every file, names what
# it cannot use and why, and draws what a model would be fed: crops, and where
# in the picture they lie. Images without a caption are listed here because the
# reward has no use for them; the value function has. What is broken is skipped
# in training as well, and counted; a run stops if it is more than 5%.

# %%
report = subprocess.run(
    [sys.executable, "-m", "keras_ab.data", "inspect", PHOTOS]
    + ["--output", f"{RUN}/inspected"],
    capture_output=True,
    text=True,
)
print(report.stdout[-2000:] or report.stderr[-2000:])

# %%
sheet = plt.imread(next(pathlib.Path(RUN, "inspected").glob("*.png")))
figure = plt.figure(figsize=(6, 6 * sheet.shape[0] / sheet.shape[1]))
axes = figure.add_axes([0, 0, 1, 1])
axes.imshow(sheet)
axes.axis("off")
plt.show()

# %% [markdown]
# ## 2. Two sources
#
# The reward reads the captioned images, the value function all of them. A
# fiftieth of the captioned ones is kept aside, to see in the end whether
# anything was learnt that holds for images that were not seen.

# %%
captioned = keras_ab.data.from_folder(PHOTOS, captions="txt")
everything = keras_ab.data.from_folder(PHOTOS)
print(len(everything), "images,", len(captioned), "with captions")

order = np.random.default_rng(0).permutation(len(captioned))
count = max(8, len(captioned) // 50)
held_out = captioned.subset(np.sort(order[:count]))
reward = captioned.subset(np.sort(order[count:]))
kept_aside = {held_out.annotations(i)["id"] for i in range(len(held_out))}
value = everything.subset(
    [
        i
        for i in range(len(everything))
        if everything.annotations(i)["id"] not in kept_aside
    ]
)

# %% [markdown]
# The tokenizer is learnt on the captions. With many captions in free prose, a
# KerasHub CLIP tokenizer can take its place.

# %%
captions = [
    text for i in range(len(reward)) for text in reward.annotations(i)["text"]
]
tokenizer = keras_ab.data.WordTokenizer.from_texts(
    captions, sequence_length=16, vocabulary_size=8000
)
print(len(captions), "captions,", tokenizer.vocabulary_size(), "words")
print(captions[0])

# %% [markdown]
# ## 3. The model
#
# What fits depends on the machine. On a GPU with bfloat16 (compute capability
# 8 and above: A100, L4, RTX 30 and later) or a TPU `mixed_bfloat16` is twice
# as fast; a T4 or P100 needs `mixed_float16`; a CPU stays with float32.
#
# | | image | encoder | views a step | for |
# |---|---|---|---|---|
# | CPU | 48 | tiny, patches of 12 | 128 | trying out |
# | a T4 (Colab, Kaggle) | 128 | S, patches of 16 | 256 | 10,000s of images |
# | one A100, or a TPU | 224 | S or B, patches of 16 | 4096 | millions |

# %%
SIZE, PATCH, ENCODER, DECODER = 48, 12, "tiny", "tiny"
STEPS = 6 if QUICK else 1000
IMAGES = 4 if QUICK else 16  # unlabelled, each cut into four views
# keras.config.set_dtype_policy("mixed_bfloat16")

keras.utils.set_random_seed(0)
model = keras_ab.models.ABCLIP(
    ENCODER,
    "tiny",
    tokenizer,
    DECODER,
    image_shape=(SIZE, SIZE, 3),
    patch_size=PATCH,
    # The target network, a moving average of the weights: over the last 50
    # steps here; 0.004 is right for runs of many thousands.
    target_rate=0.02,
)
warmup = min(200, STEPS // 4)
model.compile(
    keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(
            0.0, STEPS - warmup, warmup_target=1e-3, warmup_steps=warmup
        ),
        weight_decay=0.1,
        beta_2=0.98,
    )
)


def batches(start_step=0):
    """What a step is fed is a function of seed and step alone."""
    return keras_ab.data.bootstrap_batches(
        reward,
        value,
        tokenizer,
        image_size=SIZE,
        reward_batch_size=4 * IMAGES,
        value_batch_size=IMAGES,
        seed=0,
        start_step=start_step,
    )


# %% [markdown]
# One batch, as the model gets it: each row is one unlabelled image, four crops
# of it. The value function reads one of them and is asked about another, whose
# box it gets relative to its own.

# %%
batch = next(iter(batches().as_numpy_iterator()))
shown = batch["value"]["image"][:4]
figure, axes = plt.subplots(len(shown), 4, figsize=(7, 1.8 * len(shown)))
for row, views in zip(axes, shown):
    for axis, view in zip(row, views):
        axis.imshow(view)
        axis.axis("off")
plt.show()

# %% [markdown]
# ## 4. Training, which survives a disconnect
#
# `Checkpoint` saves weights, target network, optimizer, random states and the
# place in the data, and `restore` goes on exactly there: after a disconnect,
# run all cells again. On Colab let `RUN` lie on your Drive, on Kaggle in
# `/kaggle/working`. `Monitor` watches for a collapse and says what failed.

# %%
checkpoint = keras_ab.callbacks.Checkpoint(f"{RUN}/checkpoints")
start = checkpoint.restore(model)
if start:
    print("Going on at step", start)

history = []
for rest in checkpoint.remaining(STEPS, max(1, STEPS // 10)):
    done = model.fit(
        batches(checkpoint.step),
        # One line an epoch: notebooks in browsers choke on more.
        verbose=2,
        callbacks=[keras_ab.callbacks.Monitor(), checkpoint],
        **rest,
    ).history
    history += [dict(zip(done, values)) for values in zip(*done.values())]

# %%
if history:
    figure, axes = plt.subplots(1, 2, figsize=(8, 2.8))
    for axis, name in zip(axes, ("reward_loss", "value_loss")):
        axis.plot([epoch[name] for epoch in history], marker=".")
        axis.set(title=name, xlabel="epoch")
        axis.spines[["top", "right"]].set_visible(False)
    plt.show()

# %% [markdown]
# If the reward loss stays at the logarithm of its batch's captions (ln 64 =
# 4.16 here), nothing is learnt yet: go on for longer. The value loss is a
# cross entropy summed over all captions of the batch, against targets that
# move; it tells little by its height, and should not jump.
#
# ## 5. What was learnt
#
# **The reward.** For each image that was kept aside, is its own caption more
# likely than another's? Chance is one half.

# %%
seen = keras_ab.probes.source_features(model, held_out, "images", "whole")
images = seen.values
texts = [held_out.annotations(i)["text"][0] for i in seen.indices]
probabilities = keras.ops.convert_to_numpy(model.reward(images, texts))
own = np.diag(probabilities)[:, None]
wins = (own > probabilities) + 0.5 * (own == probabilities)
np.fill_diagonal(wins, 0)
print(f"own caption likelier: {wins.sum() / (wins.size - len(wins)):.0%}")

# %% [markdown]
# **The value function.** For one of these images and two captions, how likely
# does each caption become if one looks there next? The box is the best place.
# Use captions of things that are in the picture.

# %%
picture = np.asarray(keras.utils.load_img(folder / seen.ids[0]))
asked = [texts[0], texts[1]]
maps = keras_ab.analysis.value_map(model, picture, asked)
keras_ab.analysis.draw_value_maps(picture, maps, asked)

# %% [markdown]
# **The features.** The nearest neighbours of the first four images, by the
# cosine of their pooled features. Neighbours of the same kind, in other colours
# and at other places, are what you want to see; if all neighbours share a
# background, the model has learnt the background.

# %%
pool = value.subset(np.arange(min(len(value), 64 if QUICK else 1000)))
library = keras_ab.probes.source_features(model, pool, "images", "whole").values
features = keras_ab.probes.extract_features(model, library)
queries = keras_ab.probes.extract_features(model, images[:4])
features /= np.linalg.norm(features, axis=1, keepdims=True)
nearest = np.argsort(-queries @ features.T, axis=1)[:, :5]
figure, axes = plt.subplots(4, 6, figsize=(8, 5.4))
for row, query, neighbours in zip(axes, images, nearest):
    for axis, shown in zip(row, [query, *library[neighbours]]):
        axis.imshow(shown)
        axis.axis("off")
axes[0, 0].set_title("query")
plt.show()

# %% [markdown]
# ## 6. Keep it
#
# The model file holds everything, the tokenizer included, and opens on any
# backend. `keras_ab.embed` writes the features of a folder, in batches, and
# goes on where it was cut off.

# %%
model.save(f"{RUN}/model.keras")
subprocess.run(
    [sys.executable, "-m", "keras_ab.embed", f"{RUN}/model.keras", PHOTOS]
    + ["--output", f"{RUN}/features.npz"],
    check=True,
)
stored = np.load(f"{RUN}/features.npz")
print({name: stored[name].shape for name in stored.files})

# %% [markdown]
# ## Where to go from here
#
# - More steps before a larger model: ten passes over the captioned images are
#   few, hundreds wear captions out.
# - Have you labels? `keras_ab.probes` measures the encoder as the papers do:
#   see the guide `evaluate`.
# - Captions for other images than the ones you care about? Train the reward
#   there and the value on yours: see the guide `decoupled`.
