"""What a run collects of itself, for the figures of `keras_ab.analysis`."""

import functools
import zlib

import numpy as np

from keras_ab import analysis
from keras_ab import data
from keras_ab.objectives import BellmanValue
from keras_ab.objectives import SelfDistillation
from keras_ab.objectives import ViewContrast
from recipes import scenes

# Another seed than any training's and than the probes'.
HELD_OUT = {"seed": 2_000_003, "split": "test"}
IMAGES = 256
# Of a gradient, in every method alike: with fewer images, cosines between noisy
# gradients are smaller. The mean over batches is steadier.
GRADIENT, BATCHES = 64, 4
CURRICULUM = 64


def held_out_batch(model, source, options, images, seed=1):
    """A batch of a method's kind, of images that it does not train on.

    Args:
        model: A `keras_ab.models.Pretrainer`.
        source: A `keras_ab.data.Source` with captions.
        options: The recipe's options, with the number of captioned images.
        images: Int, images of what is not captioned.
        seed: Int, of the stream whose first batch this is.

    Returns:
        The nested dict that `fit` consumes, as arrays.
    """
    common = {"image_size": options.image_size, "seed": seed}
    parts = []

    def fit(size):
        # Scenes of one's own may be fewer.
        return min(size, len(source))

    for objective in model.online.objectives:
        if hasattr(objective, "text_encoder"):
            parts.append(
                data.reward_batches(
                    source,
                    objective.tokenizer,
                    batch_size=fit(options.reward_batch_size),
                    **common,
                )
            )
        elif isinstance(objective, ViewContrast):
            parts.append(
                data.simclr_batches(source, batch_size=fit(images), **common)
            )
        elif isinstance(objective, SelfDistillation):
            parts.append(
                data.dino_batches(
                    source,
                    local_size=options.local_size,
                    num_locals=options.num_locals,
                    batch_size=fit(images),
                    **common,
                )
            )
        elif isinstance(objective, BellmanValue):
            parts.append(
                data.value_batches(
                    source,
                    batch_size=fit(images),
                    num_views=options.num_views,
                    **common,
                )
            )
    return next(data.merge(*parts).as_numpy_iterator())


def collector(model, options, path):
    """The callback that looks inside a run, at held-out scenes.

    Args:
        model: A `keras_ab.models.Pretrainer`.
        options: The recipe's options.
        path: File that it writes.

    Returns:
        A `keras_ab.analysis.Collector`, or None where a method has nothing
        to look at.
    """
    source = scenes.make(options.scenes, size=IMAGES, **HELD_OUT)
    names = [objective.name for objective in model.online.objectives]
    measures = {}
    if len(names) > 1:
        batches = [
            held_out_batch(model, source, options, GRADIENT, seed)
            for seed in range(1, BATCHES + 1)
        ]
        measures["alignment"] = analysis.GradientAlignment(
            batches, names[0], names[1]
        )
    if hasattr(model, "value"):
        measures["value"] = functools.partial(
            analysis.value_accuracy,
            batch=held_out_batch(model, source, options, IMAGES),
        )
        batch = held_out_batch(model, source, options, CURRICULUM)
        measures["curriculum"] = analysis.Curriculum(batch)
        detail = compressed_sizes(batch["value"]["image"])
        measures["images"] = lambda model: {"bytes": detail}
    if hasattr(model.online.objectives[0], "text_encoder"):
        crops = analysis.captioned_crops(
            source, count=IMAGES, size=options.image_size
        )
        measures["crops"] = functools.partial(
            analysis.crop_accuracy, held_out=crops
        )
    if not measures:
        return None
    return analysis.Collector(measures, options.collect_every, path)


def compressed_sizes(views):
    """How much there is to see in images: what they compress to.

    Args:
        views: uint8 of shape `(B, ...)`.

    Returns:
        Ints of shape `(B,)`, bytes.
    """
    return np.array([len(zlib.compress(image.tobytes())) for image in views])


def last(collected, name):
    """The mean of a measure's last quarter, which one step does not decide.

    Args:
        collected: A `keras_ab.analysis.Collected`.
        name: String, `"MEASURE/KEY"`.

    Returns:
        Array.
    """
    values = collected[name]
    return np.nanmean(values[-max(1, len(values) // 4) :], axis=0)
