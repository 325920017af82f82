"""Batches for `fit`: annotated images, and crops of unlabelled ones."""

import functools

from keras_ab.data.crops import crop_and_resize
from keras_ab.data.crops import decode
from keras_ab.data.sampling import sample_boxes
from keras_ab.data.stream import REWARD_LANE
from keras_ab.data.stream import VALUE_LANE
from keras_ab.data.stream import batches
from keras_ab.data.stream import check_area
from keras_ab.data.stream import check_size
from keras_ab.data.stream import check_source
from keras_ab.data.stream import place
from keras_ab.data.tf import tensorflow


def reward_batches(
    source,
    tokenizer,
    image_size=224,
    batch_size=256,
    area=(0.5, 1.0),
    seed=0,
    start_step=0,
    augmentation=None,
):
    """Batches of captioned images, without end.

    Each image gives one crop, and a caption drawn from its own. The batch of
    a step is a pure function of `(seed, step)`.

    Args:
        source: A `keras_ab.data.Source` whose records have `"text"`.
        tokenizer: Callable from a string tensor to int32 ids
            `(sequence_length,)`, such as `keras_ab.data.WordTokenizer`.
        image_size: Int or `(height, width)` of the crops.
        batch_size: Int, images to a batch.
        area: Pair in (0, 1]: range of the crop's share of the image.
        seed: Int, the seed of order, crops and captions.
        start_step: Int, the step of the first batch.
        augmentation: Callable from `(image, seed)` to an image, such as one
            of `keras_ab.data.augmentations`; None leaves crops as they are.

    Returns:
        A `tf.data.Dataset` of `{"reward": {"image", "text"}}`: uint8
        `(batch_size, H, W, 3)` and int32 `(batch_size, sequence_length)`.

    Raises:
        ValueError: If the source has no captions, or an argument is out of
            range.

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

    def example(number):
        index, seeds = place(number, len(source), seed, REWARD_LANE)
        record = source.load(index)
        image = decode(record["image"])
        boxes, _ = sample_boxes(seeds[0], 1, tf.shape(image)[:2], area)
        view = crop_and_resize(image, boxes, size)[0]
        if augmentation is not None:
            view = augmentation(view, tf.random.split(seeds[0], 2)[1])
        text = _draw_text(record["text"], seeds[1])
        return {"reward": {"image": view, "text": tokenizer(text)}}

    return batches(example, batch_size, start_step)


def value_batches(
    source,
    image_size=224,
    batch_size=256,
    num_views=4,
    area=(0.05, 0.5),
    seed=0,
    start_step=0,
    sample=None,
    state_key="boxes",
    state_size=4,
):
    """Batches of several crops of each image, with their boxes.

    Args:
        source: A `keras_ab.data.Source`; its annotations are not read.
        image_size: Int or `(height, width)` of the crops.
        batch_size: Int, images to a batch.
        num_views: Int, N, at least 2.
        area: Pair in (0, 1]: range of the crop's share of the image.
        seed: Int, the seed of order and crops.
        start_step: Int, the step of the first batch.
        sample: An action space's `sample`, in place of `area`.
        state_key: The action space's key of a view's state.
        state_size: Int, numbers that describe one state.

    Returns:
        A `tf.data.Dataset` of `{"value": {"image", state_key}}`: uint8
        `(batch_size, N, H, W, 3)` and float32 `(batch_size, N, state_size)`.

    Raises:
        ValueError: If an argument is out of range.

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

    def example(number):
        index, seeds = place(number, len(source), seed, VALUE_LANE)
        image = decode(source.load(index)["image"])
        pixels, states = sample(seeds[0], num_views, tf.shape(image)[:2])
        views = crop_and_resize(image, pixels, size)
        states = tf.ensure_shape(states, (num_views, state_size))
        return {"value": {"image": views, state_key: states}}

    return batches(example, batch_size, start_step)


def bootstrap_batches(
    reward,
    value,
    tokenizer,
    image_size=224,
    reward_batch_size=128,
    value_batch_size=32,
    num_views=4,
    reward_area=(0.5, 1.0),
    value_area=(0.05, 0.5),
    seed=0,
    start_step=0,
    actions=None,
):
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

    Returns:
        A `tf.data.Dataset` of `{"reward": {"image", "text"}, "value":
        {"image", "boxes"}}`; see `reward_batches` and
        `value_batches` for shapes.

    Raises:
        ValueError: If the reward source has no captions, or an argument is
            out of range.

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
        Algorithm 2; Table 7, column AB: RRC(0.05, 0.5), 4 views.
    """
    tf = tensorflow()
    check_source(reward, "reward", reward_batch_size, "reward_batch_size")
    check_area(reward_area, "reward_area")
    _check_text(reward, tokenizer, "reward")
    common = {"image_size": image_size, "seed": seed, "start_step": start_step}
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
        **spaces,
        **common,
    )
    pairs = tf.data.Dataset.zip(rewards, values)
    return pairs.map(lambda a, b: {**a, **b}).prefetch(tf.data.AUTOTUNE)


def _draw_text(texts, seed):
    tf = tensorflow()
    draw = tf.random.stateless_uniform((), seed)
    count = tf.shape(texts)[0]
    index = tf.cast(draw * tf.cast(count, "float32"), "int32")
    return texts[tf.minimum(index, count - 1)]


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
