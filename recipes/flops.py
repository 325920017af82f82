"""Floating-point operations of a training step, from its matrix products.

Two for each multiply-add of a matrix product; norms, softmaxes, lookups and
the optimizer are left out, as is what is computed a second time to save
memory. A backward pass counts twice its forward pass; the target network has
none.
"""

import functools
import math

from keras_ab import data
from keras_ab import objectives
from recipes import budget

METHOD = (
    "two for each multiply-add of the matrix products; a backward pass is "
    "twice its forward pass; no recomputation"
)


def per_step(model, options):
    """FLOPs of a step, by part.

    Args:
        model: A `keras_ab.models.Pretrainer`.
        options: The recipe's options.

    Returns:
        Dict of ints: `"online"` (forward and backward), `"target"`, `"total"`.
    """
    online = target = 0
    for objective in model.online.objectives:
        forward, lagging = _products(objective, model.online, options)
        online += 3 * 2 * forward
        target += 2 * lagging
    return {"online": online, "target": target, "total": online + target}


def kernels(layer):
    """Multiply-adds of one token on its way through a layer's kernels."""
    return sum(
        math.prod(w.shape)
        for w in layer.weights
        if w.path.endswith("/kernel") and len(w.shape) > 1
    )


def transformer(layer, tokens):
    """Multiply-adds of a sequence in the blocks of a transformer."""
    mixing = 2 * tokens**2 * layer.hidden_dim * len(layer.blocks)
    return tokens * sum(kernels(block) for block in layer.blocks) + mixing


def image(encoder, size=None, kept=None):
    """Multiply-adds of one view.

    Args:
        encoder: A `keras_ab.backbones.ViT`.
        size: Int, side of the view; None for the encoder's own.
        kept: Int, patches that go on from the embedding; None for all.

    Returns:
        Int.
    """
    patches, tokens = lengths(encoder, size, kept)
    return patches * kernels(encoder.patches) + transformer(encoder, tokens)


def lengths(encoder, size=None, kept=None):
    """Patches of a view, and tokens that go through the blocks.

    Args:
        encoder: As in `image`.
        size: As in `image`.
        kept: As in `image`.

    Returns:
        Two ints.
    """
    patches = math.prod(encoder.grid_shape)
    if size is not None:
        patches = math.prod(size // side for side in encoder.patch_size)
    tokens = (patches if kept is None else kept) + encoder.num_prefix_tokens
    return patches, tokens


@functools.singledispatch
def _products(objective, network, options):
    """Multiply-adds of an objective, forward: online, and by the target."""
    raise NotImplementedError(
        f"Nothing is known of the products of {type(objective).__name__}."
    )


@_products.register
def _(reward: objectives.ImageTextContrast, network, options):
    count = options.reward_batch_size
    text = transformer(reward.text_encoder, reward.text_encoder.sequence_length)
    heads = kernels(reward.image_head) + kernels(reward.text_head)
    logits = count * reward.projection_dim
    each = image(network.encoder) + text + heads + logits
    return count * each, count * text * network.bootstraps(reward.name)


@_products.register
def _(reward: objectives.ViewContrast, network, options):
    views = 2 * options.views_batch_size
    view = image(network.encoder)
    logits = views * reward.projection_dim
    online = views * (view + kernels(reward.head) + logits)
    return online, views // 2 * view * network.bootstraps(reward.name)


@_products.register
def _(reward: objectives.SelfDistillation, network, options):
    count, head = options.crops_batch_size, kernels(reward.head)
    large = 2 * count * (image(network.encoder) + head)
    small = image(network.encoder, options.local_size) + head
    return large + options.num_locals * count * small, large


@_products.register
def _(value: objectives.BellmanValue, network, options):
    reward = network.objective(value.reward)
    views = options.value_batch_size * options.num_views
    pairs = views * options.num_views
    view = image(network.encoder)
    tokens = math.prod(network.encoder.grid_shape)
    tokens += network.encoder.num_prefix_tokens
    states = pairs * _action_tokens(value)
    decoding = 0
    for block in value.decoder.blocks:
        context = kernels(block.cross_attention.key_value)
        own = kernels(block) - context
        mixing = 2 * value.decoder.hidden_dim * (_action_tokens(value) + tokens)
        decoding += views * tokens * context + states * (own + mixing)
    number = annotations(reward, options)
    heads = pairs * kernels(value.action_head)
    if not _has_table(reward):
        heads += number * kernels(value.annotation_head)
    logits = pairs * number * value.projection_dim
    online = views * view + decoding + heads + logits
    scores = views * number * _reward_dim(reward)
    return online, online + scores + _reward_heads(reward, views, number)


@_products.register
def _(pixels: objectives.MaskedPixels, network, options):
    patches = math.prod(network.encoder.grid_shape)
    kept = int(patches * options.keep)
    seen = kept + network.encoder.num_prefix_tokens
    decoder = transformer(pixels.decoder, patches - kept + seen)
    decoder += seen * kernels(pixels.decoder.embedding)
    decoder += (patches - kept) * kernels(pixels.projection)
    each = image(network.encoder, kept=kept) + decoder
    return options.masked_batch_size * each, 0


@_products.register
def _(latents: objectives.MaskedLatents, network, options):
    grid = network.encoder.grid_shape
    masks = data.masks.BlockMasks(grid, min_patches=options.min_patches)
    seen, asked = masks.context_length, masks.target_length
    predictor = latents.predictor
    block = transformer(predictor, seen + asked)
    block += asked * kernels(latents.projection)
    each = image(network.encoder, kept=seen)
    each += seen * kernels(predictor.embedding) + masks.num_targets * block
    count = options.masked_batch_size
    return count * each, count * image(network.encoder)


def _action_tokens(value):
    """Tokens of one action, such as a box's four numbers."""
    return value.action_tokens.slot_embeddings.shape[0]


def _has_table(reward):
    """Whether annotations are rows of a table, which no product looks up."""
    return isinstance(reward, objectives.SelfDistillation)


def annotations(reward, options):
    """L, the annotations of a batch."""
    if _has_table(reward):
        return reward.num_prototypes
    sizes = budget.batch(options)
    return sizes.get("reward") or sizes["views"]


def _reward_dim(reward):
    if _has_table(reward):
        return reward.head.bottleneck_dim
    return reward.projection_dim


def _reward_heads(reward, views, number):
    """Multiply-adds of the reward's heads in the values' targets."""
    if _has_table(reward):
        table = reward.num_prototypes * reward.head.bottleneck_dim
        return views * (kernels(reward.head) - table)
    if hasattr(reward, "image_head"):
        text = number * kernels(reward.text_head)
        return views * kernels(reward.image_head) + text
    return (views + number) * kernels(reward.head)
