"""Forward passes of the backbones in NumPy, float64, written from formulas.

Weights come as a dict from a variable's path below its network (such as
`block_0/attention/qkv/kernel`) to its array.
"""

import numpy as np


def weights_below(variables, prefix):
    """The arrays of variables whose paths start with a prefix.

    Args:
        variables: Dict from path to array.
        prefix: String, without the closing slash.

    Returns:
        Dict from the rest of the path to a float64 array.
    """
    prefix += "/"
    return {
        path.removeprefix(prefix): np.asarray(array, "float64")
        for path, array in variables.items()
        if path.startswith(prefix)
    }


def dense(x, w):
    return x @ w["kernel"] + w.get("bias", 0.0)


def layer_norm(x, w, epsilon):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * w["gamma"] + w["beta"]


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def mlp(x, w):
    hidden = gelu(dense(x, weights_below(w, "expand")))
    return dense(hidden, weights_below(w, "contract"))


def attend(q, k, v, num_heads, causal=False):
    """One head of one example at a time; `(B, T, D)` each."""
    result = np.zeros_like(q)
    size = q.shape[-1] // num_heads
    for b in range(len(q)):
        for h in range(num_heads):
            part = slice(h * size, (h + 1) * size)
            scores = q[b, :, part] @ k[b, :, part].T / np.sqrt(size)
            if causal:
                later = np.triu(np.ones(scores.shape, bool), 1)
                scores[later] = -np.inf
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            scores /= scores.sum(-1, keepdims=True)
            result[b, :, part] = scores @ v[b, :, part]
    return result


def self_attention(x, w, num_heads, causal=False):
    q, k, v = np.split(dense(x, weights_below(w, "qkv")), 3, axis=-1)
    mixed = attend(q, k, v, num_heads, causal)
    return dense(mixed, weights_below(w, "output_projection"))


def cross_attention(x, context, w, num_heads):
    q = dense(x, weights_below(w, "query"))
    kv = dense(context, weights_below(w, "key_value"))
    k, v = np.split(kv, 2, axis=-1)
    mixed = attend(q, k, v, num_heads)
    return dense(mixed, weights_below(w, "output_projection"))


def encoder(x, w, num_layers, num_heads, epsilon, causal=False):
    """Blocks and the last norm; also the tokens after each block."""
    between = []
    for i in range(num_layers):
        b = weights_below(w, f"block_{i}")
        h = layer_norm(x, weights_below(b, "attention_norm"), epsilon)
        x = x + self_attention(
            h, weights_below(b, "attention"), num_heads, causal
        )
        h = layer_norm(x, weights_below(b, "mlp_norm"), epsilon)
        x = x + mlp(h, weights_below(b, "mlp"))
        between.append(x)
    return layer_norm(x, weights_below(w, "norm"), epsilon), between


def cubic_weights(size, new_size):
    """Matrix `(new_size, size)` of antialiased bicubic interpolation.

    Pixel centres at halves, Keys' kernel with a = -1/2, stretched where the
    result is coarser, and cut and renormalised at the ends.
    """
    stretch = max(size / new_size, 1.0)
    centres = (np.arange(new_size) + 0.5) * size / new_size
    x = abs(centres[:, None] - (np.arange(size) + 0.5)) / stretch
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weights = np.where(x < 1, near, np.where(x < 2, far, 0.0))
    return weights / weights.sum(-1, keepdims=True)


def resize_grid(positions, grid_shape, new_shape):
    """`(rows * columns, D)` on another grid."""
    grid = positions.reshape(*grid_shape, -1)
    rows = cubic_weights(grid_shape[0], new_shape[0])
    columns = cubic_weights(grid_shape[1], new_shape[1])
    resized = np.einsum("ir,jc,rcd->ijd", rows, columns, grid)
    return resized.reshape(-1, grid.shape[-1])


def vit(images, w, patch_size, grid_shape, num_layers, num_heads, epsilon):
    """Tokens `(B, T, D)` after the last norm, and those after each block."""
    images = np.asarray(images, "float64")
    height, width = patch_size
    rows, columns = images.shape[1] // height, images.shape[2] // width
    patches = np.stack(
        [
            images[
                :,
                r * height : (r + 1) * height,
                c * width : (c + 1) * width,
            ].reshape(len(images), -1)
            for r in range(rows)
            for c in range(columns)
        ],
        axis=1,
    )
    x = dense(patches, weights_below(w, "patches/projection"))
    positions = w["positions/embeddings"]
    if (rows, columns) != tuple(grid_shape):
        positions = resize_grid(positions, grid_shape, (rows, columns))
    x = x + positions
    if "class_embedding" in w:
        first = np.broadcast_to(w["class_embedding"], (len(x), 1, x.shape[-1]))
        x = np.concatenate([first, x], axis=1)
    return encoder(x, w, num_layers, num_heads, epsilon)


def text_transformer(ids, w, num_layers, num_heads, epsilon, causal):
    """Tokens `(B, T, D)` after the last norm."""
    x = w["token_embedding/embeddings"][ids] + w["positions/embeddings"]
    return encoder(x, w, num_layers, num_heads, epsilon, causal)[0]


def attention_pooling(tokens, w, num_heads, epsilon):
    """One query attends to all tokens; `(B, D)`."""
    tokens = np.asarray(tokens, "float64")
    w_attention = weights_below(w, "attention")
    query = np.broadcast_to(w["query"], (len(tokens), 1, tokens.shape[-1]))
    x = cross_attention(query, tokens, w_attention, num_heads)
    h = layer_norm(x, weights_below(w, "norm"), epsilon)
    return (x + mlp(h, weights_below(w, "mlp")))[:, 0]


def annotation_decoder(tokens, context, w, num_layers, num_heads, epsilon):
    """φ of `(B, A, K, D)` action tokens, one action at a time: `(B, A, D)`."""
    context = np.asarray(context, "float64")
    results = []
    for a in range(tokens.shape[1]):
        x = np.asarray(tokens[:, a], "float64")
        for i in range(num_layers):
            b = weights_below(w, f"block_{i}")
            h = layer_norm(x, weights_below(b, "self_norm"), epsilon)
            part = weights_below(b, "self_attention")
            x = x + self_attention(h, part, num_heads)
            h = layer_norm(x, weights_below(b, "cross_norm"), epsilon)
            part = weights_below(b, "cross_attention")
            x = x + cross_attention(h, context, part, num_heads)
            h = layer_norm(x, weights_below(b, "mlp_norm"), epsilon)
            x = x + mlp(h, weights_below(b, "mlp"))
        x = layer_norm(x, weights_below(w, "norm"), epsilon)
        results.append(x.mean(1))
    return np.stack(results, axis=1)


def mask_predictor(
    tokens, ids, target_ids, w, positions, num_layers, num_heads, epsilon
):
    """Tokens of the targets `(B, M, T, D)`, one target at a time.

    Nothing is padded: `tokens` is `(B, P + K, C)`, `positions` a table.
    """
    batch, targets, length = target_ids.shape
    x = dense(np.asarray(tokens, "float64"), weights_below(w, "embedding"))
    prefix = x.shape[1] - ids.shape[1]
    results = np.zeros((batch, targets, length, x.shape[-1]))
    for b in range(batch):
        known = x[b].copy()
        known[prefix:] += positions[ids[b]]
        for m in range(targets):
            asked = w["mask_token"] + positions[target_ids[b, m]]
            sequence = np.concatenate([known, asked])[None]
            out, _ = encoder(sequence, w, num_layers, num_heads, epsilon)
            results[b, m] = out[0, -length:]
    return results
