"""Memory of a training step, from the sizes of what it has to keep.

Weights, gradients, optimizer and batch are what they are. Inner values are
counted as a backward pass needs them: the inputs of products, norms, softmaxes
and activations, each once. What a compiler merges, or keeps twice, and what
the framework itself takes, is left out.
"""

import functools
import math

import keras

from keras_ab import data
from keras_ab import objectives
from keras_ab.ops import chunked_bellman
from recipes import budget
from recipes import flops

METHOD = (
    "inputs of products, norms, softmaxes and activations, each kept once "
    "for the backward pass; no workspace of the framework"
)
# Memory in GB, and TFLOP/s of products in 16 bits, as makers state them.
DEVICES = {
    "t4": (16, 65),
    "l4": (24, 121),
    "a100-40": (40, 312),
    "a100-80": (80, 312),
    "h100": (80, 989),
    "h200": (141, 989),
    "tpu-v4": (32, 275),
    "tpu-v5e": (16, 197),
}


def per_step(model, options, passes=None):
    """Bytes that a step needs at once, by part.

    Args:
        model: A compiled `keras_ab.models.Pretrainer`.
        options: The recipe's options.
        passes: Int, `encoder_passes`; None for the compiled model's own.

    Returns:
        Dict of ints, `"total"` last.
    """
    passes = passes or model.online.passes
    trained = [w for w in model.weights if w.trainable]
    state = _bytes(model.weights) + _bytes(model.optimizer.variables)
    width = 2 if "16" in model.compute_dtype else 4
    encoders = others = 0
    for objective in model.online.objectives:
        inside, outside = _kept(objective, model.online, options)
        encoders, others = encoders + inside, others + outside
    parts = {
        "weights": _bytes(model.weights),
        "gradients": _bytes(trained),
        "optimizer": _bytes(model.optimizer.variables),
        "batch": _batch(model, options),
        "encoders": math.ceil(width * encoders / passes),
        "heads_and_losses": width * others,
    }
    if keras.backend.backend() != "jax":
        # A step that is not finite is taken back from a copy.
        parts["copy"] = state
    return {**parts, "total": sum(parts.values())}


def verdict(model, options, operations, device):
    """Whether a step fits on a device, and what it takes at least.

    Args:
        model: A compiled `keras_ab.models.Pretrainer`.
        options: The recipe's options.
        operations: Int, FLOPs of a step.
        device: One of `DEVICES`.

    Returns:
        Dict for JSON: the device's memory in GB, the fewest
        `encoder_passes` (a power of 2) with which the step fits, None if it
        never does, and the least seconds of a step.
    """
    memory, rate = DEVICES[device]
    fitting = (
        passes
        for passes in (2**i for i in range(9))
        if per_step(model, options, passes)["total"] <= memory * 1e9
    )
    return {
        "device": device,
        "device_gb": memory,
        "encoder_passes": next(fitting, None),
        "least_seconds": operations / (rate * 1e12),
    }


def _bytes(variables):
    sizes = {"float32": 4, "int32": 4, "uint32": 4, "int64": 8}
    return sum(math.prod(v.shape) * sizes.get(v.dtype, 4) for v in variables)


def _batch(model, options):
    """Bytes of the batch's pixels, uint8."""
    each, sizes = budget.views_per_image(options), budget.batch(options)
    pixels = math.prod(model.encoder.image_shape)
    small = 3 * getattr(options, "local_size", 0) ** 2
    local = getattr(options, "num_locals", 0)
    total = 0
    for part, size in sizes.items():
        large = each[part] - local * (part == "crops")
        total += size * large * pixels
        total += size * (part == "crops") * local * small
    return total


def transformer(layer, tokens):
    """Floats that one sequence leaves in the blocks of a transformer."""
    block = layer.blocks[0]
    each = 9 * layer.hidden_dim + 2 * block.intermediate_dim
    each += _weights(block.num_heads, tokens)
    return len(layer.blocks) * tokens * each


