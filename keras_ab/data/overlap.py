"""How much the crops of an image overlap, with the crops' own law kept."""

from keras_ab.data.sampling import sample_boxes
from keras_ab.data.tf import tensorflow
from keras_ab.typing import Tensor


class OverlapSampler:
    """Samples crops that overlap more, or less, than independent ones.

    A pool of independent crops is drawn for the image and put into groups by
    a permutation that favours overlap within a group by exp(beta · IoU); one
    group, chosen and ordered at random, is the result. Every crop of the pool
    is as likely as any other to stand at any place of it, so that each crop
    follows the law of `sample_boxes` exactly, whatever `beta` is.

    Args:
        beta: Float. 0 gives independent crops; above it they overlap more,
            below it less.
        area: Pair in (0, 1]: range of a crop's share of the image.
        aspect_ratio: Pair: range of width over height.
        num_groups: Int, groups in the pool. More of them allow for stronger
            effects, and cost time.

    Example:

    >>> sampler = keras_ab.data.OverlapSampler(beta=10.0)
    >>> data = keras_ab.data.value_batches(
    ...     keras_ab.data.Scenes(size=16), image_size=48, batch_size=4,
    ...     sample=sampler,
    ... )

    Reference:
        Figure 4, middle: accuracy against the overlap of source and target.
    """

    def __init__(
        self,
        beta: float,
        area: tuple[float, float] = (0.05, 0.5),
        aspect_ratio: tuple[float, float] = (3 / 4, 4 / 3),
        num_groups: int = 16,
    ):
        if num_groups < 1:
            raise ValueError(
                f"`num_groups` must be positive. Received: {num_groups}"
            )
        self.beta = float(beta)
        self.area, self.aspect_ratio = tuple(area), tuple(aspect_ratio)
        self.num_groups = num_groups

    def __call__(
        self, seed: Tensor, num_views: int, image_shape: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Draws crops, as `keras_ab.data.sampling.sample_boxes` does.

        Args:
            seed: Integer tensor of shape `(2,)`.
            num_views: Int, N.
            image_shape: Integer tensor of shape `(2,)`: `(height, width)`.

        Returns:
            int32 `(N, 4)`: `(y, x, height, width)` in pixels; and float32
            `(N, 4)`: the same as `(ymin, xmin, ymax, xmax)`, normalised.
        """
        tf = tensorflow()
        seeds = tf.random.split(seed, 4)
        count = self.num_groups * num_views
        pixels, boxes = sample_boxes(
            seeds[0], count, image_shape, self.area, self.aspect_ratio
        )
        groups = regroup(boxes, num_views, self.beta, seeds[1])
        chosen = tf.random.stateless_uniform(
            (), seeds[2], 0, self.num_groups, dtype="int32"
        )
        # Boxes that a group drew late differ from those that it drew early.
        order = tf.argsort(tf.random.stateless_uniform((num_views,), seeds[3]))
        members = tf.gather(groups[chosen], order)
        return tf.gather(pixels, members), tf.gather(boxes, members)


def regroup(
    boxes: Tensor, group_size: int, beta: float, seed: Tensor
) -> Tensor:
    """Puts boxes into groups, each box into one, by affinity exp(beta · IoU).

    The first of each group is given. In turns, each group then draws one of
    the boxes left, with probability in proportion to exp(beta · mean IoU with
    those it has), until none is left.

    Args:
        boxes: float32 of shape `(M, 4)`, in random order.
        group_size: Int, n, a divisor of M.
        beta: Float; 0 groups at random.
        seed: Integer tensor of shape `(2,)`.

    Returns:
        int32 of shape `(M / n, n)`, places in `boxes`, each of which occurs
        once.

    Reference:
        Figure 4, middle. The paper does not say how it fixes the marginal; a
        permutation keeps it exactly.
    """
    tf = tensorflow()
    count = boxes.shape[0]
    if count % group_size:
        raise ValueError(
            f"`group_size` must divide the number of boxes, {count}. "
            f"Received: {group_size}"
        )
    num_groups = count // group_size
    affinity = beta * pairwise_iou(boxes)
    # The largest of Gumbel-noised log-weights is a draw by the weights.
    draws = count - num_groups
    uniform = tf.random.stateless_uniform((draws, count), seed, 1e-20, 1.0)
    noise = -tf.math.log(-tf.math.log(uniform))
    taken = tf.one_hot(tf.range(num_groups), count, -1e9, 0.0)

    def draw(step, sums, free, members):
        group = step % num_groups
        mean = sums[group] / tf.cast(1 + step // num_groups, "float32")
        box = tf.argmax(mean + free + noise[step], output_type="int32")
        row = tf.reshape(group, (1, 1))
        sums = tf.tensor_scatter_nd_add(sums, row, affinity[box][None])
        free = tf.tensor_scatter_nd_update(free, [[box]], [-1e9])
        return step + 1, sums, free, members.write(step, box)

    members = tf.TensorArray("int32", draws, element_shape=())
    start = (0, affinity[:num_groups], tf.reduce_sum(taken, 0), members)
    *_, members = tf.while_loop(
        lambda step, *_: step < draws, draw, start, maximum_iterations=draws
    )
    rest = tf.reshape(members.stack(), (group_size - 1, num_groups))
    first = tf.range(num_groups)[None]
    return tf.transpose(tf.concat([first, rest], axis=0))


def pairwise_iou(boxes: Tensor) -> Tensor:
    """Intersection over union of all pairs of boxes.

    Args:
        boxes: float32 of shape `(M, 4)`: `(ymin, xmin, ymax, xmax)`.

    Returns:
        float32 of shape `(M, M)`.
    """
    tf = tensorflow()
    low = tf.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = tf.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = tf.reduce_prod(tf.maximum(high - low, 0.0), -1)
    area = tf.reduce_prod(boxes[:, 2:] - boxes[:, :2], -1)
    return shared / (area[:, None] + area[None] - shared)
