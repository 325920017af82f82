# %% [markdown]
# # Evaluate and compare
#
# Is the encoder any good, and is it better than another one? This guide
# measures encoders by one protocol, puts them side by side with intervals, and
# watches features while they are trained.
#
# The rules of the protocol: the encoder is frozen, and every weight stays as
# it is; features are computed once for all probes; a probe chooses its learning
# rate on a part of the training set; each figure has a 95% bootstrap interval
# and the chance that belongs to it; what a result file needs to be repeated is
# in it; and results that were measured in different ways are not compared
# unless you insist.

# %%
# In Colab or on Kaggle, first:
# !pip install "keras_ab[data,plot,probes]"

# %%
import os
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
from IPython.display import Image
from IPython.display import Markdown
from IPython.display import display

import keras_ab

QUICK = "KERAS_AB_QUICK" in os.environ  # a minute, to see that all works
SIZE = 48
TRAIN, TEST = (96, 64) if QUICK else (2000, 1000)
STEPS = 8 if QUICK else 1000
keras.utils.set_random_seed(0)

# %% [markdown]
# ## 1. An encoder is images to tokens
#
# `evaluate` takes a keras_ab model, a backbone of KerasHub, keras.applications
# or KerasCV, or any callable that turns images into tokens, `(B, T, D)`, or a
# map, `(B, h, w, D)`. The last is how to bring an encoder from elsewhere. It is
# also how to ask whether a task needs an encoder at all: here is a colour
# histogram, as a single token.


# %%
def histogram(images):
    """Counts of 4 x 4 x 4 colours, `(B, 1, 64)`."""
    bins = (np.asarray(images).astype(int) // 64) @ [16, 4, 1]
    counts = [np.bincount(b.ravel(), minlength=64) for b in bins]
    shares = np.stack(counts)[:, None] / bins[0].size
    return np.sqrt(shares).astype("float32")


colours = keras_ab.probes.FrozenEncoder(
    histogram, image_size=SIZE, scale=lambda x: x, name="colours"
)

# %% [markdown]
# ## 2. Watching features while they are trained
#
# `Evaluation` runs a probe every so many steps. The run goes on to the same
# weights, to the bit, as without it.

# %%
scenes = keras_ab.data.Scenes(size=256 if QUICK else 4000).cache()


captions = [text for i in range(len(scenes)) for text in scenes[i]["text"]]
tokenizer = keras_ab.data.WordTokenizer.from_texts(captions, 12)


def clip():
    keras.utils.set_random_seed(0)
    return keras_ab.models.CLIP(
        "tiny",
        "tiny",
        tokenizer,
        image_shape=(SIZE, SIZE, 3),
        patch_size=12,
        target_rate=0.02,
    )


untrained, model = clip(), clip()
warmup = STEPS // 8
model.compile(
    keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(
            0.0, STEPS - warmup, warmup_target=1e-3, warmup_steps=warmup
        ),
        weight_decay=0.05,
    )
)
watch = keras_ab.callbacks.Evaluation(
    keras_ab.data.Scenes(size=TRAIN, seed=9).cache(),
    keras_ab.data.Scenes(size=TEST, seed=9, split="test").cache(),
    every_steps=max(1, STEPS // 5),
)
model.fit(
    keras_ab.data.reward_batches(scenes, tokenizer, SIZE, batch_size=128),
    steps_per_epoch=STEPS,
    callbacks=[watch],
    verbose=2,
)
for step, outcomes in watch.history.items():
    first = outcomes[0]
    low, high = first.interval
    print(f"step {step}: kNN {first.value:.1%} [{low:.1%}, {high:.1%}]")

# %% [markdown]
# ## 3. Several tasks, several probes
#
# The built-in sets need no download: which object a picture is about, how many
# there are, how near the nearest one is. For data of your own, or the papers'
# sets, write `"classification=photos"`, with `photos` a folder of one folder a
# class, or `"classification=food101"`, `"detection=coco:FOLDER"`.

# %%
reports = {
    name: keras_ab.probes.evaluate(
        encoder,
        ["classification", "count", "depth"],
        ["knn", "linear"],
        train_size=TRAIN,
        test_size=TEST,
    )
    for name, encoder in (
        ("untrained", untrained),
        ("colours", colours),
        ("CLIP", model),
    )
}
first = reports["CLIP"].results[0]
print(first.task, first.probe, [o.name for o in first.outcomes])
print({k: v for k, v in reports["CLIP"].encoder.items() if k != "weights"})

# %% [markdown]
# ## 4. Side by side
#
# Differences are to the first, and paired: both encoders answered for the same
# pictures. `≈` marks a difference whose interval holds 0. That is the one thing
# to look at before a bold number.

# %%
comparison = keras_ab.probes.compare(reports, baseline="untrained")
display(Markdown(keras_ab.probes.markdown(comparison.headlines())))

# %%
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "comparison.png")
    keras_ab.probes.plot(comparison.headlines(), path)
    display(Image(path))

# %% [markdown]
# If the colour histogram comes close to your encoder, the task is about colour.
#
# ## 5. Files, and the same from a shell
#
# A report is a JSON file that says everything about itself: protocol, encoder
# and a fingerprint of its weights, crop, data with fingerprints, seeds,
# versions, time. A checksum guards the results.

# %%
reports["CLIP"].save("clip.json")
print(keras_ab.probes.Report.load("clip.json").protocol)
try:
    other = keras_ab.probes.evaluate(
        untrained, ["count"], ["knn"], train_size=TRAIN // 2, test_size=TEST
    )
    keras_ab.probes.compare({"one": reports["CLIP"], "two": other})
except keras_ab.probes.NotComparable as refusal:
    print(refusal)

# %% [markdown]
#     python -m keras_ab.probes model.keras classification count \
#         --probe knn linear --json mine.json
#     python -m keras_ab.probes compare base.json mine.json \
#         --markdown table.md --latex table.tex --plot plot.png
#
# One seed of training is one sample: intervals here are over test pictures
# alone. To claim that a method is better, train several seeds of both.
