"""The Bellman backup that makes the targets of the value function."""

from keras import ops

from keras_ab.ops.shapes import shapes_fit
from keras_ab.typing import Shape
from keras_ab.typing import Tensor


def bellman_target(
    reward: Tensor, q_logits: Tensor, gamma: float = 0.5
) -> Tensor:
    """Bellman backup of the annotation value function.

    `y[b, j, l] = (1 - γ) · reward[b, j, l] + γ · sigmoid(max_k q[b, j, k, l])`

    The maximum runs over all sampled actions of view j, the identity `k = j`
    included. Both inputs come from the target network; no gradient passes.

    Args:
        reward: Floats of shape `(B, N, L)`: the probabilities `p(l | x_j)`.
        q_logits: Floats of shape `(B, N, N, L)`: logits of
            `Q(x_j, bb_{j→k}, l)`.
        gamma: Float in [0, 1], the discount. 0 leaves the reward of the next
            view (cross-view distillation), 1 the bootstrapped value alone.

    Returns:
        Float32 of shape `(B, N, L)`, in [0, 1], gradient stopped.

    Example:

    >>> reward = np.full((1, 2, 3), 1 / 3)
    >>> q_logits = np.zeros((1, 2, 2, 3))
    >>> keras_ab.ops.bellman_target(reward, q_logits, gamma=0.5)[0, 0, 0]
    # 0.4167 = 0.5 / 3 + 0.5 * 0.5

    Reference:
        Equation 5 and Algorithm 2 (`target_p`).
    """
    if not 0.0 <= gamma <= 1.0:
        raise ValueError(f"`gamma` must lie in [0, 1]. Received: {gamma}")
    reward = ops.cast(ops.convert_to_tensor(reward), "float32")
    q_logits = ops.cast(ops.convert_to_tensor(q_logits), "float32")
    if not pairs_fit(q_logits.shape, reward.shape):
        raise ValueError(
            "`reward` must have shape (B, N, L) and `q_logits` "
            f"(B, N, N, L). Received: {tuple(reward.shape)} and "
            f"{tuple(q_logits.shape)}"
        )
    best = ops.sigmoid(ops.max(q_logits, axis=2))
    return ops.stop_gradient((1.0 - gamma) * reward + gamma * best)


def pairs_fit(pairs: Shape, views: Shape) -> bool:
    """Whether `(B, N, N, L)` belongs to `(B, N, L)`, so far as is known.

    Args:
        pairs: Shape of what is there for each pair of views.
        views: Shape of what is there for each view.

    Returns:
        Bool. Sizes that are None fit anything.
    """
    if len(pairs) != 4 or len(views) != 3:
        return False
    return shapes_fit(pairs, (views[0], views[1], views[1], views[2]))
