# %% [markdown]
# # Bring your own reward
#
# CLIP's contrast, SimCLR's and DINO's are three ways to learn p(annotation |
# view). Your supervision may be another: tags, attributes, sensor readings,
# clicks. This guide writes a reward for **tags**, of which an image has any
# number, in one class, and bootstraps on it: the value function then learns
# which tags one would see by looking elsewhere in a picture.
#
# A reward says four things: what the annotations are, how likely each of them
# is for a view, what its loss is, and how a user names an annotation after
# training. The trainer, the target network, the Bellman backup and the
# monitors know rewards by these alone.

# %%
# In Colab or on Kaggle, first:
# !pip install "keras_ab[data,plot,probes]"

# %%
import math
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import ops

import keras_ab

QUICK = "KERAS_AB_QUICK" in os.environ  # a minute, to see that all works
keras.utils.set_random_seed(0)

# %% [markdown]
# ## 1. Tagged images
#
# Scenes with several things each; the tags of a picture are the kinds of
# things in it. Only half of the pictures are tagged.

# %%
scenes = keras_ab.data.Scenes(size=64 if QUICK else 6000).cache()
TAGS = list(scenes.class_names)


def tags_of(record):
    """1 for each tag that the picture has."""
    return np.isin(np.arange(len(TAGS)), record["classes"]).astype("float32")


tagged = [scenes[i] for i in range(len(scenes) // 2)]
images = np.stack([record["image"] for record in tagged])
tags = np.stack([tags_of(record) for record in tagged])
print(len(tagged), "tagged pictures,", len(TAGS), "tags")
print(f"{tags.sum(1).mean():.1f} tags a picture")
print(tagged[0]["text"][0], "->", [t for t, on in zip(TAGS, tags[0]) if on])

# %% [markdown]
# ## 2. The reward
#
# p(tag | view) is a softmax over all tags. A picture with three tags should
# give each of them a third, so the loss is a cross entropy with the tags'
# shares. The class below is all there is to it. What each method is for:
#
# - `annotation_dim` and `annotations` say what annotations look like: here each
#   tag is its own unit vector, `(L, L)`;
# - `build_on` makes the heads, once the encoder is known;
# - `call` runs on the online network, and returns what the loss needs;
# - `reward_logits` gives logits whose softmax is p(tag | view); the *target
#   network* calls it, to make labels for the value function (Equation 5);
# - `featurize` turns what a user says into features, after training.


# %%
@keras.saving.register_keras_serializable(package="guide")
class Tags(keras_ab.objectives.Reward):
    """Tags, any number to an image, as a reward.

    Args:
        names: List of strings, all tags.
        weight: Float, the factor of this loss in the total.
        name: Name of the objective.
    """

    def __init__(self, names, weight=1.0, name="reward", **kwargs):
        super().__init__(weight=weight, name=name, **kwargs)
        self.names = list(names)
        self.annotation_dim = len(self.names)
        self.head = keras.layers.Dense(len(self.names), name="head")

    def build_on(self, network):
        self.head.build((None, network.encoder.hidden_dim))

    def check(self, batch):
        shape = np.shape(batch["tags"]["tags"])
        if shape[-1] != len(self.names):
            raise ValueError(
                f"Tags must be of shape (B, {len(self.names)}). "
                f"Received: {shape}"
            )

    def num_annotations(self, batch):
        return len(self.names)

    def annotations(self, batch, network):
        return ops.eye(len(self.names))

    def call(self, batch, network=None, peers=None, training=False):
        batch = batch["tags"]
        tokens = network.encode(batch["image"], training=training)
        return {
            "annotations": self.annotations(batch, network),
            "logits": self.head(network.encoder.pool(tokens)),
            "tags": ops.cast(batch["tags"], "float32"),
        }

    def compute_loss(self, outputs, targets, updates):
        tags = outputs["tags"]
        counts = ops.sum(tags, axis=-1, keepdims=True)
        shares = tags / ops.maximum(counts, 1.0)
        return keras.losses.categorical_crossentropy(
            shares, outputs["logits"], from_logits=True
        )

    def reward_logits(self, pooled, features):
        return ops.matmul(self.head(pooled), ops.transpose(features))

    def featurize(self, annotations, network):
        places = [self.names.index(name) for name in annotations]
        return ops.take(ops.eye(len(self.names)), places, axis=0)

    def chance_loss(self, batch):
        return math.log(len(self.names))

    def get_config(self):
        return {**super().get_config(), "names": self.names}


# %% [markdown]
# ## 3. Its batches
#
# A reward reads what it likes from the batch, under a key of its own; any
# `tf.data` pipeline will do. The value function's part comes from
# `value_batches`, and `merge` puts both into one dict.

# %%
SIZE, BATCH = 48, 32


def random_crop(image, tags):
    side = tf.random.uniform((), 72, 97, "int32")
    crop = tf.image.random_crop(image, (side, side, 3))
    crop = tf.image.resize(crop, (SIZE, SIZE), antialias=True)
    return {"tags": {"image": tf.cast(crop, "uint8"), "tags": tags}}


rewards = (
    tf.data.Dataset.from_tensor_slices((images, tags))
    .shuffle(1000, seed=0)
    .repeat()
    .map(random_crop, tf.data.AUTOTUNE)
    .batch(BATCH)
)
values = keras_ab.data.value_batches(
    scenes, SIZE, batch_size=BATCH // 4, num_views=4
)
batches = keras_ab.data.merge(rewards, values)
print(keras.tree.map_structure(lambda spec: spec.shape, batches.element_spec))

# %% [markdown]
# ## 4. Bootstrapping on it
#
# Nothing else is needed: `AnnotationBootstrapping` takes any reward. The value
# loss is the paper's, summed over all tags.

# %%
STEPS = 8 if QUICK else 1500
model = keras_ab.models.AnnotationBootstrapping(
    keras_ab.backbones.ViT.from_size(
        "tiny", image_shape=(SIZE, SIZE, 3), patch_size=12
    ),
    reward=Tags(TAGS),
    value=keras_ab.objectives.BellmanValue(
        keras_ab.backbones.AnnotationDecoder.from_size("tiny", num_layers=2),
        projection_dim=128,
    ),
    target_rate=0.02,
)
schedule = keras.optimizers.schedules.CosineDecay(
    0.0, STEPS, warmup_target=1e-3, warmup_steps=STEPS // 8
)
model.compile(keras.optimizers.AdamW(schedule, weight_decay=0.05))
history = model.fit(
    batches,
    epochs=10 if not QUICK else 2,
    steps_per_epoch=STEPS // (10 if not QUICK else 2),
    callbacks=[keras_ab.callbacks.Monitor()],
    verbose=2,
).history

# %% [markdown]
# The monitor found what it needs in the interface: `chance_loss` to say how far
# the loss is from guessing, and p(tag | view) for its entropy.

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 2.8))
axes[0].plot(history["reward_loss"], marker=".")
axes[0].axhline(math.log(len(TAGS)), color="0.7")
axes[0].set(title="reward loss; grey: guessing", xlabel="epoch")
axes[1].plot(history["value_loss"], marker=".")
axes[1].set(title="value loss", xlabel="epoch")
for axis in axes:
    axis.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# ## 5. Asking it
