# %% [markdown]
# # Reward from a curated set, bootstrapping on your own images
#
# Annotated images are often not the ones you care about. Somebody has labelled
# pictures of single objects; you have hours of video, or street scenes, with
# many things in each picture and no labels. Asking all crops of such a picture
# to agree is wrong: a crop with a cup and one with a hand are different things.
# Decoupled training (Table 3 of the paper) learns the **reward** on the curated
# set and the **value function**, by Bellman backups, on yours.
#
# Here the curated set is `Objects`, one large object a picture, labelled; the
# unlabelled set is `Video`, frames of a moving camera over a table where a hand
# does something. Both are generated, and nothing is downloaded.

# %%
# In Colab or on Kaggle, first:
# !pip install "keras_ab[data,plot,probes]"

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import matplotlib.pyplot as plt
import numpy as np

import keras_ab

QUICK = "KERAS_AB_QUICK" in os.environ  # a minute, to see that all works
SIZE, STEPS = 48, 8 if QUICK else 800
COUNT = 160 if QUICK else 4000

# %% [markdown]
# ## 1. The two sources
#
# With data of your own: `from_folder("curated", labels="folders")`, and
# `from_frames("frames")` for folders or tars of frames, `from_folder(...)` for
# anything else.

# %%
curated = keras_ab.data.Objects(size=COUNT).cache()
video = keras_ab.data.Video(clips=COUNT // 16).cache()
figure, axes = plt.subplots(2, 6, figsize=(9, 3.2))
for row, source in zip(axes, (curated, video)):
    for axis, i in zip(row, range(0, 60, 11)):
        axis.imshow(source[i]["image"])
        axis.axis("off")
axes[0, 0].set_title("curated, labelled", loc="left", fontsize=10)
axes[1, 0].set_title("yours, unlabelled", loc="left", fontsize=10)
plt.show()


# %% [markdown]
# ## 2. Three models on the same number of views
#
# - **classes**: the supervised reward alone, on the curated set;
# - **coupled**: annotation bootstrapping with both halves on the curated set;
# - **decoupled**: the reward on the curated set, the value on yours.
#
# The first sees twice as many labelled views as the other two, whose second
# half goes into unlabelled crops.

# %%
VIEWS = 128


def build(bootstrapping):
    keras.utils.set_random_seed(0)
    encoder = keras_ab.backbones.ViT.from_size(
        "tiny", image_shape=(SIZE, SIZE, 3), patch_size=12
    )
    names = list(curated.class_names)
    reward = keras_ab.objectives.Classification(len(names), names)
    if bootstrapping:
        value = keras_ab.objectives.BellmanValue(
            keras_ab.backbones.AnnotationDecoder.from_size(
                "tiny", num_layers=2
            ),
            projection_dim=128,
        )
        model = keras_ab.models.AnnotationBootstrapping(
            encoder, reward, value, target_rate=0.02
        )
    else:
        model = keras_ab.models.Pretrainer(encoder, [reward], target_rate=0.02)
    warmup = STEPS // 8
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, STEPS - warmup, warmup_target=1e-3, warmup_steps=warmup
    )
    model.compile(keras.optimizers.AdamW(schedule, weight_decay=0.05))
    return model


def train(unlabelled):
    """A model whose value learns on `unlabelled`; None for no value."""
    model = build(unlabelled is not None)
    half = VIEWS if unlabelled is None else VIEWS // 2
    batches = keras_ab.data.labelled_batches(curated, SIZE, batch_size=half)
    if unlabelled is not None:
        values = keras_ab.data.value_batches(
            unlabelled, SIZE, batch_size=half // 4, num_views=4
        )
        batches = keras_ab.data.merge(batches, values)
    model.fit(batches, steps_per_epoch=STEPS, verbose=2)
    return model


trained = {
    "classes": train(None),
    "coupled": train(curated),
    "decoupled": train(video),
}

# %% [markdown]
# ## 3. Features for your images
#
# What matters is how good the features are on *video*: which action is it, read
# from one frame, by a linear probe on frozen features? Beside it what guessing
# gives and what the untrained encoder gives. The same protocol measures any
# encoder; see the guide `evaluate`.

# %%
clips = 96 if QUICK else 2000
frames = keras_ab.data.Video(clips, seed=7).middle_frames().cache()
test_frames = keras_ab.data.Video(clips, seed=7, split="test")
test_frames = test_frames.middle_frames().cache()
verbs = np.array([frames[i]["verb"] for i in range(len(frames))])
test_verbs = np.array([test_frames[i]["verb"] for i in range(len(test_frames))])


def accuracy(model, network=None):
    features = [
        keras_ab.probes.source_features(
            keras_ab.probes.FrozenEncoder(model, network), source, crop="whole"
        ).values
        for source in (frames, test_frames)
    ]
    guess = keras_ab.probes.linear_predict(features[0], verbs, features[1])
    hits = (guess == test_verbs).astype("float64")
    return hits.mean(), keras_ab.probes.bootstrap_interval(hits)


guessing = np.bincount(test_verbs).max() / len(test_verbs)
print(f"commonest verb: {guessing:.1%}")
for name, model in {"untrained": build(False), **trained}.items():
    mean, (low, high) = accuracy(model)
    print(f"{name:10} {mean:.1%}  [{low:.1%}, {high:.1%}]")

# %% [markdown]
# Intervals are 95%, over the test frames; they do not hold what another seed of
# training would change. Where they overlap, nothing is shown: run several seeds
# before believing in a difference (`recipes/table.py` pairs them).
#
# ## 4. Looking into it
#
# The decoupled model's value function: in a frame of the video, where would one
# see which class of the *curated* set?

# %%
record = test_frames[3]
asked = [curated.class_names[i] for i in np.unique(record["classes"])[:3]]
maps = keras_ab.analysis.value_map(trained["decoupled"], record["image"], asked)
keras_ab.analysis.draw_value_maps(record["image"], maps, asked)
