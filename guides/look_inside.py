# %% [markdown]
# # Look inside
#
# What does the value function believe about the rest of a picture? In which
# order does it learn? Do reward and value pull the encoder the same way? This
# guide trains a small ABCLIP, looks at it all along (Figures 4, 7, 8 and 9 of
# the paper), and walks through a picture with it in the end.

# %%
# In Colab or on Kaggle, first:
# !pip install "keras_ab[data,plot,probes]"

# %%
import functools
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import matplotlib.pyplot as plt
import numpy as np

import keras_ab
from keras_ab import analysis

QUICK = "KERAS_AB_QUICK" in os.environ  # a minute, to see that all works
SIZE, STEPS = 48, 8 if QUICK else 800
keras.utils.set_random_seed(0)

# %% [markdown]
# ## 1. A model, and a picture to watch

# %%
scenes = keras_ab.data.Scenes(size=160 if QUICK else 5000).cache()
captions = [text for i in range(len(scenes)) for text in scenes[i]["text"]]
tokenizer = keras_ab.data.WordTokenizer.from_texts(captions, 12)
batches = functools.partial(
    keras_ab.data.bootstrap_batches,
    tokenizer=tokenizer,
    image_size=SIZE,
    reward_batch_size=64,
    value_batch_size=16,
)
model = keras_ab.models.ABCLIP(
    "tiny",
    "tiny",
    tokenizer,
    "tiny",
    image_shape=(SIZE, SIZE, 3),
    patch_size=12,
    target_rate=0.02,
)
held_out = keras_ab.data.Scenes(size=160, seed=5, split="test").cache()
watched = next(
    held_out[i]
    for i in range(len(held_out))
    if len(np.unique(held_out[i]["classes"])) >= 4
)
names = [
    keras_ab.data.Scenes.class_names[c] for c in np.unique(watched["classes"])
]
asked = [f"a {name}" for name in names[:3]]
print(watched["text"][0], "- asked for:", asked)
figure, axis = plt.subplots(figsize=(2.4, 2.4))
axis.imshow(watched["image"])
axis.axis("off")
plt.show()

# %% [markdown]
# ## 2. Looking while it trains
#
# A measure is any function of the model; `Collector` calls it every so many
# steps and keeps what it gives. Weights, random states and data stay as they
# are.

# %%
probe = next(iter(batches(held_out, held_out, seed=1).as_numpy_iterator()))
looks = analysis.Collector(
    {
        "watched": functools.partial(
            analysis.predictions, image=watched["image"], annotations=asked
        ),
        "overlap": functools.partial(analysis.value_accuracy, batch=probe),
        "alignment": analysis.GradientAlignment(probe),
        "curriculum": analysis.Curriculum(probe),
    },
    every_steps=max(1, STEPS // 8),
)
warmup = STEPS // 8
schedule = keras.optimizers.schedules.CosineDecay(
    0.0, STEPS - warmup, warmup_target=1e-3, warmup_steps=warmup
)
model.compile(keras.optimizers.AdamW(schedule, weight_decay=0.1, beta_2=0.98))
model.fit(
    batches(scenes, scenes), steps_per_epoch=STEPS, callbacks=[looks], verbose=2
)
collected = looks.collected
collected.save("collected.npz")

# %% [markdown]
# ## 3. What it says of one picture (Figure 7)
#
# The reward's p(caption | picture), and Q of a step back from it.

# %%
analysis.draw_predictions(
    collected.steps,
    collected.measure("watched"),
    asked,
    watched["image"],
)

# %% [markdown]
# ## 4. Near things are learnt first (Figure 4, right)
#
# How often Q's best caption is that of the Bellman target, by the overlap of
# the crop one stands at with the crop that is asked for. A guess among 64
# captions is right once in 64; an answer of the few that are the best of many
# crops is right more often, and `overlap["shuffled"]` says how often.

# %%
overlap = collected.measure("overlap")
analysis.draw_value_accuracy(
    collected.steps, overlap["accuracy"], overlap["staying"]
)

# %% [markdown]
# ## 5. Do reward and value agree? (Figure 8)
#
# The cosine between both losses' gradients at the encoder. Two random
# directions in as many dimensions have one of about 0.

# %%
analysis.draw_gradient_alignment(
    collected.steps, {"value and reward": collected["alignment/cosine"]}
)

# %% [markdown]
# ## 6. The implicit curriculum (Figure 9)
#
# The size of the value loss' gradient for each image, early and late, with the
# images at both ends.

# %%
analysis.draw_curriculum(
    collected.steps,
    collected["curriculum/norms"],
    probe["value"]["image"][:, 0],
)

# %% [markdown]
# ## 7. Tokens as colours
#
# The first three principal components of the patch tokens as red, green and
# blue. Tokens of one colour are alike to the encoder.

# %%
pictures = keras_ab.probes.extract_views(
    np.stack([held_out[i]["image"] for i in range(4)]), (SIZE, SIZE)
)
analysis.draw_token_colours(pictures, analysis.token_colours(model, pictures))

# %% [markdown]
# ## 8. A walk
#
# Where to look for the last caption? At each step the agent looks where Q is
# largest from where it stands; beside each value is the reward of what is
# really there, which the value function did not see.

# %%
maps = analysis.value_map(model, watched["image"], asked)
analysis.draw_value_maps(watched["image"], maps, asked)

# %%
path = analysis.greedy_path(model, watched["image"], asked, wanted=2, steps=3)
figure, axes = plt.subplots(1, 1 + len(path.boxes), figsize=(9, 2.8))
axes[0].imshow(watched["image"])
side = np.array(watched["image"].shape[:2] * 2) - 1
for step, (axis, box) in enumerate(zip(axes[1:], path.boxes)):
    top, left, bottom, right = np.asarray(box) * side
    axes[0].add_patch(
        plt.Rectangle(
            (left, top),
            right - left,
            bottom - top,
            fill=False,
            color=f"C{step}",
        )
    )
    axis.imshow(analysis.crop_view(watched["image"], box, (SIZE, SIZE)))
    value, reward = path.values[step, 2], path.rewards[step, 2]
    axis.set_title(f"Q {value:.2f}, found {reward:.2f}", fontsize=9)
for axis in axes:
    axis.axis("off")
plt.show()

# %% [markdown]
# The same by mouse: `python -m keras_ab.explore model.keras photos` opens a
# page on which you drag boxes, type captions and compare checkpoints.
