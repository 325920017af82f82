"""The value loss from embeddings, a chunk of annotations at a time."""

from keras import ops

from keras_ab.losses.bellman_value import bellman_value
from keras_ab.ops import bellman_target
from keras_ab.ops.chunked_bellman import as_q_function
from keras_ab.ops.chunked_bellman import check_chunk
from keras_ab.ops.chunked_bellman import check_shapes
from keras_ab.ops.chunked_bellman import chunk_size
from keras_ab.ops.chunked_bellman import q_logits
from keras_ab.ops.chunks import over_chunks
from keras_ab.ops.chunks import put_rows
from keras_ab.ops.chunks import take_rows
from keras_ab.typing import Tensor


def chunked_bellman_value(
    online: tuple[Tensor, Tensor, Tensor, Tensor],
    target: tuple[Tensor, Tensor, Tensor, Tensor],
    reward: Tensor,
    gamma: float = 0.5,
    annotations_per_chunk: int | None = None,
) -> Tensor:
    """The value loss of a Q that is given by its embeddings.

    Value and gradients are those of `bellman_value(q_logits(*online),
    bellman_target(reward, q_logits(*target), gamma))`, with
    `q_logits(φ, ψ, t, b) = t · φψᵀ + b`. Logits and targets exist for one
    chunk of annotations at a time, and once more in the backward pass: apart
    from arguments and gradients, memory does not grow with L.

    Args:
        online: Tuple `(φ, ψ, t, b)` of the online network: unit vectors of
            the actions of all pairs of views, `(B, N, N, D)`, and of the
            annotations, `(L, D)`, and the scalar scale and bias.
        target: The same of the target network. No gradient passes to it.
        reward: Floats of shape `(B, N, L)`: the probabilities `p(l | x_j)`
            from the target network. No gradient passes to it.
        gamma: Float in [0, 1], the discount.
        annotations_per_chunk: Int, how many annotations to look at at a time.
            None chooses by size: all at once while the logits are few.

    Returns:
        Float32 of shape `(B,)`, as from `keras_ab.losses.bellman_value`.

    Example:

    >>> q = (np.zeros((1, 2, 2, 4)), np.zeros((8, 4)), 10.0, 0.0)
    >>> reward = np.full((1, 2, 8), 0.125)
    >>> keras_ab.losses.chunked_bellman_value(
    ...     q, q, reward, annotations_per_chunk=3
    ... )
    # [5.545] = 8 * ln 2

    Reference:
        Equation 5 and Algorithm 2 (`target_p`, `value_loss`).
    """
    online = as_q_function(online)
    target = [ops.stop_gradient(x) for x in as_q_function(target)]
    reward = ops.cast(ops.convert_to_tensor(reward), "float32")
    reward = ops.stop_gradient(reward)
    if not 0.0 <= gamma <= 1.0:
        raise ValueError(f"`gamma` must lie in [0, 1]. Received: {gamma}")
    check_shapes(online, reward)
    check_shapes(target, reward)
    check_chunk(annotations_per_chunk)
    actions, annotations, scale, bias = online
    size = chunk_size(actions, annotations, annotations_per_chunk)
    if size is None:
        backup = bellman_target(reward, q_logits(*target), gamma)
        return bellman_value(q_logits(*online), backup)
    # The scales' gradients are left to the backend.
    target = (target[2] * target[0], target[1], target[3])
    loss = _with_gradient(gamma, size)
    return loss(scale * actions, annotations, bias, *target, reward)


def _products(actions, vectors, length):
    """`φψᵀ` for all pairs of views and a slice of annotations."""
    views = actions.shape[1]
    rows = ops.reshape(actions, (-1, actions.shape[-1]))
    flat = ops.matmul(rows, ops.transpose(vectors))
    return ops.reshape(flat, (-1, views, views, length))


def _chunk(tensors, gamma, start, length):
    """What the loss is made of, for a slice of the annotations.

    Args:
        tensors: Scaled actions, annotations and bias of the online network,
            the same of the target network, and the reward.
        gamma: Float, the discount.
        start: First annotation.
        length: Number of annotations.

    Returns:
        Tuple: logits `(B, N, N, length)`, targets `(B, 1, N, length)`, and
        the annotations' vectors `(length, D)`.
    """
    actions, annotations, bias, *target, reward = tensors
    vectors = take_rows(annotations, start, length)
    logits = _products(actions, vectors, length) + bias
    actions, annotations, bias = target
    future = take_rows(annotations, start, length)
    best = ops.max(_products(actions, future, length), axis=2) + bias
    shape = (ops.shape(reward)[0], reward.shape[1], length)
    now = ops.slice(reward, (0, 0, start), shape)
    backup = (1.0 - gamma) * now + gamma * ops.sigmoid(best)
    return logits, ops.expand_dims(backup, 1), vectors


def _with_gradient(gamma, size):
    """The loss as a function of tensors, as `_chunk` takes them.

    All of them are arguments: JAX cannot differentiate a compiled function
    that holds a custom gradient with a closure.
    """

    @ops.custom_gradient
    def loss(*tensors):
        # TensorFlow's eager tape would keep what every chunk computes.
        tensors = [ops.stop_gradient(x) for x in tensors]
        actions, annotations = tensors[:2]
        pairs = actions.shape[1] ** 2

        def add(start, length, carry):
            logits, backup, _ = _chunk(tensors, gamma, start, length)
            terms = ops.softplus(logits) - logits * backup
            return (carry[0] + ops.sum(terms, axis=(1, 2, 3)),)

        zero = ops.zeros_like(actions[:, 0, 0, 0])
        (total,) = over_chunks(add, (zero,), annotations, size)

        def gradient(*args, upstream=None):
            # JAX and TensorFlow pass what comes from above alone, PyTorch
            # the arguments before it.
            upstream = args[0] if upstream is None else upstream
            grads = _gradient(tensors, gamma, upstream / pairs, size)
            return *grads, *(None for _ in tensors[3:])

        return total / pairs, gradient

    return loss


def _gradient(tensors, gamma, weights, size):
    """Gradients of the weighted sum over examples of the pairs' sums.

    Args:
        tensors: As in `_chunk`.
        gamma: Float, the discount.
        weights: Float32 of shape `(B,)`.
        size: Int, annotations of a chunk.

    Returns:
        Tuple of the gradients of online actions, annotations and bias.
    """
    actions, annotations, bias = tensors[:3]
    rows = ops.reshape(actions, (-1, actions.shape[-1]))
    weights = ops.reshape(weights, (-1, 1, 1, 1))

    def add(start, length, carry):
        to_bias, to_rows, to_annotations = carry
        logits, backup, vectors = _chunk(tensors, gamma, start, length)
        slopes = (ops.sigmoid(logits) - backup) * weights
        slopes = ops.reshape(slopes, (-1, length))
        to_vectors = ops.matmul(ops.transpose(slopes), rows)
        return (
            to_bias + ops.sum(slopes),
            to_rows + ops.matmul(slopes, vectors),
            put_rows(to_annotations, start, to_vectors),
        )

    zeros = tuple(ops.zeros_like(x) for x in (bias, rows, annotations))
    to_bias, to_rows, to_annotations = over_chunks(
        add, zeros, annotations, size
    )
    return ops.reshape(to_rows, ops.shape(actions)), to_annotations, to_bias
