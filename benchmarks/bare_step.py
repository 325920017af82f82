"""One step of ABCLIP written directly against JAX, to measure against.

Weights are a dict from Keras' paths to arrays, so that the step can be held
against the package's own. Dense layers and normalisations have the package's
gradients, which are faster on CPUs than those that JAX derives, so that what
is compared is what `fit` adds. Optax is not needed: AdamW is five lines.
"""

import math

import jax
import jax.numpy as jnp


@jax.custom_vjp
def product(x, kernel):
    return x @ kernel


def product_gradient(kept, slope):
    x, kernel = kept
    rows = x.reshape(-1, x.shape[-1])
    return slope @ kernel.T, rows.T @ slope.reshape(-1, slope.shape[-1])


product.defvjp(lambda x, kernel: (x @ kernel, (x, kernel)), product_gradient)


def dense(w, name, x):
    x = product(x, w[f"{name}/kernel"])
    return x + w[f"{name}/bias"] if f"{name}/bias" in w else x


def moments(x):
    centred = x - x.mean(-1, keepdims=True)
    return centred, jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-6)


@jax.custom_vjp
def normalize(x, gamma, beta):
    centred, scale = moments(x)
    return centred * scale * gamma + beta


def normalize_gradient(kept, slope):
    x, gamma = kept
    centred, scale = moments(x)
    normed, inner = centred * scale, slope * gamma
    along = (inner * normed).mean(-1, keepdims=True)
    inner = inner - inner.mean(-1, keepdims=True) - normed * along
    axes = tuple(range(x.ndim - 1))
    return inner * scale, (slope * normed).sum(axes), slope.sum(axes)


normalize.defvjp(
    lambda x, gamma, beta: (normalize(x, gamma, beta), (x, gamma)),
    normalize_gradient,
)


def norm(w, name, x):
    return normalize(x, w[f"{name}/gamma"], w[f"{name}/beta"])


def attend(q, k, v, heads):
    """`(B, Q, D)`, `(B, T, D)`, `(B, T, D)` to `(B, Q, D)`."""

    def split(x):
        return x.reshape(*x.shape[:2], heads, -1).transpose(0, 2, 1, 3)

    q, k, v = split(q), split(k), split(v)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(0, 1, 3, 2)
    mixed = (jax.nn.softmax(scores) @ v).transpose(0, 2, 1, 3)
    return mixed.reshape(*mixed.shape[:2], -1)


def self_attention(w, name, x, heads):
    q, k, v = jnp.split(dense(w, f"{name}/qkv", x), 3, -1)
    return dense(w, f"{name}/output_projection", attend(q, k, v, heads))


def cross_attention(w, name, x, context, heads):
    k, v = jnp.split(dense(w, f"{name}/key_value", context), 2, -1)
    mixed = attend(dense(w, f"{name}/query", x), k, v, heads)
    return dense(w, f"{name}/output_projection", mixed)


def mlp(w, name, x):
    x = jax.nn.gelu(dense(w, f"{name}/expand", x), approximate=True)
    return dense(w, f"{name}/contract", x)


def transformer(w, name, x, heads, layers):
    for i in range(layers):
        block = f"{name}/block_{i}"
        y = norm(w, f"{block}/attention_norm", x)
        x = x + self_attention(w, f"{block}/attention", y, heads)
        x = x + mlp(w, f"{block}/mlp", norm(w, f"{block}/mlp_norm", x))
    return norm(w, f"{name}/norm", x)


def vit(w, name, images, patch, heads, layers):
    """uint8 `(B, H, W, 3)` to tokens `(B, T, D)`."""
    x = images.astype("float32") / 127.5 - 1.0
    batch, rows, columns, channels = x.shape
    rows, columns = rows // patch, columns // patch
    x = x.reshape(batch, rows, patch, columns, patch, channels)
    x = x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, rows * columns, -1)
    x = dense(w, f"{name}/patches/projection", x)
    x = x + w[f"{name}/positions/embeddings"]
    return transformer(w, name, x, heads, layers)


def texts(w, ids, heads, layers):
    name = "reward/text_encoder"
    x = w[f"{name}/token_embedding/embeddings"][ids]
    x = x + w[f"{name}/positions/embeddings"]
    return transformer(w, name, x, heads, layers)[:, -1]


def decode(w, tokens, boxes, heads, layers):
    """Action tokens of `(B, N, 4)` boxes over `(B N, T, C)` to `(BN, N, D)`."""
    n = boxes.shape[1]
    corner = boxes[..., :2]
    size = boxes[..., 2:] - corner
    origin, scale = jnp.tile(corner, 2), jnp.tile(size, 2)
    relative = (boxes[:, None] - origin[:, :, None]) / scale[:, :, None]
    table = w["value/action_tokens/bin_embeddings"]
    bins = jnp.floor((relative + 4.2) * (len(table) / 9.4))
    bins = jnp.clip(bins, 0, len(table) - 1).astype("int32")
    x = table[bins] + w["value/action_tokens/slot_embeddings"]
    x = x.reshape(-1, 4, x.shape[-1])
    for i in range(layers):
        block = f"value/decoder/block_{i}"
        y = norm(w, f"{block}/self_norm", x)
        x = x + self_attention(w, f"{block}/self_attention", y, heads)
        x = x.reshape(len(tokens), n * 4, -1)
        y = norm(w, f"{block}/cross_norm", x)
        x = x + cross_attention(w, f"{block}/cross_attention", y, tokens, heads)
        x = x + mlp(w, f"{block}/mlp", norm(w, f"{block}/mlp_norm", x))
        x = x.reshape(-1, 4, x.shape[-1])
    x = norm(w, "value/decoder/norm", x).mean(1)
    return x.reshape(len(tokens), n, -1)


