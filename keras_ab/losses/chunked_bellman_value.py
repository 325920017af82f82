"""The value loss over many annotations, a chunk of them at a time."""

import keras
from keras import ops

from keras_ab.losses.bellman_value import bellman_value
from keras_ab.ops import bellman_target

# Logits for pairs of views, (B, N, N, L), up to which nothing is cut; and how
# many a chunk then holds.
WHOLE = 2**22
CHUNK = 2**20
# No product of matrices is narrower than this.
NARROWEST = 128


def chunked_bellman_value(
    online, target, reward, gamma=0.5, annotations_per_chunk=None
):
    """The value loss from embeddings, without logits for all annotations.

    The value is that of `bellman_value(q_logits(online), bellman_target(
    reward, q_logits(target), gamma))` with
    `q_logits(φ, ψ, t, b) = t · φψᵀ + b`, and so are the gradients. Logits and
    targets exist for one chunk of annotations at a time and are computed
    again in the backward pass, so that memory beyond the arguments and their
    gradients does not grow with L.

    Args:
        online: Tuple `(φ, ψ, t, b)` of the online network: unit vectors of
            the actions of all pairs of views, `(B, N, N, D)`, and of the
            annotations, `(L, D)`, and the scalar scale and bias.
        target: The same of the target network. No gradient passes to it.
        reward: Floats of shape `(B, N, L)`: the probabilities `p(l | x_j)`
            from the target network. No gradient passes to it.
        gamma: Float in [0, 1], the discount.
        annotations_per_chunk: Int, how many annotations are looked at at a
            time. None chooses by size: all at once while the logits are few.

    Returns:
        Float32 of shape `(B,)`, as from `keras_ab.losses.bellman_value`.

    Example:

    >>> actions, annotations = np.eye(2)[None, None][:, [0, 0]], np.eye(2)
    >>> q = (actions, annotations, 10.0, -1.0)
    >>> reward = np.full((1, 2, 2), 0.5)
    >>> keras_ab.losses.chunked_bellman_value(
    ...     q, q, reward, annotations_per_chunk=1
    ... )
    # [2.907]

    Reference:
        Equation 5 and Algorithm 2 (`target_p`, `value_loss`); section 4.2
        for the 65,536 prototypes of ABDINO.
    """
    online = _q_function(online, "online")
    target = [ops.stop_gradient(x) for x in _q_function(target, "target")]
    reward = ops.stop_gradient(_float32(reward))
    _check(online, target, reward, gamma, annotations_per_chunk)
    size = annotations_per_chunk or chunk_size(online[0], online[1])
    annotations = online[1].shape[0]
    if size is None or (annotations is not None and size >= annotations):
        backup = bellman_target(reward, q_logits(*target), gamma)
        return bellman_value(q_logits(*online), backup)
    actions, annotations, scale, bias = online
    loss = _loss_with_gradient(target, reward, gamma, size)
    # The scale's gradient is autodiff's.
    return loss(scale * actions, annotations, bias)


def q_logits(actions, annotations, scale, bias):
    """Logits of Q for all pairs of views and all annotations.

    Args:
        actions: Float32 of shape `(..., D)`, unit vectors φ.
        annotations: Float32 of shape `(L, D)`, unit vectors ψ.
        scale: Scalar t.
        bias: Scalar b.

    Returns:
        Float32 of shape `(..., L)`.

    Reference:
        Equation 4.
    """
    return scale * ops.matmul(actions, ops.transpose(annotations)) + bias