#
# On new pictures: how often is the likeliest tag one that the picture has? A
# guess that ignores the picture is right as often as the commonest tag is
# there.

# %%
new = keras_ab.data.Scenes(size=32 if QUICK else 500, split="test").cache()
new_tags = np.stack([tags_of(new[i]) for i in range(len(new))])
views = keras_ab.probes.extract_views(
    np.stack([new[i]["image"] for i in range(len(new))]), (SIZE, SIZE)
)
likeliest = np.argmax(ops.convert_to_numpy(model.reward(views, TAGS)), axis=1)
right = new_tags[np.arange(len(new)), likeliest].mean()
guess = new_tags[:, tags.mean(0).argmax()].mean()
print(f"the likeliest tag is there: {right:.0%} (commonest tag: {guess:.0%})")

# %% [markdown]
# And the value function: where in this picture would one see each of its tags?
# The reward saw tags of whole pictures only; where things are comes from the
# bootstrapping. After so few steps it knows what belongs up and what down, and
# not much more.

# %%
record = next(
    record
    for record in map(new.__getitem__, range(len(new)))
    if len(set(record["classes"])) >= 3
)
asked = [TAGS[i] for i in np.unique(record["classes"])[:3]]
maps = keras_ab.analysis.value_map(model, record["image"], asked)
keras_ab.analysis.draw_value_maps(record["image"], maps, asked)

# %% [markdown]
# ## What else a reward may do
#
# - Weights that move later (`frozen`), states of its own such as centres
#   (`update_state`), a loss that needs the target network (`targets`).
# - A set of annotations that never changes: derive from
#   `keras_ab.objectives.FrozenReward`'s base, and look at `Classification`.
# - A model that somebody else trained: `FrozenReward(images -> logits)` needs
#   no class at all.
#
# A loss that compares the rows of a batch with each other, as contrasts do,
# calls `keras_ab.distribution.gather` on what it compares, and then sees the
# whole batch on several devices too.
