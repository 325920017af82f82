"""Batches for `fit`: annotated images, and crops of unlabelled ones."""

import functools
from collections.abc import Callable
from typing import Any

from keras_ab.data.headers import MAX_PIXELS
from keras_ab.data.order import check_hosts
from keras_ab.data.quarantine import Quarantine
from keras_ab.data.sampling import sample_boxes
from keras_ab.data.source import Source
from keras_ab.data.stream import batches
from keras_ab.data.stream import check_area
from keras_ab.data.stream import check_size
from keras_ab.data.stream import check_source
from keras_ab.data.stream import merge
from keras_ab.data.tf import tensorflow
from keras_ab.data.views import augment
from keras_ab.data.views import weak_view
from keras_ab.typing import Dataset
from keras_ab.typing import ImageFunction
from keras_ab.typing import Size
from keras_ab.typing import Tensor


def reward_batches(
    source: Source,
    tokenizer: Callable[[Tensor], Tensor],
    image_size: Size = 224,
    batch_size: int = 256,
    area: tuple[float, float] = (0.5, 1.0),
    seed: int = 0,
    start_step: int = 0,
    augmentation: ImageFunction | None = None,
    num_hosts: int = 1,
    host: int = 0,
    quarantine: Quarantine | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Dataset:
    """Batches of captioned images, without end.

    Each image gives one crop, and a caption drawn from its own. The batch of
    a step is a pure function of `(seed, step)`.

    Args:
        source: A `keras_ab.data.Source` whose records have `"text"`.
        tokenizer: Callable from a string tensor to int32 ids
            `(sequence_length,)`, such as `keras_ab.data.WordTokenizer`.
        image_size: Int or `(height, width)` of the crops.
        batch_size: Int, images to a batch, of all hosts together.
        area: Pair in (0, 1]: range of the crop's share of the image.
        seed: Int, the seed of order, crops and captions.
        start_step: Int, the step of the first batch.
        augmentation: Callable from `(image, seed)` to an image, such as one
            of `keras_ab.data.augmentations`; None leaves crops as they are.
        num_hosts: Int, hosts (processes) that share each batch. It divides
            `batch_size`, and the batch does not depend on it.
        host: Int in [0, num_hosts), whose rows of the batch these are.
        quarantine: A `keras_ab.data.Quarantine` for records that cannot be
            used. None keeps them in memory, with an error budget of 5%.
        max_pixels: Int, pixels above which an image is refused by its header,
            undecoded.

    Returns:
        A `tf.data.Dataset` of `{"reward": {"image", "text"}}`: uint8
        `(batch_size, H, W, 3)` and int32 `(batch_size, sequence_length)`;
        with several hosts, `batch_size // num_hosts` of them.

    Raises:
        ValueError: If the source has no captions, or an argument is out of
            range.
        BudgetError: If more records than the quarantine allows are known to
            be bad; and while reading, in the text of a `tf.errors.OpError`,
            if more turn out to be.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=64)
    >>> tokenizer = keras_ab.data.WordTokenizer.from_texts(
    ...     text for i in range(64) for text in scenes[i]["text"]
    ... )
    >>> data = keras_ab.data.reward_batches(
    ...     scenes, tokenizer, image_size=48, batch_size=16
    ... )

    Reference:
        Table 7, column CLIP: RRC(0.5, 1.0).
    """
    tf = tensorflow()
    size = check_size(image_size)
    check_source(source, "source", batch_size, "batch_size")
    check_area(area, "area")
    _check_text(source, tokenizer, "source")

    def read(index, seeds, cut):
        record = source.load(index)
        view = weak_view(record["image"], seeds[0], size, area, cut)
        if augmentation is not None:
            view = augmentation(view, tf.random.split(seeds[0], 2)[1])
        text = _draw_text(record["text"], seeds[1])
        return {"reward": {"image": view, "text": tokenizer(text)}}

    return batches(
        source,
        read,
        lane="reward",
        batch_size=batch_size,
        seed=seed,
        start_step=start_step,
        num_hosts=num_hosts,
        host=host,
        quarantine=quarantine,
        max_pixels=max_pixels,
    )


def value_batches(
    source: Source,
    image_size: Size = 224,
    batch_size: int = 256,
    num_views: int = 4,
    area: tuple[float, float] = (0.05, 0.5),
    seed: int = 0,
    start_step: int = 0,
    sample: Callable[..., Any] | None = None,
    state_key: str = "boxes",
    state_size: int = 4,
    augmentation: ImageFunction | None = None,
    num_hosts: int = 1,
    host: int = 0,
    quarantine: Quarantine | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Dataset:
    """Batches of several crops of each image, with their boxes.

    Args:
        source: A `keras_ab.data.Source`; its annotations are not read.
        image_size: Int or `(height, width)` of the crops.
        batch_size: Int, images to a batch, of all hosts together.
        num_views: Int, N, at least 2.
        area: Pair in (0, 1]: range of the crop's share of the image.
        seed: Int, the seed of order, crops and colours.
        start_step: Int, the step of the first batch.
        sample: An action space's `sample`, in place of `area`.
        state_key: The action space's key of a view's state.
        state_size: Int, numbers that describe one state.
        augmentation: Callable from `(image, seed)` to an image, of each view
            on its own; None leaves views as they are. It must not move what
            is seen, as a flip does, since boxes do not follow.
        num_hosts: Int; this and the rest as in `reward_batches`.
        host: Int in [0, num_hosts).
        quarantine: A `keras_ab.data.Quarantine`, or None.
        max_pixels: Int.

    Returns:
        A `tf.data.Dataset` of `{"value": {"image", state_key}}`: uint8
        `(batch_size, N, H, W, 3)` and float32 `(batch_size, N, state_size)`;
        with several hosts, `batch_size // num_hosts` of them.

    Raises:
        ValueError: If an argument is out of range.
        BudgetError: As in `reward_batches`.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=64)
    >>> data = keras_ab.data.value_batches(
    ...     scenes, image_size=48, batch_size=4
    ... )
    """
    tf = tensorflow()
    size = check_size(image_size)
    check_source(source, "value", batch_size, "value_batch_size")
    check_area(area, "value_area")
    if num_views < 2:
        raise ValueError(
            "`num_views` must be at least 2: values relate one view of an "
            f"image to another. Received: {num_views}"
        )
    sample = sample or functools.partial(sample_boxes, area=area)

    def read(index, seeds, cut):
        drawn = []

        def draw(shape):
            pixels, states = sample(seeds[0], num_views, shape)
            drawn.append(tf.ensure_shape(states, (num_views, state_size)))
            return tf.ensure_shape(pixels, (num_views, 4))

        (views,) = cut(source.load(index)["image"], [draw], [size])
        if augmentation is not None:
            views = augment(views, seeds[1], [augmentation] * num_views)
        return {"value": {"image": views, state_key: drawn[0]}}

    return batches(
        source,
        read,
        lane="value",
        batch_size=batch_size,
        seed=seed,
        start_step=start_step,
        num_hosts=num_hosts,
        host=host,
        quarantine=quarantine,
        max_pixels=max_pixels,
    )


def bootstrap_batches(
    reward: Source,
    value: Source,
    tokenizer: Callable[[Tensor], Tensor],
    image_size: Size = 224,
    reward_batch_size: int = 128,
    value_batch_size: int = 32,
    num_views: int = 4,
    reward_area: tuple[float, float] = (0.5, 1.0),
    value_area: tuple[float, float] = (0.05, 0.5),
    seed: int = 0,
    start_step: int = 0,
    actions: Any = None,
    value_augmentation: ImageFunction | None = None,
    num_hosts: int = 1,
    host: int = 0,
    quarantine: Quarantine | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Dataset:
    """Batches for annotation bootstrapping, without end.

    The reward's images are captioned, the value's need not be, and the two
    sources may have nothing in common. The batch of a step is a pure function
    of `(seed, step)`.

    Args:
        reward: A `keras_ab.data.Source` whose records have `"text"`.
        value: A `keras_ab.data.Source`.
        tokenizer: Callable from a string tensor to int32 ids
            `(sequence_length,)`.
        image_size: Int or `(height, width)` of all crops.
        reward_batch_size: Int, captioned images to a batch.
        value_batch_size: Int, unlabelled images to a batch. With
            `value_batch_size * num_views == reward_batch_size` each half of
            the batch has the same number of views.
        num_views: Int, N, crops of each unlabelled image, at least 2.
        reward_area: Pair in (0, 1]: share of the image in a captioned crop.
        value_area: Pair in (0, 1]: share of the image in an unlabelled crop.
        seed: Int, the seed of orders, crops and captions.
        start_step: Int, the step of the first batch.
        actions: A `keras_ab.actions.ActionSpace` that samples the views, in
            place of `value_area`.
        value_augmentation: Callable from `(image, seed)` to an image, of each
            unlabelled view on its own, as in `value_batches`; None leaves
            views as they are.
        num_hosts: Int, hosts (processes) that share each batch. It divides
            both batch sizes, and the batch does not depend on it.
        host: Int in [0, num_hosts), whose rows of the batch these are.
        quarantine: A `keras_ab.data.Quarantine` for records of both sources
            that cannot be used. None keeps them in memory, with an error
            budget of 5%.
        max_pixels: Int, pixels above which an image is refused, undecoded.

    Returns:
        A `tf.data.Dataset` of `{"reward": {"image", "text"}, "value":
        {"image", "boxes"}}`; see `reward_batches` and
        `value_batches` for shapes.

    Raises:
        ValueError: If the reward source has no captions, or an argument is
            out of range.
        BudgetError: As in `reward_batches`.

    Example:

    >>> scenes = keras_ab.data.Scenes(size=64)
    >>> tokenizer = keras_ab.data.WordTokenizer.from_texts(
    ...     text for i in range(64) for text in scenes[i]["text"]
    ... )
    >>> data = keras_ab.data.bootstrap_batches(
    ...     scenes, scenes, tokenizer, image_size=48,
    ...     reward_batch_size=16, value_batch_size=4,
    ... )

    Reference:
        Algorithm 2; Table 7, column AB: RRC(0.05, 0.5), 4 views. Table 5:
        `value_augmentation`.
    """
    check_source(reward, "reward", reward_batch_size, "reward_batch_size")
    check_area(reward_area, "reward_area")
    _check_text(reward, tokenizer, "reward")
    check_hosts(reward_batch_size, num_hosts, host, "reward_batch_size")
    check_hosts(value_batch_size, num_hosts, host, "value_batch_size")
    common: dict[str, Any] = {
        "image_size": image_size,
        "seed": seed,
        "start_step": start_step,
        "num_hosts": num_hosts,
        "host": host,
        "quarantine": quarantine or Quarantine(),
        "max_pixels": max_pixels,
    }
    rewards = reward_batches(
        reward,
        tokenizer,
        batch_size=reward_batch_size,
        area=reward_area,
        **common,
    )
    spaces = {}
    if actions is not None:
        spaces = {
            "sample": actions.sample,
            "state_key": actions.state_key,
            "state_size": actions.state_size,
        }
    values = value_batches(
        value,
        batch_size=value_batch_size,
        num_views=num_views,
        area=value_area,
        augmentation=value_augmentation,
        **spaces,
        **common,
    )
    return merge(rewards, values)


def _draw_text(texts, seed):
    tf = tensorflow()
    draw = tf.random.stateless_uniform((), seed)
    count = tf.shape(texts)[0]
    index = tf.cast(draw * tf.cast(count, "float32"), "int32")
    # A place before the first is none at all, and that is an error.
    some = tf.debugging.assert_positive(count, "a record without a caption")
    with tf.control_dependencies([some]):
        return tf.gather(texts, tf.minimum(index, count - 1))


def _check_text(source, tokenizer, name):
    if "text" not in source.fields:
        raise ValueError(
            f"`{name}` must be a source of captioned images, whose records "
            f"have 'text'. Received: records with {sorted(source.fields)}"
        )
    if not callable(tokenizer):
        raise ValueError(
            "`tokenizer` must be a callable from strings to token ids. "
            f"Received: {tokenizer!r}"
        )