def chunk_size(actions, annotations):
    """How many annotations to look at at a time.

    Args:
        actions: Floats of shape `(B, N, N, D)`.
        annotations: Floats of shape `(L, D)`.

    Returns:
        Int, or None for all at once.
    """
    batch, views = actions.shape[:2]
    if batch is None or annotations.shape[0] is None:
        # A graph for batches of any size.
        return CHUNK // 1024
    pairs = batch * views * views
    if pairs * annotations.shape[0] <= WHOLE:
        return None
    return max(NARROWEST, CHUNK // pairs)


def _loss_with_gradient(target, reward, gamma, size):
    """The loss of scaled actions, annotations and bias.

    What needs no gradient is closed over, so that none is made.
    """
    target_actions, target_annotations, target_scale, target_bias = target
    target_actions = target_scale * target_actions
    views = reward.shape[1]

    def pairs(actions, annotations, start, length):
        """`(B, N, N, length)` products with a slice of the annotations."""
        dim = annotations.shape[1]
        part = ops.slice(annotations, (start, 0), (length, dim))
        flat = ops.matmul(ops.reshape(actions, (-1, dim)), ops.transpose(part))
        return ops.reshape(flat, (-1, views, views, length)), part

    def forward(actions, annotations, bias, start, length):
        products, part = pairs(actions, annotations, start, length)
        future, _ = pairs(target_actions, target_annotations, start, length)
        shape = (ops.shape(reward)[0], views, length)
        now = ops.slice(reward, (0, 0, start), shape)
        best = ops.sigmoid(ops.max(future, axis=2) + target_bias)
        backup = (1.0 - gamma) * now + gamma * best
        return products + bias, ops.expand_dims(backup, 1), part

    @ops.custom_gradient
    def loss(actions, annotations, bias):
        def add(start, length, carry):
            (total,) = carry
            logits, backup, _ = forward(
                actions, annotations, bias, start, length
            )
            terms = ops.softplus(logits) - logits * backup
            return (total + ops.sum(terms, axis=(1, 2, 3)),)

        zero = ops.zeros_like(actions[:, 0, 0, 0])
        (total,) = _over_chunks(add, (zero,), annotations, size)

        def gradients(*args, upstream=None):
            if upstream is None:
                (upstream,) = args
            weight = ops.reshape(upstream / views**2, (-1, 1, 1, 1))

            def add(start, length, carry):
                to_bias, to_actions, to_annotations = carry
                logits, backup, part = forward(
                    actions, annotations, bias, start, length
                )
                to_logits = (ops.sigmoid(logits) - backup) * weight
                flat = ops.reshape(to_logits, (-1, length))
                rows = ops.reshape(actions, (-1, actions.shape[-1]))
                return (
                    to_bias + ops.sum(to_logits),
                    to_actions + ops.matmul(flat, part),
                    _write(
                        to_annotations,
                        start,
                        ops.matmul(ops.transpose(flat), rows),
                    ),
                )

            rows = ops.reshape(actions, (-1, actions.shape[-1]))
            zeros = (
                ops.zeros_like(bias),
                ops.zeros_like(rows),
                ops.zeros_like(annotations),
            )
            to_bias, to_actions, to_annotations = _over_chunks(
                add, zeros, annotations, size
            )
            to_actions = ops.reshape(to_actions, ops.shape(actions))
            return to_actions, to_annotations, to_bias

        return total / views**2, gradients

    return loss


def _over_chunks(step, carry, annotations, size):
    """Runs `step(start, length, carry)` over chunks, one after the other.

    The last one may be shorter. A loop of the backend, since XLA may run
    unrolled chunks side by side.
    """
    total = ops.shape(annotations)[0]
    if not isinstance(total, int):
        size = ops.minimum(size, total)
    whole = total // size
    carry = ops.fori_loop(
        0,
        whole,
        lambda i, carry: step(_after(i * size, carry[0]), size, carry),
        carry,
    )
    rest = total - whole * size
    if isinstance(rest, int) and rest == 0:
        return carry
    return step(_after(whole * size, carry[0]), rest, carry)


def _after(start, done):
    """A chunk's start that is not known before the last chunk is done.

    TensorFlow's loops run up to ten rounds ahead as far as the data allow.
    """
    if keras.backend.backend() != "tensorflow":
        return start
    return start + 0 * ops.cast(ops.sum(done), "int32")


def _write(buffer, start, rows):
    """Puts rows into a buffer."""
    if keras.backend.backend() == "torch":
        # `slice_update` would copy the buffer for each chunk.
        buffer[start : start + rows.shape[0]] = rows
        return buffer
    return ops.slice_update(buffer, (start, 0), rows)


def _float32(x):
    return ops.cast(ops.convert_to_tensor(x), "float32")


def _q_function(parts, name):
    if not isinstance(parts, (tuple, list)) or len(parts) != 4:
        raise ValueError(
            f"`{name}` must be a tuple of actions (B, N, N, D), annotations "
            f"(L, D), scale and bias. Received: {type(parts).__name__}"
        )
    return [_float32(part) for part in parts]


def _check(online, target, reward, gamma, annotations_per_chunk):
    if not 0.0 <= gamma <= 1.0:
        raise ValueError(f"`gamma` must lie in [0, 1]. Received: {gamma}")
    check_annotations_per_chunk(annotations_per_chunk)
    shapes = [tuple(x.shape) for x in (*online[:2], *target[:2], reward)]
    pairs, annotations, *others = shapes
    if len(pairs) == 4 and len(annotations) == 2:
        batch, views, _, dim = pairs
        wanted = [
            (batch, views, views, dim),
            (annotations[0], dim),
            (batch, views, views, None),
            (annotations[0], None),
            (batch, views, annotations[0]),
        ]
        if all(map(_fits, shapes, wanted)) and _fits(
            others[0][-1:], others[1][-1:]
        ):
            return
    raise ValueError(
        "Actions must have shape (B, N, N, D) and annotations (L, D), online "
        "and target, and `reward` (B, N, L). Received: actions "
        f"{shapes[0]} and {shapes[2]}, annotations {shapes[1]} and "
        f"{shapes[3]}, reward {shapes[4]}"
    )


def check_annotations_per_chunk(size):
    """Raises `ValueError` for anything but a positive int or None.

    Args:
        size: What a user passed as `annotations_per_chunk`.
    """
    if size is not None and not (
        isinstance(size, int) and not isinstance(size, bool) and size > 0
    ):
        raise ValueError(
            "`annotations_per_chunk` must be a positive int, or None to "
            f"choose by size. Received: {size!r}"
        )


def _fits(shape, wanted):
    """Whether shapes agree, so far as both are known."""
    return len(shape) == len(wanted) and all(
        a is None or b is None or a == b for a, b in zip(shape, wanted)
    )
