"""ViT-S/16 forward and backward, by library: functions to be timed.

Each maker takes float32 images of shape (batch, 224, 224, 3) and returns a
function that computes the gradient of the mean square of the final tokens with
respect to all weights, and returns when that is done.
"""

import numpy as np

SIZE = 224
LAYERS, HEADS, WIDTH, MLP = 12, 6, 384, 1536


def ours():
    """Our ViT, with 196 tokens."""
    from keras_ab import backbones

    layer = backbones.ViT.from_size("S", image_shape=(SIZE, SIZE, 3))
    layer.build()
    return layer


def kerashub():
    """KerasHub's ViT, with a class token besides."""
    from keras_hub.models import ViTBackbone

    return ViTBackbone(
        image_shape=(SIZE, SIZE, 3),
        patch_size=16,
        num_layers=LAYERS,
        num_heads=HEADS,
        hidden_dim=WIDTH,
        mlp_dim=MLP,
    )


def on_jax(loss, trainable):
    """The compiled gradient of `loss(trainable, images)`, lowered.

    Args:
        loss: Function of weights and images.
        trainable: Its weights.

    Returns:
        Function of images that makes the function to be timed; it has the
        FLOPs that XLA counts in `flops`.
    """
    import jax

    def make(images):
        images = jax.numpy.asarray(images)
        lowered = jax.jit(jax.value_and_grad(loss)).lower(trainable, images)
        step = lowered.compile()

        def work():
            jax.block_until_ready(step(trainable, images))

        work.flops = lowered.cost_analysis()["flops"]
        return work

    return make


def keras_on_jax(layer):
    """As `on_jax`, of a Keras layer."""
    fixed = [v.value for v in layer.non_trainable_variables]

    def loss(trainable, images):
        tokens, _ = layer.stateless_call(
            trainable, fixed, images, training=True
        )
        return (tokens**2).mean()

    return on_jax(loss, [v.value for v in layer.trainable_variables])


def big_vision():
    """big_vision's ViT in Flax, as `on_jax`; 196 tokens."""
    import jax
    from big_vision.models import vit

    model = vit.Model(variant="S/16", num_classes=None, pool_type="none")
    sample = jax.numpy.zeros((1, SIZE, SIZE, 3))
    params = jax.jit(model.init)(jax.random.key(0), sample)

    def loss(params, images):
        # Without pooling the first output is the normed tokens.
        tokens, _ = model.apply(params, images, train=True)
        return (tokens**2).mean()

    return on_jax(loss, params)


def keras_on_tensorflow(layer, compiled):
    """A Keras layer in a graph, compiled by XLA or not."""

    def make(images):
        import tensorflow as tf

        images = tf.constant(images)

        @tf.function(jit_compile=compiled)
        def step():
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(layer(images, training=True) ** 2)
            weights = [v.value for v in layer.trainable_variables]
            return loss, tape.gradient(loss, weights)

        def work():
            float(step()[0])

        return work

    return make


def on_torch(weights, forward):
    """A function of images on PyTorch, eagerly, and its weights."""

    def make(images):
        import torch

        images = torch.from_numpy(images)

        def work():
            loss = (forward(images) ** 2).mean()
            torch.autograd.grad(loss, weights)

        return work

    return make


def keras_on_torch(layer):
    """A Keras layer on PyTorch, as `on_torch`."""
    weights = [v.value for v in layer.trainable_variables]
    return on_torch(weights, lambda images: layer(images, training=True))


def timm():
    """timm's ViT, as `on_torch`; 196 tokens."""
    import timm as library

    module = library.create_model(
        "vit_small_patch16_224",
        num_classes=0,
        class_token=False,
        global_pool="",
        no_embed_class=True,
    ).train()
    return on_torch(
        list(module.parameters()),
        lambda images: module(images.permute(0, 3, 1, 2)),
    )


def images(batch):
    """Pixels about 0, float32."""
    shape = (batch, SIZE, SIZE, 3)
    return np.random.default_rng(0).normal(size=shape).astype("float32")
