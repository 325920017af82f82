"""Training images: folders that the options name, or the built-in scenes."""

from keras_ab import data
from recipes import scenes


def unlabelled(folder, options):
    """Images alone.

    Args:
        folder: A folder of images, or `''` for all built-in scenes.
        options: The recipe's options.

    Returns:
        A source.
    """
    if folder:
        return data.from_folder(folder)
    return data.Scenes(size=options.images).cache(options.workers)


def captioned(options):
    """Captioned images alone.

    Args:
        options: The recipe's options, with `reward`, a folder of captioned
            images (or `''`, for scenes of which `captioned` have captions),
            and `captions`.

    Returns:
        A source, and a tokenizer learnt on its captions.
    """
    if not options.reward:
        # The same scenes as among more of them.
        reward, _, tokenizer = scenes.training_sources(
            options.captioned, options.captioned, workers=options.workers
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
            options.images, options.captioned, workers=options.workers
        )
    reward, tokenizer = captioned(options)
    return reward, data.from_folder(unlabelled or options.reward), tokenizer