def _weights(heads, keys):
    """Floats of a token's attention: scores and their softmax."""
    # PyTorch's fused kernel computes them again.
    return 0 if keras.backend.backend() == "torch" else 2 * heads * keys


def image(encoder, size=None, kept=None):
    """Floats that one view leaves in an encoder.

    Args:
        encoder: A `keras_ab.backbones.ViT`.
        size: Int, side of the view; None for the encoder's own.
        kept: Int, patches that go on from the embedding; None for all.

    Returns:
        Int.
    """
    patches, tokens = flops.lengths(encoder, size, kept)
    pixels = 3 * patches * math.prod(encoder.patch_size)
    ends = 2 * tokens * encoder.hidden_dim
    return pixels + transformer(encoder, tokens) + ends


@functools.singledispatch
def _kept(objective, network, options):
    """Floats that an objective keeps: in encoders, and after them."""
    raise NotImplementedError(
        f"Nothing is known of the memory of {type(objective).__name__}."
    )


@_kept.register
def _(reward: objectives.ImageTextContrast, network, options):
    count = options.reward_batch_size
    length = reward.text_encoder.sequence_length
    text = transformer(reward.text_encoder, length)
    # Cosines, and logits less the positives of either direction.
    logits = 3 * count**2 + 6 * count * reward.projection_dim
    return count * (image(network.encoder) + text), logits


@_kept.register
def _(reward: objectives.ViewContrast, network, options):
    views = 2 * options.views_batch_size
    head = 4 * sum(reward.hidden_dims) + 3 * reward.projection_dim
    return views * image(network.encoder), views * head + 3 * views**2


@_kept.register
def _(reward: objectives.SelfDistillation, network, options):
    count, head = options.crops_batch_size, reward.head
    local = options.num_locals
    small = image(network.encoder, options.local_size)
    pixels = count * (2 * image(network.encoder) + local * small)
    dense = 2 * sum(head.hidden_dims) + 3 * head.bottleneck_dim
    # Cosines and log-probabilities of the student, probabilities of the
    # teacher.
    logits = (2 * (2 + local) + 2) * reward.num_prototypes
    return pixels, count * ((2 + local) * dense + logits)


@_kept.register
def _(value: objectives.BellmanValue, network, options):
    reward = network.objective(value.reward)
    views = options.value_batch_size * options.num_views
    pairs = views * options.num_views
    decoder, block = value.decoder, value.decoder.blocks[0]
    _, tokens = flops.lengths(network.encoder)
    length = value.action_tokens.slot_embeddings.shape[0]
    each = 14 * decoder.hidden_dim + 2 * block.intermediate_dim
    each += _weights(block.num_heads, length + tokens)
    own = pairs * length * each
    context = 2 * views * tokens * decoder.hidden_dim
    number = flops.annotations(reward, options)
    logits = pairs * number
    if logits > chunked_bellman.WHOLE:
        logits = chunked_bellman.CHUNK
    # The reward of each view too, for all annotations.
    after = 3 * logits + views * number
    after += 3 * pairs * value.projection_dim
    decoding = len(decoder.blocks) * (own + context)
    return views * image(network.encoder), decoding + after


@_kept.register
def _(pixels: objectives.MaskedPixels, network, options):
    patches = math.prod(network.encoder.grid_shape)
    kept = int(patches * options.keep)
    tokens = patches + network.encoder.num_prefix_tokens
    decoder = transformer(pixels.decoder, tokens)
    values = 3 * math.prod(network.encoder.patch_size)
    count = options.masked_batch_size
    after = decoder + 3 * (patches - kept) * values
    return count * image(network.encoder, kept=kept), count * after


@_kept.register
def _(latents: objectives.MaskedLatents, network, options):
    grid = network.encoder.grid_shape
    masks = data.masks.BlockMasks(grid, min_patches=options.min_patches)
    seen, asked = masks.context_length, masks.target_length
    block = transformer(latents.predictor, seen + asked)
    block += 4 * asked * network.encoder.hidden_dim
    count = options.masked_batch_size
    encoded = count * image(network.encoder, kept=seen)
    return encoded, count * masks.num_targets * block
