"""Training images: folders that the options name, or scenes."""

import pathlib
import re

from keras_ab import data
from recipes import scenes

MIXED = re.compile(r"(\w+)\+(\w+):([\d.]+)")
FRAMES = 16


def unlabelled(folder, options):
    """Images alone.

    Args:
        folder: A folder of images; `'scenes'`, `'objects'` or `'video'`, of
            which `options.images` are made; `'objects+scenes:0.25'`, which
            takes a quarter of the second; or `''` for scenes.
        options: The recipe's options, with `scenes`, what makes the scenes.

    Returns:
        A source.
    """
    folder = folder or "scenes"
    mixed = MIXED.fullmatch(folder)
    if mixed and not pathlib.Path(folder).exists():
        first, second, share = mixed.groups()
        share = float(share)
        weights = {
            unlabelled(first, options): 1.0 - share,
            unlabelled(second, options): share,
        }
        return data.mix(weights, [first, second])
    if folder == "video":
        clips = max(1, options.images // FRAMES)
        return data.Video(clips, FRAMES).cache(options.workers)
    if folder == "objects":
        return data.Objects(size=options.images).cache(options.workers)
    if folder == "scenes":
        return scenes.make(options.scenes, options.workers, size=options.images)
    return data.from_folder(folder)


def captioned(options):
    """Captioned images alone.

    Args:
        options: The recipe's options, with `reward`, a folder of captioned
            images (or `''`, for scenes of which `captioned` have captions),
            and `captions`, `'boxes'` for those of scenes that say which
            boxes there are.

    Returns:
        A source, and a tokenizer learnt on its captions.
    """
    if not options.reward:
        # The same scenes as among more of them.
        reward, _, tokenizer = scenes.training_sources(
            options.captioned,
            options.captioned,
            workers=options.workers,
            boxes=options.captions == "boxes",
            maker=options.scenes,
        )
        return reward, tokenizer
    reward = data.from_folder(options.reward, captions=options.captions)
    tokenizer = data.WordTokenizer.from_texts(
        (text for texts in reward.texts for text in texts),
        sequence_length=64,
        vocabulary_size=32_000,
    )
    return reward, tokenizer


def captioned_and_more(options, unlabelled=""):
    """Captioned images, and the images that need no captions.

    Args:
        options: As in `captioned`, with `images`, the number of all scenes.
        unlabelled: A folder of images, or `''` for those of `reward`.

    Returns:
        Two sources, and a tokenizer learnt on the captions.
    """
    if not options.reward:
        return scenes.training_sources(
            options.images,
            options.captioned,
            workers=options.workers,
            boxes=options.captions == "boxes",
            maker=options.scenes,
        )
    reward, tokenizer = captioned(options)
    return reward, data.from_folder(unlabelled or options.reward), tokenizer