def unit(x):
    square = (x * x).sum(-1, keepdims=True)
    return x * jax.lax.rsqrt(jnp.maximum(square, 1e-12))


def cosines(a, b):
    return unit(a) @ unit(b).T


def q_logits(w, tokens, boxes, features, shape):
    x = decode(w, tokens, boxes, shape["heads"], shape["decoder_layers"])
    x = dense(w, "value/action_head/projection", x)
    y = dense(w, "value/annotation_head/projection", features)
    logits = cosines(x, y) * jnp.exp(w["value/scale/log_scale"])
    logits = logits + w["value/bias/bias"]
    return logits.reshape(*boxes.shape[:2], boxes.shape[1], -1)


def bellman_targets(w, batch, shape, gamma=0.5):
    """Equation 5, from the target network's weights."""
    images, boxes = batch["value"]["image"], batch["value"]["boxes"]
    features = texts(
        w, batch["reward"]["text"], shape["heads"], shape["text_layers"]
    )
    flat = images.reshape(-1, *images.shape[2:])
    tokens = vit(
        w,
        "image_encoder",
        flat,
        shape["patch"],
        shape["heads"],
        shape["layers"],
    )
    x = dense(w, "reward/image_head/projection", tokens.mean(1))
    y = dense(w, "reward/text_head/projection", features)
    logits = cosines(x, y) * jnp.exp(w["reward/scale/log_scale"])
    reward = jax.nn.softmax(logits).reshape(*boxes.shape[:2], -1)
    best = q_logits(w, tokens, boxes, features, shape).max(2)
    return (1 - gamma) * reward + gamma * jax.nn.sigmoid(best)


def loss(w, target_w, batch, shape, reward_weight=2.0, value_weight=1.0):
    """InfoNCE of the captioned views plus the Bellman value loss."""
    y = jax.lax.stop_gradient(bellman_targets(target_w, batch, shape))
    vit_args = (shape["patch"], shape["heads"], shape["layers"])
    features = texts(
        w, batch["reward"]["text"], shape["heads"], shape["text_layers"]
    )
    tokens = vit(w, "image_encoder", batch["reward"]["image"], *vit_args)
    x = dense(w, "reward/image_head/projection", tokens.mean(1))
    t = dense(w, "reward/text_head/projection", features)
    logits = cosines(x, t) * jnp.exp(w["reward/scale/log_scale"])
    match = jnp.diagonal(logits)
    rows = jax.nn.logsumexp(logits, 1) - match
    columns = jax.nn.logsumexp(logits, 0) - match
    info_nce = 0.5 * (rows + columns).mean()
    images, boxes = batch["value"]["image"], batch["value"]["boxes"]
    flat = images.reshape(-1, *images.shape[2:])
    tokens = vit(w, "image_encoder", flat, *vit_args)
    q = q_logits(w, tokens, boxes, features, shape)
    bce = jax.nn.softplus(q) - q * y[:, None]
    return reward_weight * info_nce + value_weight * bce.sum(-1).mean()


def start(weights):
    """The state of training: weights, their average, moments, a count."""

    def zeros():
        return {k: jnp.zeros_like(v) for k, v in weights.items()}

    copy = {k: jnp.array(v) for k, v in weights.items()}
    return weights, copy, zeros(), zeros(), jnp.zeros((), "int32")


def make_step(shape, rate=1e-3, decay=0.1, beta_1=0.9, beta_2=0.98, tau=0.004):
    """A jitted function from state and batch to state and loss."""

    def step(state, batch):
        w, target_w, m, v, count = state
        value, grads = jax.value_and_grad(loss)(w, target_w, batch, shape)
        count = count + 1
        power = count.astype("float32")
        factor = jnp.sqrt(1 - beta_2**power) / (1 - beta_1**power)
        new = {}
        for k, g in grads.items():
            m = {**m, k: m[k] + (1 - beta_1) * (g - m[k])}
            v = {**v, k: v[k] + (1 - beta_2) * (g * g - v[k])}
            kept = w[k] * (1 - rate * decay) if k.endswith("kernel") else w[k]
            new[k] = kept - rate * factor * m[k] / (jnp.sqrt(v[k]) + 1e-8)
        name = "reward/scale/log_scale"
        new[name] = jnp.clip(new[name], 0.0, math.log(100.0))
        target_w = {k: target_w[k] + tau * (new[k] - target_w[k]) for k in new}
        return (new, target_w, m, v, count), value

    return jax.jit(step, donate_argnums=0)
